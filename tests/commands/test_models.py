"""`poeflask models`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.commands.conftest import Run

AWAY = "http://127.0.0.1:1"


def file(state: Path) -> Any:
    """What models.yaml says."""
    return yaml.safe_load((state / "models.yaml").read_text())


def rows(output: str) -> list[list[str]]:
    """The cells of a plain table, without its headings."""
    return [line.split("\t") for line in output.splitlines()[1:]]


def test_models_are_listed(run: Run) -> None:
    """In the order of the list, with what gives them and their state."""
    run("models", "alias", "echo", "Parrot")
    run("models", "disable", "Painter")
    run("models", "set", "Mine", "custom=true", "output=image")
    listed = {row[0]: row for row in rows(run("models", "list").output)}

    assert ["Echo", "text", "Simulator", "32000", "Parrot", ""] == listed["Echo"]
    assert "Painter" not in listed
    assert ["Mine", "image", "", "", "", "custom, not listed by Poe"] == listed["Mine"]
    everything = {row[0]: row[-1] for row in rows(run("models", "list", "--all").output)}
    assert "disabled" == everything["Painter"]


def test_a_list_is_narrowed(run: Run) -> None:
    """By what bots give, and by words in names, aliases and descriptions."""
    run("models", "alias", "Echo", "Parrot")
    images = [row[0] for row in rows(run("models", "list", "--kind", "image").output)]
    found = [row[0] for row in rows(run("models", "list", "--search", "PARROT").output)]

    assert "Painter" in images
    assert "Echo" not in images
    assert ["Echo"] == found


def test_a_list_as_json_holds_all_that_is_known(run: Run) -> None:
    """For programs."""
    run("models", "hide", "Echo")
    listed = json.loads(run("models", "list", "--all", "--json").output)
    (echo,) = [one for one in listed["data"] if one["id"] == "Echo"]

    assert ("list", True, "models.yaml") == (
        listed["object"],
        echo["hidden"],
        echo["sources"]["hidden"],
    )


def test_one_model_is_shown_by_any_name(run: Run) -> None:
    """With where each value comes from."""
    run("models", "alias", "Echo", "Parrot")
    shown = {row[0]: row[1:] for row in rows(run("models", "show", "PARROT").output)}

    assert ["Echo", ""] == shown["id"]
    assert ['["Parrot"]', "models.yaml"] == shown["aliases"]
    assert ["Simulator", "poe"] == shown["owned_by"]
    assert "Echo" == json.loads(run("models", "show", "echo", "--json").output)["id"]


def test_a_model_that_nobody_knows_cannot_be_shown(run: Run) -> None:
    """What may be meant is told."""
    result = run("models", "show", "Ecko")

    assert 1 == result.exit_code
    assert "No model 'Ecko' is known; perhaps 'Echo' is meant." in result.stderr


def test_fields_are_set_and_unset(run: Run, state: Path) -> None:
    """Values are YAML, a dot leads into a table, names become Poe's."""
    result = run("models", "set", "ECHO", "tools=prompted", "alias=[a, b]", "parameters.x=1")

    assert "Set tools, alias, parameters.x of Echo." in result.output
    echo = {"tools": "prompted", "alias": ["a", "b"], "parameters": {"x": 1}}
    assert {"models": {"Echo": echo}} == file(state)
    run("models", "unset", "a", "tools", "parameters.x")
    assert {"models": {"Echo": {"alias": ["a", "b"]}}} == file(state)
    run("models", "unset", "b", "--all")
    assert not file(state)


def test_what_is_not_said_cannot_be_unset(run: Run, state: Path) -> None:
    """A slip of the pen is told, and nothing is unset beside it."""
    run("models", "set", "Echo", "tools=prompted", "parameters.x=1")
    before = file(state)
    results = [
        run("models", "unset", "Echo", "tools", field) for field in ("toolz", "parameters.y")
    ]

    assert [1, 1] == [result.exit_code for result in results]
    assert "says nothing of 'toolz' for Echo" in results[0].stderr
    assert "says nothing of 'parameters.y' for Echo" in results[1].stderr
    assert before == file(state)


def test_an_alias_that_hides_a_bot_is_remarked(run: Run) -> None:
    """It may be meant: nothing is refused."""
    hiding = run("models", "alias", "Echo", "a", "PAINTER")

    assert 0 == hiding.exit_code
    assert "remark: Poe's bot Painter cannot be asked any more.\n" == hiding.stderr


def test_log_lines_keep_out_of_the_answer(run: Run, state: Path) -> None:
    """A program reads JSON, whatever is wrong with the file."""
    run("models", "hide", "Echo")
    (state / "models.yaml").write_text("models: [")
    result = run("models", "list", "--json")

    assert "list" == json.loads(result.stdout)["object"]
    assert "bad_models_file" in result.stderr


