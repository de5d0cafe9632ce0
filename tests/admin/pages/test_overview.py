"""The overview's figures, and answers that can be stopped."""

from __future__ import annotations

from typing import cast

import pytest
from werkzeug.test import TestResponse

from poeflask.admin.figures import PERIODS
from poeflask.admin.pages.overview import read
from poeflask.core.ledger_row import LedgerRow
from poeflask.stores.base import Store, StoreUnavailable
from poeflask.stores.ledger import Ledger
from poeflask.web.live import Live
from poeflask.web.services import Services
from tests.admin.conftest import Visitor, app_with

SCRIPT = {"Accept": "application/json", "Sec-Fetch-Mode": "cors"}


def services_of(visitor: Visitor) -> Services:
    """What the app's views work with."""
    return cast("Services", visitor.app.extensions["poeflask"])


def ledger_of(visitor: Visitor) -> Ledger:
    """The app's ledger."""
    ledger = services_of(visitor).metering.ledger
    assert ledger is not None
    return ledger


def asked(visitor: Visitor, path: str) -> TestResponse:
    """What a script of the page gets."""
    return visitor.get(path, headers=SCRIPT)


class AwayStore:
    """A store that cannot be reached."""

    def __getattr__(self, name: str) -> object:
        def away(*_args: object, **_more: object) -> object:
            raise StoreUnavailable("it is away")

        return away


def put_away(visitor: Visitor) -> None:
    """Let the store of the live answers be away."""
    services_of(visitor).metering.live = Live(cast("Store", AwayStore()), worker="w")


@pytest.mark.parametrize("period", [*PERIODS, "", "1000y", "<b>"])
def test_a_request_is_counted_in_every_period(admin: Visitor, period: str) -> None:
    """What is no period is the usual one."""
    ledger = ledger_of(admin)
    now_s = services_of(admin).clock()
    ledger.add(
        LedgerRow(
            id=ledger.new_id(now_s),
            time_s=now_s,
            request_id="q",
            key_id="k",
            key_name="<b>Anna</b>",
            asked="Echo",
            bot="Echo",
            dialect="chat",
            prompt_tokens=3,
            completion_tokens=4,
        )
    )
    ledger.flush()
    told = admin.get("overview/figures", query_string={"period": period}, headers=SCRIPT).json

    assert (1, 3, 4) == tuple(
        told["totals"][name] for name in ("requests", "prompt_tokens", "completion_tokens")
    )
    assert "<b>Anna</b>" == told["keys"][0]["name"]
    assert 1 == sum(told["series"]["answered"])


@pytest.mark.parametrize("name", PERIODS)
def test_a_period_is_read_in_parts_that_meet(admin: Visitor, name: str) -> None:
    """No sum is read twice, and none is left out."""
    ledger, period, now_s = ledger_of(admin), PERIODS[name], services_of(admin).clock()
    starts = period.starts(now_s)
    for start_s in starts:
        time_s = float(start_s)
        ledger.add(
            LedgerRow(
                id=ledger.new_id(time_s),
                time_s=time_s,
                request_id="q",
                key_id="k",
                key_name="k",
                asked="Echo",
                bot="Echo",
                dialect="chat",
            )
        )
    ledger.flush()

    assert list(starts) == [found.start_s for found in read(ledger, period, now_s)]


def test_without_a_ledger_the_page_says_so() -> None:
    """Live answers are shown all the same."""
    visitor = Visitor(app_with(ledger="off")).log_in()
    text = visitor.get("overview").text

    assert "POEFLASK_LEDGER=off" in text
    assert 'id="live"' in text
    assert 'class="tiles"' not in text
    assert 404 == asked(visitor, "overview/figures").status_code
    assert [] == asked(visitor, "overview/live").json["answers"]


def test_the_page_tells_how_to_begin(admin: Visitor) -> None:
    """With the example key where it works."""
    assert "Authorization: Bearer demo" in admin.get("overview").text

    real = Visitor(app_with(simulator="off")).log_in()

    assert "Authorization: Bearer YOUR-KEY" in real.get("overview").text


def test_a_store_that_is_away_is_told(admin: Visitor) -> None:
    """As a sentence, so that the page can go on trying."""
    put_away(admin)
    response = asked(admin, "overview/live")

    assert 503 == response.status_code
    assert "The store cannot be reached." in response.json["error"]["message"]


def test_an_answer_that_is_none_can_be_stopped(admin: Visitor) -> None:
    """It may have ended a moment ago; then nothing happens."""
    assert 200 == admin.post("overview/live/w-1/stop").status_code
    assert {"stopped": 0} == admin.post("overview/live/stop").json


def test_stopping_needs_the_token(admin: Visitor) -> None:
    """Another site can stop nothing."""
    admin.csrf = "guessed"

    assert 403 == admin.post("overview/live/w-1/stop").status_code
    assert 403 == admin.post("overview/live/stop").status_code
