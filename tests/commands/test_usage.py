"""What was asked and what it cost, in the terminal."""

from __future__ import annotations

import csv
import io
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from poeflask.cli import main
from poeflask.commands.usage import Line, bar, show
from poeflask.core.tally import Tally
from poeflask.stores.ledger import Ledger, LedgerBounds
from poeflask.stores.sqlite import SqliteStore
from tests.core.ledger_rows import ROW

DAY_S = 86_400


class Terminal(io.StringIO):
    """What a person looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The state of a service that was asked a few things."""
    store = SqliteStore(tmp_path / "store.db")
    ledger = Ledger(store, worker="w", bounds=LedgerBounds(), clock=time.time)
    for ago_s, changed in (
        (10, {"first_token_s": 0.2, "points": 3.0}),
        (20, {"outcome": "busy", "key_id": "key-2", "key_name": "Bob", "asked": "=1+1"}),
        (2 * DAY_S, {"bot": "Other", "prompt_tokens": 1000, "points": 2.0}),
        (50 * DAY_S, {"bot": "Ancient"}),
    ):
        time_s = time.time() - ago_s
        ledger.add(replace(ROW, id=ledger.new_id(time_s), time_s=time_s, **changed))  # type: ignore[arg-type]
    ledger.close()
    store.close()
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    """The command's result."""
    return CliRunner().invoke(main, ["usage", *arguments], env={"CONFIG_DIR": str(folder)})


def test_usage_is_summed_up_by_day(folder: Path) -> None:
    """Of the last thirty days; plain lines where nobody looks."""
    header, *lines = run(folder).output.splitlines()

    assert header.startswith("day\trequests\terrors\tprompt_tokens")
    assert [("1", "0"), ("2", "1")] == [tuple(line.split("\t")[1:3]) for line in lines]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("--by", "model"), ["Other", "Echo"]),
        (("--by", "model", "--since", "90d"), ["Other", "Echo", "Ancient"]),
        (("--by", "model", "--since", "12h"), ["Echo"]),
        (("--by", "model", "--since", "2001-01-01"), ["Other", "Echo", "Ancient"]),
        (("--by", "key"), ["Ann", "Bob"]),
        (("--by", "key", "--key", "Bob"), ["Bob"]),
        (("--by", "key", "--key", "key-1"), ["Ann"]),
        (("--by", "key", "--key", "nobody"), []),
    ],
)
def test_usage_is_summed_up_by_what_is_asked(
    folder: Path, arguments: tuple[str, ...], names: list[str]
) -> None:
    """The largest first."""
    _, *lines = run(folder, *arguments).output.splitlines()

    assert names == [line.split("\t")[0] for line in lines]


def test_programs_read_json(folder: Path) -> None:
    """All numbers under their names."""
    told = json.loads(run(folder, "--by", "key", "--json").output)

    assert ["Ann", "Bob"] == [line["key"] for line in told]
    assert (2, 0, 1009, 5.0, pytest.approx(0.2, rel=0.1)) == (
        told[0]["requests"],
        told[0]["errors"],
        told[0]["prompt_tokens"],
        told[0]["points"],
        told[0]["first_token_p50_s"],
    )
    assert None is told[1]["first_token_p50_s"]


def test_spreadsheets_read_csv(folder: Path) -> None:
    """One line for each hour in which something was asked."""
    rows = list(csv.DictReader(io.StringIO(run(folder, "--by", "hour", "--csv").output)))

    assert 3 == sum(int(row["requests"]) for row in rows)
    assert "5.0" == str(sum(float(row["points"]) for row in rows))


def test_all_rows_are_exported(folder: Path) -> None:
    """In each form, the newest first; in CSV no cell is a formula."""
    rows = list(csv.DictReader(io.StringIO(run(folder, "export").output)))
    lines = run(folder, "export", "--format", "ndjson").output.splitlines()
    array = json.loads(run(folder, "export", "--format", "json").output)

    assert 4 == len(rows) == len(lines) == len(array)
    assert [json.loads(line) for line in lines] == array
    assert ["Ann", "Bob", "Ann", "Ann"] == [row["key_name"] for row in rows]
    assert "'=1+1" == rows[1]["asked"]


def test_wanted_rows_are_exported(folder: Path) -> None:
    """By time, key, model and outcome."""

    def count(*arguments: str) -> int:
        return len(run(folder, "export", "--format", "ndjson", *arguments).output.splitlines())

    assert [1, 3, 1, 1, 0, 1, 1, 2] == [
        count("--outcome", "error"),
        count("--outcome", "ok"),
        count("--key", "key-2"),
        count("--key", "Bob"),
        count("--key", "nobody"),
        count("--model", "ancient"),
        count("--until", "40d"),
        count("--since", "1d"),
    ]


@pytest.mark.parametrize("when", ["soon", "7", "2026-13-01"])
def test_a_strange_time_is_refused(folder: Path, when: str) -> None:
    """With the forms that are right."""
    told = run(folder, "--since", when)

    assert 2 == told.exit_code
    assert "12h or 7d" in " ".join(told.output.split())


def test_a_person_sees_bars() -> None:
    """And nothing of a name that a terminal would obey."""
    large = Line("=[red]x\x1b[31m", Tally(requests=2000, prompt_tokens=1000, points_estimated=12.0))
    small = Line("small", Tally(requests=1, prompt_tokens=500, outcomes={"ok": 1}))
    out = Terminal()
    show([large, small], "key", out)
    text = out.getvalue()

    assert "█" * 14 in text
    assert "2,000" in text
    assert "~12" in text
    assert "=[red]x [31m" in text


def test_nothing_is_told_as_such() -> None:
    """Rather than an empty table."""
    out = Terminal()
    show([], "day", out)

    assert "Nothing was asked in that time.\n" == out.getvalue()


@pytest.mark.parametrize(
    ("number", "most", "drawn"),
    [(0, 0, ""), (0, 9, ""), (9, 9, "█" * 14), (1, 2, "█" * 7), (1, 112, "▏"), (9, 112, "█▏")],
)
def test_a_bar_is_as_long_as_its_number(number: int, most: int, drawn: str) -> None:
    """Beside the largest."""
    assert drawn == bar(number, most)


def test_settings_that_make_no_sense_are_told() -> None:
    """As everywhere."""
    told = CliRunner().invoke(main, ["usage"], env={"PORT": "many"})

    assert 1 == told.exit_code
    assert "PORT" in told.output


def test_a_store_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """In its own words."""
    (tmp_path / "file").write_text("")
    told = run(tmp_path / "file")

    assert 1 == told.exit_code
    assert "store.db" in told.output
