"""Spellings of paths."""

from __future__ import annotations

import pytest

from poeflask.web.paths import canonical, versioned_words

WORDS = frozenset({"chat", "models"})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/chat/completions", "/v1/chat/completions"),
        ("//v1/chat/completions", "/v1/chat/completions"),
        ("//chat//completions", "/v1/chat/completions"),
        ("/v1/v1/chat/completions", "/v1/chat/completions"),
        ("/v1//v1/models/a/b", "/v1/models/a/b"),
        ("/models", "/v1/models"),
        ("/modelsx", "/modelsx"),
        ("/v1x/v1/models", "/v1x/v1/models"),
        ("/", "/"),
        ("", ""),
        ("*", "*"),
        ("/healthz", "/healthz"),
    ],
)
def test_spellings_of_one_route(written: str, meant: str) -> None:
    """Doubled slashes, a doubled /v1 and a missing /v1 are all the same route."""
    assert meant == canonical(written, WORDS)


def test_words_behind_the_version_come_from_the_routes() -> None:
    """A new route needs no second list."""
    assert WORDS == versioned_words(["/v1/chat/completions", "/v1/models/<name>", "/healthz"])
