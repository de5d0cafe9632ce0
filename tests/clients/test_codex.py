"""What codex does besides its task: goes on, shows pictures, fills in forms, tells errors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from poeflask.simulator.media import picture
from tests.clients.conftest import TASK, Desk
from tests.clients.installed import INSTALL_S, agents

pytestmark = [pytest.mark.clients, pytest.mark.timeout(INSTALL_S + 100)]

CONFIG = """
model_provider = "poeflask"

[model_providers.poeflask]
name = "poeflask"
base_url = "{base_url}"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
"""

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def commands() -> Path:
    """Where the agents' commands are."""
    return agents().commands


@pytest.fixture
def codex(desk: Desk, commands: Path) -> Callable[..., str]:
    """Runs Codex without a terminal, with one of the simulator's bots as its model."""
    config = desk.home / ".codex" / "config.toml"
    config.parent.mkdir()
    config.write_text(CONFIG.format(base_url=desk.base_url))

    def run(bot: str, *options: str, resume: Sequence[str] = ()) -> str:
        free = ["--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
        line = [commands / "codex", "exec", *resume, *free, "-m", bot, *options]
        return desk.run(line)

    return run


def test_continued(codex: Callable[..., str], desk: Desk) -> None:
    """It goes on with a conversation that holds calls, results and text."""
    codex("Agent", TASK)
    task = 'Create more.txt with the content "good night" and read it back.'
    said = codex("Agent", task, resume=["resume", "--last"])

    assert "good night" in said
    assert "good night" == (desk.folder / "more.txt").read_text().rstrip("\n")


def test_picture(codex: Callable[..., str], desk: Desk) -> None:
    """A picture reaches the bot."""
    shown = picture("A house").content
    (desk.folder / "house.png").write_bytes(shown)
    said = codex("Reader", "-i", "house.png", "--", "What is this?")

    assert f"(image/png) has {len(shown)} bytes." in said


def test_form(codex: Callable[..., str], desk: Desk) -> None:
    """It gets an answer in the form that its user demands."""
    (desk.folder / "person.json").write_text(json.dumps(PERSON))
    told = codex("Json-Writer", "--output-schema", "person.json", "Tell me of Ada, who is 36.")

    assert {"name": "Ada", "age": 36} == json.loads(told)


def test_thoughts(codex: Callable[..., str]) -> None:
    """It tells the answer of a bot that thinks, without the thoughts."""
    assert "You said: Good morning.\n" == codex("Thinker", "Good morning.")


@pytest.mark.parametrize(
    ("bot", "words"),
    [
        ("No-Points", "ERROR: Quota exceeded. Check your plan and billing details."),
        ("No-Such-Bot", "Bot does not exist"),
    ],
)
def test_error(codex: Callable[..., str], bot: str, words: str) -> None:
    """What its user must know stands in what it says."""
    with pytest.raises(pytest.fail.Exception, match=re.escape(words)):
        codex(bot, "Hello")
