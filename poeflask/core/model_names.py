"""The names that other APIs give to models, as names of bots.

Clients of Anthropic's and OpenAI's APIs write "claude-sonnet-4-5-20250929", "gpt-4o-2024-08-06" or
"anthropic/claude-3-5-haiku-latest"; Poe calls the same "Claude-Sonnet-4.5", "GPT-4o" and
"Claude-Haiku-3.5". Dates, vendors, marks behind the name, dots and dashes make no difference.

A name of Anthropic's whose model is not listed means the newest listed one of its family, since
Claude's own clients insist on names for small tasks that cannot be configured away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

Version = tuple[int, ...]

_FAMILIES = ("sonnet", "opus", "haiku")
"""Claude's families, best stand-in for an unknown one first."""

_VENDOR = re.compile(
    r"^(?:[\w.-]+/)*(?:(?:[a-z]{2,6}\.)?(?:anthropic|openai|google|meta|amazon)\.)?"
)
_BEHIND = re.compile(r"(?:\[[^\]]*\]|@\d{8}|-\d{8}|-\d{4}-\d{2}-\d{2}|-latest|@latest|-v\d+:\d+)$")
_SEPARATORS = re.compile(r"[-._\s]+")
_MAX_CHARS = 256


class ModelNames:
    """Finds the bot that a model's name means, among those listed.

    Args:
        listed: the bots' names as Poe spells them.
    """

    def __init__(self, listed: Iterable[str]) -> None:
        self._by_words: dict[str, str] = {}
        self._claudes: dict[str, dict[Version, str]] = {}
        for handle in listed:
            words = _words(handle.lower())
            self._by_words.setdefault("-".join(words), handle)
            claude = _claude(words)
            if claude is not None and claude.version:
                self._claudes.setdefault(claude.family, {}).setdefault(claude.version, handle)

    def find(self, name: str) -> str | None:
        """The listed name that this one means, or None if it means nothing that is listed."""
        if len(name) > _MAX_CHARS:
            return None
        words = _words(_bare(name.lower()))
        found = self._by_words.get("-".join(words))
        # Poe's own names begin with a capital: who writes one means that bot and no other.
        if found is not None or name[:1].isupper():
            return found
        claude = _claude(words)
        return None if claude is None else self._claude_like(claude)

    def _claude_like(self, wanted: _Claude) -> str | None:
        """The Claude of that version; else the newest of its family, or of the best family."""
        for family in (wanted.family, *_FAMILIES):
            versions = self._claudes.get(family)
            if versions:
                exact = versions.get(wanted.version) if family == wanted.family else None
                return exact or versions[max(versions)]
        return None


@dataclass(frozen=True, slots=True)
class _Claude:
    family: str
    version: Version


def _claude(words: list[str]) -> _Claude | None:
    """What "claude", at most one family and a version say, in any order; None if more is said."""
    if words[:1] != ["claude"]:
        return None
    numbers = tuple(int(word) for word in words if word.isdecimal() and len(word) <= 2)
    others = [word for word in words[1:] if not word.isdecimal()]
    if len(others) > 1 or not (numbers or (others and others[0] in _FAMILIES)):
        return None
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers = numbers[:-1]
    return _Claude(others[0] if others else "", numbers)


def _bare(name: str) -> str:
    """The name without vendor, date and marks."""
    name = _VENDOR.sub("", name.strip())
    shorter = _BEHIND.sub("", name)
    while shorter != name:
        name, shorter = shorter, _BEHIND.sub("", shorter)
    return name


def _words(name: str) -> list[str]:
    return [word for word in _SEPARATORS.split(name) if word]
