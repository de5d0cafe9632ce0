"""The models page shows what is known, and changes models.yaml without a loss."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from werkzeug.test import TestResponse

from tests.admin.conftest import ORIGIN, Visitor, app_with

MODELS = """\
# Mine.
models:
  Echo: {alias: [parrot], hidden: true}  # the first
  Mirror:
    disabled: true
  My-Bot: {custom: true, owner: me}
groups:
  cheap: [parrot, Mirror]
"""
HOSTILE = "<img src=x onerror=alert(1)>\"'&{{7*7}}"
FOREIGN = "enable: true\nmodels: {echo: {mapping: my-echo}}\ncustom_models: [{id: other}]\n"


class Owner(Visitor):
    """The one who runs poeflask, with a models.yaml."""

    def __init__(self, folder: Path, text: str = MODELS) -> None:
        self.path = folder / "models.yaml"
        self.path.write_text(text, "utf-8")
        super().__init__(app_with(simulator="on", state_dir=folder))
        self.log_in()
        self.tag = re.findall(r'data-tag="(\w+)"', self.page())[0]

    def page(self) -> str:
        """The page as it is now."""
        return str(self.get("models").text)

    def do(self, path: str, **fields: Any) -> TestResponse:
        """What the page's script sends, with the newest tag that it has seen."""
        headers = {"Accept": "application/json", "Origin": ORIGIN, "X-CSRF-Token": self.csrf}
        answer = self.client.post(
            f"/admin/models/{path}", data={"tag": self.tag, **fields}, headers=headers
        )
        self.tag = answer.json.get("tag", self.tag)
        return answer

    def said(self) -> dict[str, Any]:
        """What the file says."""
        read: dict[str, Any] = yaml.safe_load(self.path.read_text("utf-8"))
        return read


@pytest.fixture
def owner(tmp_path: Path) -> Owner:
    """With some words on models."""
    return Owner(tmp_path)


def ids(html: str) -> list[str]:
    """The models whose lines are in it."""
    return re.findall(r'<tr role="row" data-id="([^"]*)"', html)


def line(html: str, bot_id: str) -> str:
    """A model's line."""
    (found,) = re.findall(rf'<tr role="row" data-id="{bot_id}".*?</tr>', html, re.DOTALL)
    return str(found)


def test_every_known_bot_has_a_line(owner: Owner) -> None:
    """Hidden, disabled and own ones too, with aliases and groups."""
    page = owner.page()
    listed = owner.client.get("/v1/models", headers={"Authorization": "Bearer demo"}).json["data"]

    assert {model["id"].lower() for model in listed} - {"parrot"} < set(ids(page))
    assert {"echo", "mirror"} < set(ids(page))
    assert "my-bot" == ids(page)[-1]
    assert '<bdi class="chip">parrot</bdi>' in line(page, "echo")
    assert '<bdi class="chip group">@cheap</bdi>' in line(page, "echo")
    assert 'data-states="enabled hidden changed"' in line(page, "echo")
    assert 'data-states="disabled changed"' in line(page, "mirror")
    assert "bots are shown" in page


def test_names_are_text(tmp_path: Path) -> None:
    """Whatever a bot, an alias or an owner is called, on the page and in its forms."""
    said = {"custom": True, "alias": f"{HOSTILE}2", "owner": HOSTILE, "description": HOSTILE}
    said |= {"fallback": f"{HOSTILE}3", "parameters": {HOSTILE: HOSTILE}}
    hostile = Owner(tmp_path, yaml.safe_dump({"models": {"<script>x": said}}))
    shown = hostile.page() + hostile.get("models/editor?id=%3Cscript%3Ex").text

    assert "&lt;script&gt;x" in shown
    assert "<script>x" not in shown
    assert "<img src=x" not in shown
    assert "&lt;img src=x" in shown


def test_the_editor_shows_each_value_with_its_source(owner: Owner) -> None:
    """What Poe says stands where the owner says nothing."""
    form = owner.get("models/editor?id=echo").text

    assert re.search(r'<textarea id="f-alias"[^>]*>parrot</textarea>', form)
    assert 'Aliases <span class="from yours">You</span>' in form
    assert re.search(r'name="owner"[^>]*value="" placeholder="Simulator"', form)
    assert re.search(r'name="price.prompt"[^>]*value="" placeholder="1"', form)
    assert 404 == owner.get("models/editor?id=nobody").status_code


