"""The list of requests, a request in detail, files of them, and recordings."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, cast

import pytest

from poeflask.admin.pages.request_list import DIALECTS, Chosen, chosen_by, in_pieces
from poeflask.core.ledger_row import LedgerRow, RowFilter
from poeflask.stores.ledger import Ledger
from poeflask.stores.recordings import Recording
from poeflask.web.services import Services
from tests.admin.conftest import Visitor, app_with

HOSTILE = "<script>alert(1)</script>"


def services_of(visitor: Visitor) -> Services:
    """What the app's views work with."""
    return cast("Services", visitor.app.extensions["poeflask"])


def ledger_of(visitor: Visitor) -> Ledger:
    """The app's ledger."""
    ledger = services_of(visitor).metering.ledger
    assert ledger is not None
    return ledger


def add(visitor: Visitor, *, ago_s: float = 0.0, **more: Any) -> LedgerRow:
    """A row in the app's ledger."""
    ledger = ledger_of(visitor)
    time_s = services_of(visitor).clock() - ago_s
    told = {"key_id": "k1", "key_name": "Anna", "asked": "Echo", "bot": "Echo", "dialect": "chat"}
    row = LedgerRow(id=ledger.new_id(time_s), time_s=time_s, request_id="req_1", **{**told, **more})
    ledger.add(row)
    ledger.flush()
    return row


@pytest.fixture
def full(admin: Visitor) -> Visitor:
    """An owner with requests of several kinds."""
    add(admin, bot="Echo", ago_s=3)
    add(admin, bot="Counter", outcome="busy", ago_s=2)
    add(admin, bot="Mirror", key_id="k2", key_name="Ben", dialect="messages", ago_s=1)
    add(admin, bot="Old", ago_s=2 * 86_400)
    return admin


def shown(visitor: Visitor, query: dict[str, str]) -> list[str]:
    """The bots of the rows that a query leaves, as the file tells them."""
    text = visitor.get("requests/export.json", query_string=query).text
    return [row["bot"] for row in json.loads(text)]


@pytest.mark.parametrize(
    ("query", "bots"),
    [
        ({}, ["Mirror", "Counter", "Echo", "Old"]),
        ({"since": "24h"}, ["Mirror", "Counter", "Echo"]),
        ({"key": "k2"}, ["Mirror"]),
        ({"model": "echo", "since": "1h"}, ["Mirror", "Counter", "Echo"]),
        ({"model": "counter"}, ["Counter"]),
        ({"outcome": "error"}, ["Counter"]),
        ({"outcome": "ok", "since": "7d"}, ["Mirror", "Echo", "Old"]),
        ({"dialect": "messages"}, ["Mirror"]),
        (
            {"outcome": "nonsense", "dialect": "<b>", "since": "x"},
            ["Mirror", "Counter", "Echo", "Old"],
        ),
        ({"key": "nobody"}, []),
    ],
)
def test_rows_are_chosen(full: Visitor, query: dict[str, str], bots: list[str]) -> None:
    """The page and the file show the same; the newest first."""
    page = full.get("requests", query_string=query).text

    assert bots == shown(full, query)
    assert len(bots) == page.count("/admin/requests/row/")


def test_pages_follow_each_other(admin: Visitor) -> None:
    """Each row is on one of them."""
    ids = [add(admin, ago_s=float(number)).id for number in range(60)]
    first = admin.get("requests").text
    found = [row_id for row_id in ids if row_id in first]
    place = first.partition("after=")[2].partition('"')[0]
    second = admin.get("requests", query_string={"after": place}).text
    rest = [row_id for row_id in ids if f"row/{row_id}" in second]

    assert ids[:50] == found
    assert ids[50:] == rest
    assert "Newest" in second
    assert "after=" not in second


def test_names_are_text(admin: Visitor) -> None:
    """Whatever a client calls itself, a model or a key."""
    row = add(admin, bot=HOSTILE, asked=HOSTILE, key_name=HOSTILE, client=HOSTILE)
    pages = [admin.get("requests").text, admin.get(f"requests/row/{row.id}").text]

    assert all(HOSTILE not in text and "&lt;script&gt;alert" in text for text in pages)


def test_a_request_is_shown_with_all_that_is_known(admin: Visitor) -> None:
    """And with the id to look for in the log."""
    row = add(admin, client="curl", completion_tokens=77, points=1.5, points_estimated=True)
    text = admin.get(f"requests/row/{row.id}").text

    assert all(word in text for word in ("req_1", "curl", "77", "1.50", "(estimated)"))
    assert "No text is kept: this key is not recorded." in text


