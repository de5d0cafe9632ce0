"""What kind of program asks: a short name made of a User-Agent, safe to keep and to show. Pure."""

from __future__ import annotations

import re

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")

_WITHIN = (
    *("cursor", "obsidian", "cherrystudio", "chatbox", "jan", "librechat", "vscode", "electron"),
    *("firefox", "edg", "chrome", "safari"),
)
"""Programs that call themselves Mozilla first and say who they are further on; the first wins."""

_SHOWN = {"edg": "edge"}


def client_name(user_agent: str) -> str:
    """The program's short name, such as "openai-python" or "curl"; "" if it does not say one.

    The official SDKs name themselves `OpenAI/Python 3.50.0`: library, then language.
    """
    said = user_agent[:400].lower().strip()
    if said.startswith("mozilla/"):
        within = next((name for name in _WITHIN if f" {name}/" in said), "browser")
        return _SHOWN.get(within, within)
    library, _, rest = said.partition("/")
    language = rest.split(" ", 1)[0]
    if language.isalpha():
        library = f"{library.removeprefix('async')}-{language}"
    first = library.split(" ", 1)[0]
    return first if _NAME.fullmatch(first) else ("other" if said else "")
