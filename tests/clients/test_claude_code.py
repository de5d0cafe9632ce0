"""Claude Code works against poeflask: tasks, their continuation, forms, errors told."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.conftest import TASK, Desk
from tests.clients.installed import INSTALL_S, makers

pytestmark = [pytest.mark.clients, pytest.mark.timeout(INSTALL_S + 100)]
each_bot = pytest.mark.parametrize("bot", ["Agent", "Prompted-Agent"])

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}


@pytest.fixture(scope="module")
def command() -> Path:
    """The command, a program of its own in a package."""
    return makers().commands / "claude"


@pytest.fixture
def claude(desk: Desk, command: Path) -> Callable[..., str]:
    """Runs Claude Code without a terminal, with one of the simulator's bots as its model."""

    def run(bot: str, *options: str, **environment: str) -> str:
        key = environment or {
            "ANTHROPIC_API_KEY": "any-key",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }
        tools = ["--permission-mode", "acceptEdits", "--allowedTools", "Write", "Read", "Bash"]
        line = [command, "-p", *options, "--model", bot, *tools]
        return desk.run(line, ANTHROPIC_BASE_URL=desk.live.url, **key)

    return run


@each_bot
def test_task(claude: Callable[..., str], check_done: Callable[[str], None], bot: str) -> None:
    """It writes a file and reads it back."""
    check_done(claude(bot, TASK))


def test_token(claude: Callable[..., str], check_done: Callable[[str], None]) -> None:
    """It does so too with a bearer token, when it asks first whether a server is there."""
    check_done(claude("Agent", TASK, ANTHROPIC_AUTH_TOKEN="any-key"))


def test_continued(claude: Callable[..., str], desk: Desk) -> None:
    """It goes on with a conversation that holds calls, results and text."""
    claude("Agent", TASK)

    said = claude("Agent", "-c", 'Create more.txt with the content "good night" and read it back.')
    assert "good night" in said
    assert "good night" == (desk.folder / "more.txt").read_text().rstrip("\n")


@pytest.mark.parametrize("bot", ["Tool-User", "Prompted-Tools"])
def test_form(claude: Callable[..., str], bot: str) -> None:
    """It gets an answer in the form that its user demands."""
    form = ["--tools", "", "--output-format", "json", "--json-schema", json.dumps(PERSON)]
    told = json.loads(claude(bot, "Tell me of Ada, who is 36.", *form))

    assert {"name": "Ada", "age": 36} == told["structured_output"]


def test_thoughts(claude: Callable[..., str]) -> None:
    """It tells the answer of a bot that thinks, without the thoughts."""
    said = claude("Thinker", "Good morning.")

    assert said.endswith("Good morning.\n")
    assert "The user wrote" not in said


@pytest.mark.parametrize(
    ("bot", "words"),
    [
        ("No-Points", "API Error: 402 You do not have enough points to message this bot."),
        ("Http-401", "Failed to authenticate. API Error: 401 Incorrect API key provided."),
        ("Error-Late", "Hello, wörld! 🙂\nAPI Error: Server error mid-response."),
    ],
)
def test_error(claude: Callable[..., str], bot: str, words: str) -> None:
    """What its user must know stands in what it says, behind what the bot said before."""
    with pytest.raises(pytest.fail.Exception, match=re.escape(words)):
        claude(bot, "Hello")
