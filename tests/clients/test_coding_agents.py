"""Coding agents that people use create a file and read it back, with native and prompted tools."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.conftest import TASK, Desk
from tests.clients.installed import INSTALL_S, agents

pytestmark = [pytest.mark.clients, pytest.mark.timeout(INSTALL_S + 100)]
each_bot = pytest.mark.parametrize("bot", ["Agent", "Prompted-Agent"])


@pytest.fixture(scope="module")
def commands() -> Path:
    """Where the agents' commands are."""
    return agents().commands


@pytest.mark.parametrize(
    ("package", "bot"),
    [
        ("openai-compatible", "Agent"),
        ("openai-compatible", "Prompted-Agent"),
        ("openai", "Prompted-Agent"),
        ("anthropic", "Agent"),
    ],
)
def test_opencode(
    desk: Desk, check_done: Callable[[str], None], commands: Path, package: str, bot: str
) -> None:
    """opencode, over the AI SDK's packages for chat completions, responses and messages."""
    provider = {
        "npm": f"@ai-sdk/{package}",
        "options": {"baseURL": desk.base_url, "apiKey": "any-key"},
        "models": {bot: {}},
    }
    settings = {
        "provider": {"poe": provider},
        "model": f"poe/{bot}",
        "small_model": f"poe/{bot}",
        "permission": {"edit": "allow", "bash": "allow"},
        "autoupdate": False,
        "share": "disabled",
    }
    (desk.folder / "opencode.json").write_text(json.dumps(settings))

    check_done(desk.run([commands / "opencode", "run", TASK], OPENCODE_DISABLE_MODELS_FETCH="1"))


@each_bot
def test_cline(desk: Desk, check_done: Callable[[str], None], commands: Path, bot: str) -> None:
    """cline, configured by its own command."""
    cline = commands / "cline"
    desk.run([cline, "auth", "-p", "openai", "-k", "any-key", "-b", desk.base_url, "-m", bot])

    check_done(desk.run([cline, "-P", "openai", "-m", bot, TASK]))


@each_bot
@pytest.mark.parametrize("api", ["openai-completions", "openai-responses", "anthropic-messages"])
def test_pi(
    desk: Desk, check_done: Callable[[str], None], commands: Path, api: str, bot: str
) -> None:
    """pi, over its clients of chat completions, responses and messages."""
    provider = {
        "baseUrl": desk.live.url if api == "anthropic-messages" else desk.base_url,
        "api": api,
        "apiKey": "any-key",
        "models": [{"id": bot}],
    }
    settings = desk.home / ".pi" / "agent" / "models.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"providers": {"poe": provider}}))

    check_done(
        desk.run([commands / "pi", "--provider", "poe", "--model", bot, "-p", TASK], PI_OFFLINE="1")
    )


@each_bot
def test_codex(desk: Desk, check_done: Callable[[str], None], commands: Path, bot: str) -> None:
    """codex, over responses: its tools are a shell's, some in namespaces and some of free text."""
    settings = desk.home / ".codex" / "config.toml"
    settings.parent.mkdir()
    settings.write_text(
        f"""
        model = "{bot}"
        model_provider = "poeflask"
        [model_providers.poeflask]
        name = "poeflask"
        base_url = "{desk.base_url}"
        env_key = "OPENAI_API_KEY"
        wire_api = "responses"
        """
    )
    # The test's own folder is all the sandbox there is.
    freely = ["--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]

    check_done(desk.run([commands / "codex", "exec", *freely, TASK]))
