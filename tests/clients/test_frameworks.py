"""Frameworks for agents, run by a Python of their own: their tools work, natively and prompted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.conftest import TASK, Desk
from tests.clients.installed import INSTALL_S, frameworks

pytestmark = [pytest.mark.clients, pytest.mark.timeout(INSTALL_S + 100)]
HERE = Path(__file__).parent
each_bot = pytest.mark.parametrize("bot", ["Agent", "Prompted-Agent"])
TOOL_BOTS = {"Agent": "Tool-User", "Prompted-Agent": "Prompted-Tools"}

FUNCTIONS = """
from pathlib import Path


def write_file(path: str, content: str) -> str:
    "Write a file."
    Path(path).write_text(content)
    return "written"


def read_file(path: str) -> str:
    "Read a file."
    return Path(path).read_text()
"""


@pytest.fixture(scope="module")
def commands() -> Path:
    """Where the frameworks' commands are."""
    return frameworks()


@pytest.mark.parametrize("bot", TOOL_BOTS.values())
def test_langchain(desk: Desk, commands: Path, bot: str) -> None:
    """LangChain's standard tests of a chat model all pass."""
    # Neither our settings nor our fixtures: they need packages that are not there.
    options = [
        "-q",
        "--noconftest",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
        "--rootdir",
        str(desk.folder),
    ]
    # One loop for all: LangChain keeps one connection pool for all tests.
    options += ["-o", "asyncio_mode=auto", "-o", "asyncio_default_test_loop_scope=session"]
    command = [commands / "python", "-m", "pytest", *options, HERE / "langchain_chat.py"]
    said = desk.run(command, MODEL=bot)

    passed = int(said.splitlines()[-1].split(" passed")[0].split()[-1])
    assert passed >= 45


@each_bot
def test_pydantic_ai(desk: Desk, commands: Path, bot: str) -> None:
    """A pydantic-ai agent does the task and answers in forms."""
    script = HERE / "pydantic_ai_agent.py"

    desk.run([commands / "python", script], MODEL=bot, TOOL_MODEL=TOOL_BOTS[bot])


@each_bot
def test_openai_agents(desk: Desk, commands: Path, bot: str) -> None:
    """An agent of OpenAI's SDK for agents does the task."""
    desk.run([commands / "python", HERE / "openai_agents_loop.py"], MODEL=bot)


@pytest.fixture
def llm(desk: Desk, commands: Path) -> Callable[..., str]:
    """Runs llm, with one of the simulator's bots as its model."""
    settings = desk.home / "llm"
    settings.mkdir()
    (settings / "keys.json").write_text('{"poe": "any-key"}')

    def run(bot: str, *words: str) -> str:
        model = {
            "model_id": "poe",
            "model_name": bot,
            "api_base": desk.base_url,
            "api_key_name": "poe",
            "supports_tools": True,
            "supports_schema": True,
        }
        # YAML that is JSON is YAML all the same.
        (settings / "extra-openai-models.yaml").write_text(json.dumps([model]))
        return desk.run(
            [commands / "llm", "prompt", "-m", "poe", *words], LLM_USER_PATH=str(settings)
        )

    return run


@each_bot
@pytest.mark.parametrize("way", [[], ["--no-stream"]], ids=["streamed", "whole"])
def test_llm(
    desk: Desk,
    check_done: Callable[[str], None],
    llm: Callable[..., str],
    bot: str,
    way: list[str],
) -> None:
    """On a command line, llm does the task with functions from a file."""
    functions = desk.folder / "functions.py"
    functions.write_text(FUNCTIONS)

    check_done(llm(bot, *way, "--functions", str(functions), TASK))


def test_llm_schema(llm: Callable[..., str]) -> None:
    """A form that llm asks for is given also by a bot that wraps its JSON in words."""
    got = json.loads(llm("Json-Writer", "--schema", "name, age int", 'A dog called "Rex", 3.'))

    assert {"name": "Rex", "age": 3} == got