def test_an_edit_changes_what_it_is_about_alone(owner: Owner) -> None:
    """The file's other text stays, and the answer brings the lines that changed."""
    answer = owner.do("editor", id="echo", alias="parrot\nvogel", enabled="on", tools="native")
    text = owner.path.read_text()

    assert 200 == answer.status_code
    assert ["echo"] == ids(answer.json["rows"])
    assert "vogel" in answer.json["rows"]
    assert text.startswith("# Mine.\n")
    assert "# the first" in text
    assert {"alias": ["parrot", "vogel"], "hidden": True, "tools": "native"} == owner.said()[
        "models"
    ]["Echo"]


def test_nothing_is_written_if_nothing_changed(owner: Owner) -> None:
    """A form that was only looked at."""
    answer = owner.do("editor", id="echo", alias="parrot", enabled="on")

    assert (200, "") == (answer.status_code, answer.json["rows"].strip())
    assert MODELS == owner.path.read_text()


def test_a_page_of_an_older_file_is_told_so(owner: Owner) -> None:
    """Whatever it wants to do; without a tag as well."""
    changed = MODELS.replace("# Mine", "# Ours")
    owner.path.write_text(changed)
    done = [
        owner.do("switch", id="echo", field="disabled", value="on"),
        owner.do("editor", id="echo", alias="x"),
        owner.do("forget", id="echo"),
        owner.do("groups", old="cheap", name="dear"),
        owner.do("switch", id="echo", field="disabled", value="on", tag=""),
    ]

    assert {409} == {answer.status_code for answer in done}
    assert "changed elsewhere" in done[0].json["error"]["message"]
    assert changed == owner.path.read_text()


def test_many_are_switched_at_once(owner: Owner) -> None:
    """Off, and on again without a trace."""
    owner.do("switch", id=["echo", "counter", "my-bot"], field="disabled", value="on")
    off = {name for name, said in owner.said()["models"].items() if said.get("disabled")}
    answer = owner.do("switch", id=["echo", "counter"], field="disabled", value="off")
    back = owner.said()["models"]

    assert {"Echo", "Mirror", "Counter", "My-Bot"} == off
    assert ["echo", "counter"] == ids(answer.json["rows"])
    assert ("Counter" in back, "disabled" in back["Echo"]) == (False, False)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"id": "nobody", "field": "disabled", "value": "on"}, 404),
        ({"field": "disabled", "value": "on"}, 404),
        ({"id": "echo", "field": "custom", "value": "on"}, 400),
    ],
)
def test_a_switch_that_makes_no_sense_is_refused(
    owner: Owner, fields: dict[str, str], status: int
) -> None:
    """And nothing is written."""
    assert status == owner.do("switch", **fields).status_code
    assert MODELS == owner.path.read_text()


@pytest.mark.parametrize(
    ("path", "fields", "told", "field"),
    [
        ("editor", {"id": "echo", "parameters": "{"}, "JSON object", "parameters"),
        ("editor", {"id": "echo", "alias": "my-bot"}, "name of another bot", None),
        ("editor", {"name": "@x"}, "must be a name", None),
        ("editor", {"name": ""}, "must be a name", None),
        ("editor", {"name": "ECHO"}, "of this name already", None),
        ("group", {"id": "echo", "group": "no blanks"}, "must be a name of at most 64", None),
        ("groups", {"old": "cheap", "name": "", "members": ""}, "must be a name", None),
        ("groups", {"old": "", "name": "CHEAP", "members": ""}, "a group of this name", None),
    ],
)
def test_what_cannot_be_is_told_and_not_written(
    owner: Owner, path: str, fields: dict[str, str], told: str, field: str | None
) -> None:
    """In a sentence, with the form's field if it is one's fault."""
    answer = owner.do(path, **fields)

    assert (422, field) == (answer.status_code, answer.json["error"].get("field"))
    assert told in answer.json["error"]["message"]
    assert MODELS == owner.path.read_text()


