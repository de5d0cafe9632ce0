"""Poe keys: how the owner's keys of Poe's are, and their points. The keys are never shown.

The points are asked of Poe, which takes its time: the page comes first, and they follow.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from flask import Blueprint, Response, request

from poeflask.admin import layout
from poeflask.admin.key_rows import moment
from poeflask.admin.parts import parts
from poeflask.poe.keys import KeyStatus
from poeflask.web.services import services

poe_keys = Blueprint("poe-keys", __name__)

Look = Literal["good", "warn", "bad"]

_STATES: dict[str, tuple[str, str, Look]] = {
    "ok": ("poe-keys.ok", "poe-keys.ok_means", "good"),
    "cooling": ("poe-keys.cooling", "poe-keys.cooling_means", "warn"),
    "no_points": ("poe-keys.no_points", "poe-keys.no_points_means", "warn"),
    "dead": ("poe-keys.dead", "poe-keys.dead_means", "bad"),
}


class PoeKeyRow(NamedTuple):
    """A key as the table shows it.

    Attributes:
        state: the name of the text for how it is.
        means: the name of the text that says what follows from that.
        until_s, balance_s, grant_s: moments in seconds since 1970; None if there is none.
        points: None if they are not known.
    """

    name: str
    state: str
    means: str
    look: Look
    until_s: float | None
    weight: int
    in_flight: int
    sent_last_minute: int
    points: int | None
    balance_s: float | None
    grant_s: float | None


@poe_keys.get("")
def show() -> Response:
    """The page; of points what is known already."""
    here = services()
    return layout.page(
        "admin/poe_keys.html",
        title="poe-keys.title",
        rows=_rows(with_balance=False),
        is_asked=False,
        callers=parts().settings.keys,
        simulates=bool(here.example_key) and not here.poe_keys,
        per_minute=parts().settings.poe_requests_per_minute,
        moment=moment,
    )


@poe_keys.get("/rows")
def show_rows() -> Response:
    """The keys with their points, after Poe was asked for those."""
    return _fragment()


@poe_keys.post("/revive")
def revive() -> Response:
    """Use a key again, whatever was wrong with it."""
    services().poe_keys.revive(request.form.get("name", ""))
    return _fragment()


def row(status: KeyStatus) -> PoeKeyRow:
    """A key as the table shows it."""
    state, means, look = _STATES[status.state]
    balance = status.balance
    return PoeKeyRow(
        name=status.name,
        state=state,
        means=means,
        look=look,
        until_s=status.until_s,
        weight=status.weight,
        in_flight=status.in_flight,
        sent_last_minute=status.sent_last_minute,
        points=None if balance is None else balance.points,
        balance_s=status.balance_s,
        grant_s=None if balance is None else balance.next_grant_s,
    )


def _fragment() -> Response:
    return layout.fragment(
        "admin/poe_key_rows.html",
        rows=_rows(with_balance=True),
        is_asked=True,
        per_minute=parts().settings.poe_requests_per_minute,
        moment=moment,
    )


def _rows(*, with_balance: bool) -> list[PoeKeyRow]:
    return [row(status) for status in services().poe_keys.status(with_balance=with_balance)]
