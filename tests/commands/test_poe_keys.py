"""How the owner's keys are, in the terminal; tests/live/test_upstream.py shows the rest."""

from click.testing import CliRunner

from poeflask.cli import main
from poeflask.commands.poe_keys import table
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
    lines = table(
        [
            status(balance=Balance(points=1234567), weight=3, sent_last_minute=12),
            status(name="second", state="no_points", until_s=1_790_000_000.0),
        ]
    )

    assert [
        "name    state      until (UTC)     weight  sent/min  points     fingerprint",
        "first   ok                         3       12        1,234,567  0123456789abcdef",
        "second  no points  09-21 14:13:20  1       0         unknown    0123456789abcdef",
    ] == lines


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
