"""What kind of program asks."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.client_names import client_name


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("OpenAI/Python 3.50.0", "openai-python"),
        ("AsyncOpenAI/Python 3.50.0", "openai-python"),
        ("OpenAI/JS 6.1.0", "openai-js"),
        ("Anthropic/Python 2.12.0", "anthropic-python"),
        ("claude-cli/2.0.1 (external, cli)", "claude-cli"),
        ("codex_cli_rs/0.40.0 (Linux 6.1)", "codex_cli_rs"),
        ("curl/8.5.0", "curl"),
        ("python-requests/2.32.3", "python-requests"),
        ("Mozilla/5.0 (X11; Linux) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "chrome"),
        ("Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "edge"),
        ("Mozilla/5.0 (Macintosh) Cursor/1.2 Chrome/130.0 Electron/33.0", "cursor"),
        ("Mozilla/5.0 (compatible)", "browser"),
        ("", ""),
        ("=cmd|'/c calc'!A1", "other"),
        ("\x00\x1b[31m", "other"),
    ],
)
def test_a_program_has_a_short_name(user_agent: str, name: str) -> None:
    """Without versions, machines and what else it says of itself."""
    assert name == client_name(user_agent)


@given(st.text(max_size=500))
def test_every_name_can_be_kept_and_shown(user_agent: str) -> None:
    """Short, and of harmless letters only, whatever a client sends."""
    assert re.fullmatch(r"[a-z0-9._-]{0,32}", client_name(user_agent), re.ASCII)
