"""Keys in headers."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import Headers

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.web.auth import key_for_google, key_of, key_or_local


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer k-1"},
        {"Authorization": "bearer   k-1 "},
        {"x-api-key": "k-1"},
        {"xi-api-key": "k-1"},
        {"x-api-key": "k-1", "xi-api-key": "other"},
        {"Authorization": "Bearer", "x-api-key": "k-1"},
        {"Authorization": "Bearer k-1", "x-api-key": "other"},
    ],
)
def test_a_key_is_found_in_either_header(headers: dict[str, str]) -> None:
    """Both families of clients are understood on every route."""
    assert "k-1" == key_of(Headers(headers))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic canary"},
        {"Authorization": "canary"},
        {"Authorization": "Bearer canary canary"},
        {"Authorization": "Bearer canary\x0bX: canary"},
        {"Authorization": "Bearer canaryé"},
        {"x-api-key": "canary" * 100},
    ],
)
def test_no_key_is_refused_without_repeating_it(headers: dict[str, str]) -> None:
    """The sentence says how to send a key and never what was sent as one."""
    with pytest.raises(ClientError) as caught:
        key_of(Headers(headers))

    assert ErrorKind.UNAUTHENTICATED == caught.value.kind
    assert "Authorization: Bearer <key>" in caught.value.message
    assert "canary" not in caught.value.message


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"x-goog-api-key": "k-1"}, {}),
        ({}, {"key": "k-1"}),
        ({"x-goog-api-key": "k-1", "Authorization": "Bearer other"}, {"key": "another"}),
        ({"Authorization": "Bearer k-1"}, {}),
        ({"x-api-key": "k-1"}, {"key": " "}),
    ],
)
def test_google_s_clients_have_their_own_places(
    headers: dict[str, str], query: dict[str, str]
) -> None:
    """Their header, then the query, then everybody else's headers."""
    assert "k-1" == key_for_google(Headers(headers), query)


@pytest.mark.parametrize("key", ["", "canary canary", "canaryé", "canary" * 100])
def test_google_s_places_are_no_less_strict(key: str) -> None:
    """A key from the query is checked as any other and not repeated."""
    with pytest.raises(ClientError) as caught:
        key_for_google(Headers(), {"key": key})

    assert ErrorKind.UNAUTHENTICATED == caught.value.kind
    assert "canary" not in caught.value.message


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "http://localhost:3000",
        "http://127.0.0.1",
        "https://[::1]:8443",
        "app://obsidian.md",
        "tauri://localhost",
        "vscode-webview://abc",
    ],
)
def test_a_local_key_stands_in_for_none(origin: str | None) -> None:
    """For programs and pages of this machine; a key of their own wins."""
    headers = {"Origin": origin} if origin else {}

    assert "mine" == key_or_local(Headers(headers), "mine")
    assert "mine" == key_or_local(Headers({**headers, "Authorization": "Bearer "}), "mine")
    assert "k-1" == key_or_local(Headers({**headers, "Authorization": "Bearer k-1"}), "mine")


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://evil.example:11434",
        "null",
        "http://[",
        "localhost",
    ],
)
def test_a_foreign_page_does_not_get_the_local_key(origin: str) -> None:
    """Else every page that a person opens could spend that person's points."""
    with pytest.raises(ClientError) as caught:
        key_or_local(Headers({"Origin": origin}), "canary")

    assert ErrorKind.UNAUTHENTICATED == caught.value.kind
    assert "canary" not in caught.value.message
    assert "k-1" == key_or_local(Headers({"Origin": origin, "x-api-key": "k-1"}), "canary")


def test_without_a_local_key_the_setting_is_named() -> None:
    """The sentence tells both ways out; a wrong key is told as such."""
    with pytest.raises(ClientError, match="POEFLASK_LOCAL_KEY"):
        key_or_local(Headers(), "")
    with pytest.raises(ClientError, match="another scheme"):
        key_or_local(Headers({"Authorization": "Basic abc"}), "mine")
