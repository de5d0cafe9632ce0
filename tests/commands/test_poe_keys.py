"""How the owner's keys are, in the terminal; tests/live/test_upstream.py shows the rest."""

import json

from click.testing import CliRunner

from poeflask.cli import main
from poeflask.commands.poe_keys import records, row
from poeflask.poe.balance import Balance
from poeflask.poe.keys import KeyStatus


def status(**fields):
    """A key that is well, but for these fields."""
    well = {
        "name": "first",
        "fingerprint": "0123456789abcdef",
        "weight": 1,
        "state": "ok",
        "until_s": None,
        "in_flight": 0,
        "sent_last_minute": 0,
        "balance": None,
    }
    return KeyStatus(**{**well, **fields})


def test_each_key_is_a_line():
    """State and its end, weight, work and points; what is not known is said to be."""
    keys = [
        status(balance=Balance(points=1234567), weight=3, sent_last_minute=12),
        status(name="second", state="no_points", until_s=1_790_000_000.0),
    ]

    assert [
        ("first", "ok", "", "3", "12", "1,234,567", "0123456789abcdef"),
        ("second", "no points", "09-21 14:13:20", "1", "0", "unknown", "0123456789abcdef"),
    ] == [row(key) for key in keys]


def test_programs_read_the_same(monkeypatch, tmp_path):
    """As JSON, or with tabs between; no key is told."""
    monkeypatch.setenv("POE_API_KEYS", "a:secret*2")
    monkeypatch.setenv("CONFIG_DIR", str(tmp_path))
    plain = CliRunner().invoke(main, ["poe-keys", "--offline"]).stdout
    told = CliRunner().invoke(main, ["poe-keys", "--offline", "--json"]).stdout
    (key,) = json.loads(told)

    assert ["a", "ok", "", "2", "0", "unknown"] == plain.splitlines()[1].split("\t")[:6]
    assert ("a", "ok", None, 2, 0, None, None) == tuple(key.values())[:-1]
    assert "secret" not in plain + told


def test_points_are_told_with_the_moment_they_were_known():
    """Both as numbers."""
    known = status(balance=Balance(points=5), balance_s=7.5)

    assert [(5, 7.5)] == [(one["points"], one["points_told_s"]) for one in records([known])]


def test_without_keys_it_is_said_where_they_belong(monkeypatch):
    """No table without a line."""
    for name in ("POE_API_KEYS", "POE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    got = CliRunner().invoke(main, ["poe-keys"])

    assert 1 == got.exit_code
    assert "POE_API_KEYS" in got.output


def test_a_name_that_no_key_has_cannot_be_revived(monkeypatch, tmp_path):
    """And it is said so."""
    monkeypatch.setenv("POE_API_KEYS", "a:secret")
    monkeypatch.setenv("CONFIG_DIR", str(tmp_path))
    got = CliRunner().invoke(main, ["poe-keys", "--offline", "--revive", "b"])

    assert (1, True) == (got.exit_code, "'b'" in got.output)
    assert "secret" not in got.output