def test_an_own_bot_comes_and_goes(owner: Owner) -> None:
    """With what its form says of it."""
    made = owner.do("editor", name=" Another ", enabled="on", shown="on", owner="me")
    said = owner.said()["models"]["Another"]
    gone = owner.do("forget", id="another")

    assert ["another"] == ids(made.json["rows"])
    assert {"custom": True, "owner": "me"} == said
    assert ["another"] == gone.json["gone"]
    assert "Another" not in owner.said()["models"]


def test_models_join_and_leave_groups(owner: Owner) -> None:
    """Each once, also where the file calls one by its alias."""
    owner.do("group", id=["echo", "counter"], group="@cheap")
    joined = owner.said()["groups"]["cheap"]
    answer = owner.do("group", id=["echo"], group="cheap", out="on")
    new = owner.do("group", id=["echo"], group="best")

    assert (3, {"parrot", "Mirror", "Counter"}) == (len(joined), set(joined))
    assert ["echo"] == ids(answer.json["rows"])
    assert {"Mirror", "Counter"} == set(owner.said()["groups"]["cheap"])
    assert ["cheap", "best"] == new.json["groups"]


def test_groups_are_made_renamed_and_deleted(owner: Owner) -> None:
    """Their models stay."""
    assert "parrot\nMirror" in owner.get("models/groups").text
    owner.do("groups", old="", name="best", members="Echo\nCounter")
    owner.do("groups", old="cheap", name="Dear", members="Mirror")
    owner.do("groups", old="Dear", name="dear", members="Mirror")
    renamed = owner.said()["groups"]
    owner.do("groups", old="best", gone="on")

    assert {"best": ["Echo", "Counter"], "dear": ["Mirror"]} == renamed
    assert {"dear": ["Mirror"]} == owner.said()["groups"]
    assert "Echo" in owner.said()["models"]


def test_a_bad_file_is_told_and_the_last_good_one_shown(owner: Owner) -> None:
    """Nothing is written over it."""
    owner.path.write_text("models: [")
    page = owner.page()
    answer = owner.do("switch", id="echo", field="disabled", value="on")

    assert "models.yaml cannot be used:" in page
    assert "parrot" in line(page, "echo")
    assert 422 == answer.status_code
    assert "cannot be used" in answer.json["error"]["message"]
    assert "models: [" == owner.path.read_text()


def test_a_file_of_poe2openais_is_told_and_taken_over(tmp_path: Path) -> None:
    """The old one is kept."""
    owner = Owner(tmp_path, FOREIGN)
    before = owner.page()
    answer = owner.do("import")

    assert "poe2openai" in before
    assert "my-echo" in line(before, "echo")
    assert 200 == answer.status_code
    assert 'id="convert"' not in owner.page()
    assert {"echo", "other"} == set(owner.said()["models"])
    assert FOREIGN == owner.path.with_name("models.yaml.poe2openai").read_text()


def test_another_file_is_imported(owner: Owner) -> None:
    """What both speak of, it says; what it does not speak of stays."""
    content = FOREIGN.encode()
    answer = owner.do("import", file=(io.BytesIO(content), "models.yaml"))

    assert {"echo", "other"} == set(ids(answer.json["rows"]))
    assert ["my-echo"] == [owner.said()["models"]["Echo"]["alias"]]
    assert owner.said()["models"]["Mirror"]["disabled"]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"models: [", b"models: {X: {colour: red}}"])
def test_a_bad_file_is_not_imported(owner: Owner, content: bytes) -> None:
    """With a sentence."""
    answer = owner.do("import", file=(io.BytesIO(content), "x.yaml"))

    assert 422 == answer.status_code
    assert "The file " in answer.json["error"]["message"]
    assert MODELS == owner.path.read_text()


def test_without_any_list_the_owners_bots_are_shown(tmp_path: Path) -> None:
    """Poe is away and there is no simulator."""
    (tmp_path / "models.yaml").write_text(MODELS)
    page = Visitor(app_with(simulator="off", state_dir=tmp_path)).log_in().get("models").text

    assert ["echo", "mirror", "my-bot"] == ids(page)
    assert "Only bots of models.yaml are shown." in page
