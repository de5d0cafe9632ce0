"""Spellings of paths."""

from __future__ import annotations

import pytest

from poeflask.web.paths import canonical, google_path, versioned_words

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
        ("/v1/models/", "/v1/models"),
        ("/chat//completions//", "/v1/chat/completions"),
        ("/v1/", "/v1/"),
        ("/modelsx/", "/modelsx/"),
        ("/modelsx", "/modelsx"),
        ("/v1x/v1/models", "/v1x/v1/models"),
        ("/", "/"),
        ("", ""),
        ("*", "*"),
        ("/healthz", "/healthz"),
    ],
)
def test_spellings_of_one_route(written: str, meant: str) -> None:
    """Doubled slashes, one at the end, a doubled /v1 and a missing /v1 are all the same route."""
    assert meant == canonical(written, WORDS)


def test_words_behind_the_version_come_from_the_routes() -> None:
    """A new route needs no second list."""
    assert WORDS == versioned_words(["/v1/chat/completions", "/v1/models/<name>", "/healthz"])


@pytest.mark.parametrize(
    ("path", "environ", "meant"),
    [
        ("/v1/models", {"HTTP_X_GOOG_API_KEY": "k"}, "/v1beta/models"),
        ("/v1/models/Echo", {"HTTP_X_GOOG_API_CLIENT": "genai"}, "/v1beta/models/Echo"),
        ("/v1/models/a/v1", {"QUERY_STRING": "key=k"}, "/v1beta/models/a/v1"),
        ("/v1/models", {"QUERY_STRING": "pageSize=5&key=k"}, "/v1beta/models"),
        ("/v1/models", {"QUERY_STRING": "monkey=k"}, "/v1/models"),
        ("/v1/models", {"HTTP_AUTHORIZATION": "Bearer k"}, "/v1/models"),
        ("/v1/modelsx", {"HTTP_X_GOOG_API_KEY": "k"}, "/v1/modelsx"),
        ("/v1/chat/completions", {"HTTP_X_GOOG_API_KEY": "k"}, "/v1/chat/completions"),
    ],
)
def test_google_s_clients_find_their_models_under_v1(
    path: str, environ: dict[str, str], meant: str
) -> None:
    """The key's place tells whose client asks; nothing but the models is shared."""
    assert meant == google_path(path, environ)