@pytest.mark.parametrize("row_id", ["1", "x" * 500, "..%2F..%2Fsecret"])
def test_a_request_that_is_not_there_is_told(admin: Visitor, row_id: str) -> None:
    """Whatever its id."""
    response = admin.get(f"requests/row/{row_id}")

    assert 404 == response.status_code


def test_no_cell_of_the_csv_is_a_formula(admin: Visitor) -> None:
    """And the file has every column."""
    add(admin, bot='=HYPERLINK("http://evil.example")', key_name="@SUM(1)")
    response = admin.get("requests/export.csv")
    (row,) = csv.DictReader(io.StringIO(response.text, newline=""))

    assert "attachment" in response.headers["Content-Disposition"]
    assert response.mimetype == "text/csv"
    assert '\'=HYPERLINK("http://evil.example")' == row["bot"]
    assert "'@SUM(1)" == row["key_name"]


def test_a_file_of_nothing_is_one() -> None:
    """A line of names, and an empty list."""
    visitor = Visitor(app_with()).log_in()

    assert visitor.get("requests/export.csv").text.startswith("time,id,")
    assert [] == visitor.get("requests/export.json").json
    assert 404 == visitor.get("requests/export.exe").status_code


def test_lines_are_joined_as_they_are_read() -> None:
    """Nothing is read before it is wanted, and nothing is lost."""
    read = 0

    def lines() -> Iterator[str]:
        nonlocal read
        for number in range(1, 251):
            read = number
            yield f"{number}\n"

    pieces = in_pieces(lines())
    first = next(pieces)

    assert 100 == read
    assert [str(number) for number in range(1, 251)] == (first + "".join(pieces)).split()


def test_recording_is_switched_for_one_key(full: Visitor) -> None:
    """On, and off again."""
    recordings = services_of(full).metering.recordings
    response = full.post("requests/recording", key="k1", on="1")

    assert 303 == response.status_code
    assert {"k1"} == recordings.switched_on()
    assert "recorded" in full.get("requests", query_string={"key": "k1"}).text
    full.post("requests/recording", key="k1")
    assert set() == recordings.switched_on()


def test_what_was_recorded_is_shown_and_deleted(full: Visitor) -> None:
    """As text, and only that key's is deleted."""
    recordings = services_of(full).metering.recordings
    rows = {key: add(full, key_id=key) for key in ("k1", "k2")}
    for key, row in rows.items():
        recordings.keep(
            Recording(
                row_id=row.id,
                time_s=row.time_s,
                key_id=key,
                key_name=key,
                bot="Echo",
                outcome="ok",
                prompt=HOSTILE,
                answer="the answer",
            )
        )
    text = full.get(f"requests/row/{rows['k1'].id}").text
    full.post("requests/recordings/delete", key="k1")

    assert "the answer" in text
    assert HOSTILE not in text
    assert "the answer" not in full.get(f"requests/row/{rows['k1'].id}").text
    assert "the answer" in full.get(f"requests/row/{rows['k2'].id}").text


@pytest.mark.parametrize("key", ["", "a/b", "k" * 65, "k 1", "é"])
def test_what_is_no_key_is_not_recorded(full: Visitor, key: str) -> None:
    """Nor is anything of it deleted."""
    assert 422 == full.post("requests/recording", key=key, on="1").status_code
    assert 422 == full.post("requests/recordings/delete", key=key).status_code


def test_without_a_ledger_the_page_says_so() -> None:
    """And nothing of it fails in another way."""
    visitor = Visitor(app_with(ledger="off")).log_in()

    assert "POEFLASK_LEDGER=off" in visitor.get("requests").text
    assert {404} == {
        visitor.get(f"requests/{path}").status_code for path in ("rows", "export.csv", "row/1")
    }


def test_the_address_says_what_is_wanted() -> None:
    """What it cannot mean asks for nothing; what is left empty is not in the next address."""
    chosen = chosen_by({"model": " Echo ", "outcome": "x", "since": "1h", "after": "9"})

    assert Chosen("", "Echo", "", "", "1h") == chosen
    assert RowFilter(since_s=6400.0, model="Echo") == chosen.wanted(10_000.0)
    assert {"model": "Echo", "since": "1h", "after": "7"} == chosen.query(after="7")


def test_every_api_that_asks_bots_can_be_chosen(admin: Visitor) -> None:
    """By the name that its rows have."""
    assert set() == set(DIALECTS) - set(admin.app.blueprints)
