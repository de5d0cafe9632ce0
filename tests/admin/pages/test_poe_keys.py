"""The owner's Poe keys are told of by name and state; the keys themselves never are."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.admin.pages.poe_keys import row
from poeflask.poe.balance import Balance
from poeflask.poe.keys import KeyStatus
from poeflask.setting_values import KeyOfPoe
from tests.admin.conftest import Visitor, app_with

HOSTILE = "<script>alert(1)</script>"
KEYS = (KeyOfPoe("home", "sk-canary-1", 2), KeyOfPoe(HOSTILE, "sk-canary-2", 1))


@pytest.fixture
def owner() -> Visitor:
    """The owner of two keys, whose Poe is away."""
    return Visitor(app_with(poe_api_keys=KEYS, simulator="off")).log_in()


def note(visitor: Visitor, name: str, state: str, for_s: float = 60.0) -> None:
    """Let a key be in a state, as any worker may find it."""
    pool = visitor.app.extensions["poeflask"].poe_keys
    (mark,) = (one.fingerprint for one in pool.status() if one.name == name)
    pool._put(mark, state, for_s)


def test_the_page_comes_without_asking_poe(owner: Visitor) -> None:
    """What it asks follows in a part of its own."""
    text = owner.get("poe-keys").text

    assert "Asking Poe" in text
    assert 'hx-get="/admin/poe-keys/rows" hx-trigger="load' in text
    assert "Poe did not tell" in owner.get("poe-keys/rows").text


def test_no_key_is_shown_and_names_are_text(owner: Visitor) -> None:
    """Nor a part of a key."""
    for page in ("poe-keys", "poe-keys/rows"):
        text = owner.get(page).text

        assert "canary" not in text
        assert HOSTILE not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("cooling", "resting"),
        ("no_points", "out of points"),
        ("dead", "refused by Poe"),
    ],
)
def test_a_key_that_rests_is_told_of_and_revived(owner: Visitor, state: str, words: str) -> None:
    """In plain words; afterwards it works again."""
    note(owner, HOSTILE, state)
    before = owner.get("poe-keys/rows").text
    after = owner.post("poe-keys/revive", name=HOSTILE).text

    assert words in before
    assert 1 == before.count("Use again")
    assert words not in after
    assert "Use again" not in after


def test_a_name_that_is_none_revives_nothing(owner: Visitor) -> None:
    """And is no fault."""
    note(owner, "home", "dead")

    assert "refused by Poe" in owner.post("poe-keys/revive", name="sk-canary-1").text


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"simulator": "off"}, "Callers pay with Poe keys that they bring themselves."),
        ({"simulator": "on"}, "the simulator answers them"),
        ({"keys": "keys"}, "nothing pays for those yet"),
    ],
)
def test_without_keys_it_says_who_pays(settings: dict[str, Any], words: str) -> None:
    """And how keys are added."""
    text = Visitor(app_with(**settings)).log_in().get("poe-keys").text

    assert words in text
    assert "POE_API_KEYS_FILE=" in text


def test_a_row_tells_points_and_when_they_were_told() -> None:
    """And when new ones come."""
    status = KeyStatus(
        name="home",
        fingerprint="0a",
        weight=1,
        state="ok",
        until_s=None,
        in_flight=3,
        sent_last_minute=7,
        balance=Balance(points=5, next_grant_s=20.0),
        balance_s=10.0,
    )
    got = row(status)

    assert (5, 10.0, 20.0, "good") == (got.points, got.balance_s, got.grant_s, got.look)
