"""Changes of what models.yaml says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.poe import changes, yaml_text
from poeflask.poe.changes import Change, Plain
from poeflask.poe.overrides import OverridesError, read

BEFORE: Plain = {
    "models": {"Echo": {"alias": "e", "hidden": True}, "Claude": {"alias": ["c", "best"]}},
    "groups": {"cheap": ["Echo"]},
}


@pytest.mark.parametrize(
    ("change", "models"),
    [
        (
            changes.set_fields(["ECHO", "New"], {"disabled": True, "hidden": None}),
            {
                "Echo": {"alias": "e", "disabled": True},
                "Claude": {"alias": ["c", "best"]},
                "New": {"disabled": True},
            },
        ),
        (
            changes.set_fields(["Echo"], {"parameters.effort": "low", "price.prompt": 1}),
            {
                "Echo": {
                    "alias": "e",
                    "hidden": True,
                    "parameters": {"effort": "low"},
                    "price": {"prompt": 1},
                },
                "Claude": {"alias": ["c", "best"]},
            },
        ),
        (
            changes.set_fields(["echo"], {"alias": None, "hidden": None, "tools.x": None}),
            {"Claude": {"alias": ["c", "best"]}},
        ),
        (
            changes.add_aliases("echo", ["E", "f"]),
            {"Echo": {"alias": ["e", "f"], "hidden": True}, "Claude": {"alias": ["c", "best"]}},
        ),
        (
            changes.remove_aliases(["E", "BEST", "none"]),
            {"Echo": {"hidden": True}, "Claude": {"alias": ["c"]}},
        ),
        (
            changes.rename_alias("C", "d"),
            {"Echo": {"alias": "e", "hidden": True}, "Claude": {"alias": ["d", "best"]}},
        ),
        (
            changes.add_custom("Mine", {"owner": "me"}),
            {**BEFORE["models"], "Mine": {"custom": True, "owner": "me"}},
        ),
        (changes.forget(["ECHO"]), {"Claude": {"alias": ["c", "best"]}}),
        (
            changes.taken_over({"models": {"ECHO": {"hidden": False}, "B": {"tools": "native"}}}),
            {
                "Echo": {"alias": "e", "hidden": False},
                "Claude": {"alias": ["c", "best"]},
                "B": {"tools": "native"},
            },
        ),
    ],
)
def test_a_change_of_bots(change: Change, models: Plain) -> None:
    """Names are found in any case; what is empty goes; the groups stay."""
    assert {"models": models, "groups": {"cheap": ["Echo"]}} == change(BEFORE)


@pytest.mark.parametrize(
    ("change", "groups"),
    [
        (changes.set_group("CHEAP", ["a", "b"]), {"cheap": ["a", "b"]}),
        (changes.set_group("new", []), {"cheap": ["Echo"], "new": []}),
        (changes.set_group("cheap", None), None),
        (changes.taken_over({"groups": {"x": ["y"]}}), {"cheap": ["Echo"], "x": ["y"]}),
    ],
)
def test_a_change_of_groups(change: Change, groups: Plain | None) -> None:
    """The last one takes its table with it."""
    assert groups == change(BEFORE).get("groups")
    assert BEFORE["models"] == change(BEFORE)["models"]


def test_it_is_known_of_what_nothing_is_said() -> None:
    """Of any field, in tables too, whatever the case of the name."""
    said = {"models": {"Echo": {"tools": "auto", "parameters": {"x": 1}}, "Empty": None}}
    fields = ["tools", "tools.x", "parameters.x", "parameters.y", "alias"]

    assert ["tools.x", "parameters.y", "alias"] == changes.unsaid(said, "ECHO", fields)
    assert ["tools"] == changes.unsaid(said, "empty", ["tools"])
    assert ["tools"] == changes.unsaid({}, "Echo", ["tools"])


def test_what_is_given_is_not_written_into() -> None:
    """The same value may be changed twice."""
    before = yaml_text.written(BEFORE)
    for change in (changes.add_aliases("Echo", ["z"]), changes.set_group("cheap", ["z"])):
        change(BEFORE)

    assert before == yaml_text.written(BEFORE)


def test_bots_of_which_nothing_is_said_stay_in_the_file() -> None:
    """Somebody wrote them there."""
    assert {"models": {"Old": None, "B": {"hidden": True}}} == changes.set_fields(
        ["B"], {"hidden": True}
    )({"models": {"Old": None}})


names = st.sampled_from(["Echo", "ECHO", "Claude", "New", "e/f"])
words = st.sampled_from(["x", "y", "e", "best", "Z"])
any_change: st.SearchStrategy[Change] = st.one_of(
    st.builds(
        changes.set_fields,
        st.lists(names, max_size=3),
        st.dictionaries(
            st.sampled_from(["hidden", "disabled", "custom"]), st.sampled_from([True, False, None])
        ),
    ),
    st.builds(changes.add_aliases, names, st.lists(words, min_size=1, max_size=2)),
    st.builds(changes.remove_aliases, st.lists(words, max_size=2)),
    st.builds(changes.rename_alias, words, words),
    st.builds(changes.forget, st.lists(names, max_size=1)),
    st.builds(changes.set_group, words, st.none() | st.lists(names, max_size=2, unique=True)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(any_change, max_size=5))
def test_edits_commute_with_reading(wanted: list[Change]) -> None:
    """To change what was read and to read what was changed is the same, whatever stands around."""
    text = "# mine\n" + yaml_text.written(BEFORE) + "# the end\n"
    value = BEFORE
    for change in wanted:
        value = change(value)
        text = yaml_text.edited(text, value)

    assert said(yaml_text.written(value)) == said(text)


def said(text: str) -> Any:
    """What a file says, or that it says what cannot be."""
    try:
        return read(text)
    except OverridesError as error:
        return str(error)