@pytest.mark.parametrize(
    ("command", "field", "back"), [("disable", "disabled", "enable"), ("hide", "hidden", "unhide")]
)
def test_many_models_are_switched_at_once(
    run: Run, state: Path, command: str, field: str, back: str
) -> None:
    """By name, alias or group, each once; and back."""
    run("models", "group", "@drawn", "painter")
    run("models", "alias", "Echo", "e")
    switched = run("models", command, "@DRAWN", "E", "Painter", "Mirror")

    assert "Painter, Echo, Mirror. Running workers see it within a second." in switched.output
    assert {"Echo", "Painter", "Mirror"} == {
        name for name, said in file(state)["models"].items() if said.get(field)
    }
    run("models", back, "@drawn", "echo", "mirror")
    assert {"Echo": {"alias": ["e"]}} == file(state)["models"]


def test_aliases_come_and_go(run: Run, state: Path) -> None:
    """One that is not there cannot go."""
    run("models", "alias", "Echo", "a", "b")
    run("models", "alias", "a", "c")

    assert ["a", "b", "c"] == file(state)["models"]["Echo"]["alias"]
    run("models", "unalias", "A", "c")
    assert ["b"] == file(state)["models"]["Echo"]["alias"]
    result = run("models", "unalias", "bb")
    assert (1, True) == (result.exit_code, "perhaps 'b' is meant" in result.stderr)


def test_groups_come_and_go(run: Run, state: Path) -> None:
    """Their models stay."""
    run("models", "group", "cheap", "echo", "mirror")

    assert {"cheap": ["Echo", "Mirror"]} == file(state)["groups"]
    assert 0 == run("models", "ungroup", "@cheap").exit_code
    assert not file(state)
    result = run("models", "hide", "@cheap")
    assert (1, True) == (result.exit_code, "There is no group @cheap." in result.stderr)
    assert 1 == run("models", "ungroup", "cheap").exit_code


def test_poe2openais_file_is_imported(run: Run, state: Path, tmp_path: Path) -> None:
    """What is said already stays beside it."""
    other = tmp_path / "other.yaml"
    other.write_text("enable: true\nmodels: {echo: {mapping: parrot}}\ncustom_models: [{id: M}]\n")
    run("models", "set", "Echo", "tools=prompted")
    result = run("models", "import", str(other))

    assert (0, True) == (result.exit_code, "of 2 models" in result.output)
    assert {
        "Echo": {"tools": "prompted", "alias": "parrot", "hidden": True},
        "M": {"custom": True},
    } == file(state)["models"]


def test_a_change_that_makes_no_sense_is_refused(run: Run, state: Path) -> None:
    """The file is as it was, and the sentence says why."""
    run("models", "alias", "Echo", "a")
    before = (state / "models.yaml").read_text()
    results = [
        run("models", "set", "Echo", "tool=native"),
        run("models", "alias", "Mirror", "A"),
        run("models", "import", str(state / "store.db")),
    ]

    assert [1, 1, 1] == [result.exit_code for result in results]
    assert "perhaps 'tools' is meant" in results[0].stderr
    assert "'A' is also an alias of Echo" in results[1].stderr
    assert before == (state / "models.yaml").read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ("set", "Echo", "tools"),
        ("set", "Echo", "tools="),
        ("set", "Echo", "=x"),
        ("set", "Echo", "alias=[a"),
        ("set", "Echo"),
        ("unset", "Echo"),
        ("unset", "Echo", "tools", "--all"),
        ("hide",),
        ("list", "--kind", "smell"),
        ("import", "no-such-file"),
    ],
)
def test_what_cannot_be_a_command_is_told_as_such(run: Run, arguments: tuple[str, ...]) -> None:
    """Exit code 2, as of every program that is called wrongly."""
    assert 2 == run("models", *arguments).exit_code


def test_a_bot_that_poe_does_not_list_is_taken_at_its_word(run: Run, state: Path) -> None:
    """It may be a private one; a slip of the pen is remarked."""
    result = run("models", "hide", "Mirrr")

    assert "remark: Poe lists no bot 'Mirrr'; perhaps 'Mirror' is meant." in result.stderr
    assert {"Mirrr": {"hidden": True}} == file(state)["models"]


def test_without_poe_the_file_can_be_changed(run: Run, state: Path) -> None:
    """Only what needs Poe's list fails, with a sentence."""
    assert 0 == run("models", "hide", "Echo", POE_BASE_URL=AWAY).exit_code
    assert {"Echo": {"hidden": True}} == file(state)["models"]
    result = run("models", "list", POE_BASE_URL=AWAY)
    assert (1, True) == (result.exit_code, "Poe could not be reached" in result.stderr)
    assert "names were not compared" in run("models", "check", POE_BASE_URL=AWAY).output


def test_a_check_tells_what_is_wrong_and_what_is_odd(run: Run, state: Path) -> None:
    """A fault has exit code 1, a remark has none."""
    nothing = run("models", "check")
    state.mkdir(exist_ok=True)
    (state / "models.yaml").write_text("models: {Eccho: {alias: Mirror}}")
    odd = run("models", "check")
    (state / "models.yaml").write_text("enable: true")
    foreign = run("models", "check")
    (state / "models.yaml").write_text("models: 3")
    wrong = run("models", "check")

    assert (0, True) == (nothing.exit_code, "none is needed" in nothing.output)
    assert (0, 2) == (odd.exit_code, odd.output.count("remark: "))
    assert "It is poe2openai's" in foreign.output
    assert (1, True) == (wrong.exit_code, "models: must be a table" in wrong.stderr)
