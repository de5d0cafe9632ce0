"""Keys in headers."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import Headers

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.web.auth import key_of, owner_of


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


def test_an_owner_is_known_by_the_key_and_the_key_not_by_the_owner() -> None:
    """One key, one owner; nothing of the key can be read in the name."""
    owner = owner_of("canary-1")

    assert owner == owner_of("canary-1") != owner_of("canary-2")
    assert owner.isalnum()
    assert "canary" not in owner
