"""`poeflask keys`."""

import json
import time

import pytest
from click.testing import CliRunner

from poeflask import cli
from poeflask.settings import Settings
from poeflask.stores import open_store
from poeflask.stores.gates import counts, gates_of
from poeflask.stores.gateway_keys import GatewayKeys
from poeflask.stores.server_secret import SecretInFile


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run `poeflask keys` in a clean environment; what it gives is the result."""
    for row in Settings.describe():
        monkeypatch.delenv(row.variable, raising=False)
    monkeypatch.setenv("CONFIG_DIR", str(tmp_path))
    return lambda *arguments, **env: CliRunner().invoke(cli.main, ["keys", *arguments], env=env)


@pytest.fixture
def issued(run):
    """Issue a key; what is told of it, with the key itself."""
    return lambda *arguments: json.loads(run("issue", *arguments, "--json").stdout)


@pytest.fixture
def store(tmp_path):
    """The server's store."""
    made = open_store("sqlite", tmp_path)
    yield made
    made.close()


@pytest.fixture
def server(tmp_path, store):
    """The keys as the server sees them."""
    return GatewayKeys(store, SecretInFile(tmp_path / "secret"), monotonic=lambda: 0.0)


def test_a_key_is_shown_once(run, server):
    """Alone on standard output, so that a script can take it."""
    result = run("issue", "Anna")

    assert 0 == result.exit_code
    assert "Anna" == server.find(result.stdout.strip()).name
    assert "not shown again" in result.stderr
    assert result.stdout.strip() not in run("list").output + run("show", "Anna").output


def test_all_that_a_key_may_is_said_by_options(issued, server):
    """Under the names of its limits."""
    told = issued(
        *("Anna", "--expires", "2030-01-31", "--models", "Claude-*, @cheap", "--no-record"),
        *("--rpm", "1", "--tpm", "2", "--concurrent", "3", "--points-per-day", "4"),
        *("--points-per-month", "5", "--tokens-per-day", "6", "--tokens-per-month", "7"),
    )
    key = server.find(told["key"])

    assert {
        "requests_per_minute": 1,
        "tokens_per_minute": 2,
        "concurrent": 3,
        "points_per_day": 4,
        "points_per_month": 5,
        "tokens_per_day": 6,
        "tokens_per_month": 7,
    } == told["limits"]
    assert (("Claude-*", "@cheap"), 1_896_048_000.0, False) == (
        key.models,
        key.expires_s,
        key.recorded,
    )


@pytest.mark.parametrize(("text", "seconds"), [("90m", 5400), ("12h", 43_200), ("2w", 1_209_600)])
def test_an_end_may_be_told_from_now_on(issued, text, seconds):
    """In minutes, hours, days or weeks."""
    assert abs(issued("Anna", "--expires", text)["expires_s"] - time.time() - seconds) < 5


def test_keys_are_listed(run, issued):
    """As a table, or as JSON; those that do not work are told apart."""
    issued("Anna", "--rpm", "5")
    issued("Bert", "--expires", "0m")
    issued("Cleo")
    run("disable", "Cleo")
    lines = run("list").stdout.splitlines()

    assert ["id", "name", "key", "state", "expires", "models", "limits"] == lines[0].split()
    assert ["good", "expired", "disabled"] == [line.split()[3] for line in lines[1:]]
    assert "requests_per_minute=5" in lines[1]
    assert ["Anna", "Bert", "Cleo"] == [
        key["name"] for key in json.loads(run("list", "--json").stdout)
    ]


def test_a_key_is_shown_with_what_it_has_used(run, issued, server, store):
    """By its name or its id."""
    key_id = issued("Anna", "--tokens-per-day", "50", "--points-per-day", "9", "--concurrent", "2")[
        "id"
    ]
    now_s = time.time()
    gates = {gate.name: gate for gate in gates_of(server.get(key_id), now_s)}
    counts(store).take(
        [
            gates["tokens_per_day"].claim(20, None, now_s),
            gates["points_per_day"].claim(1500, None, now_s),
        ]
    )
    shown = run("show", key_id).stdout

    assert "20 of 50 used" in shown
    assert "1.5 of 9 used" in shown
    assert {"tokens_per_day": 20, "points_per_day": 1.5} == json.loads(
        run("show", "Anna", "--json").stdout
    )["used"]


def test_a_key_is_changed(run, issued, server):
    """What is not said stays; "none", "never" and "all" take away."""
    key = issued("Anna", "--rpm", "5", "--tpm", "6", "--models", "A", "--expires", "1d")
    result = run("change", "Anna", "--rpm", "none", "--models", "all", "--name", "Bea")
    run("change", "Bea", "--expires", "never")
    changed = server.get(key["id"])

    assert 0 == result.exit_code
    assert (None, 6, (), "Bea", None) == (
        changed.limits.requests_per_minute,
        changed.limits.tokens_per_minute,
        changed.models,
        changed.name,
        changed.expires_s,
    )
    assert "Bea" == json.loads(run("change", "Bea", "--tpm", "7", "--json").stdout)["name"]


def test_a_key_is_switched_off_and_on(run, issued, server):
    """And is the same key."""
    key = issued("Anna")
    off = run("disable", "Anna"), server.get(key["id"]).disabled
    on = run("enable", "Anna"), server.get(key["id"]).disabled

    assert [(0, True), (0, False)] == [(result.exit_code, is_off) for result, is_off in (off, on)]


def test_a_key_is_rotated_and_revoked(run, issued, server):
    """The old text ends at once for whoever looks anew."""
    key = issued("Anna")
    new = json.loads(run("rotate", "Anna", "--json").stdout)
    found = server.find(key["key"]), server.find(new["key"])
    result = run("revoke", key["id"])

    assert (None, "Anna") == (found[0], found[1].name)
    assert (0, None) == (result.exit_code, server.get(key["id"]))


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("show", "Nobody"), 1, "There is no key 'Nobody'"),
        (("revoke", "Nobody"), 1, "There is no key 'Nobody'"),
        (("change", "Nobody", "--rpm", "1"), 1, "There is no key 'Nobody'"),
        (("change", "Anna"), 2, "Say what is to be changed"),
        (("issue",), 2, "Missing argument"),
        (("issue", "Eva", "--rpm", "many"), 2, "'many' is no limit"),
        (("issue", "Eva", "--rpm", "0"), 1, "requests_per_minute: Must be a whole number"),
        (("issue", "Eva", "--expires", "soon"), 2, "'soon' is no time"),
        (("issue", "Eva", "--expires", "2026-01-01"), 2, "2026-01-01 has begun already"),
        (("change", "Anna", "--expires", "2026-01-01"), 2, "2026-01-01 has begun already"),
        (("issue", "Eva", "--models", ""), 2, "'' leaves a name empty"),
        (("issue", "Eva", "--models", "Echo,,Painter"), 2, "'Echo,,Painter' leaves a name empty"),
        (("issue", " "), 1, "name: "),
        (("show", "Twin"), 1, "Several keys are called 'Twin'"),
    ],
)
def test_what_goes_wrong_is_told_in_a_sentence(run, issued, arguments, code, sentence):
    """2 for words that the command does not know, 1 for the rest; nothing is changed."""
    for name in ("Anna", "Twin", "Twin"):
        issued(name)
    result = run(*arguments)

    assert code == result.exit_code
    assert sentence in result.stderr
    assert 3 == len(json.loads(run("list", "--json").stdout))


def test_keys_in_memory_are_not_issued(run):
    """The server would never see them."""
    result = run("issue", "Anna", POEFLASK_STORE_URL="memory")

    assert 1 == result.exit_code
    assert "POEFLASK_STORE_URL=memory" in result.stderr


def test_settings_that_make_no_sense_are_told(run):
    """As by every command."""
    result = run("list", PORT="x")

    assert 1 == result.exit_code
    assert "PORT holds 'x'" in result.stderr


def test_a_store_that_fails_is_told(run, tmp_path):
    """With the reason, not with what clients would read."""
    (tmp_path / "store.db").write_text("this is no database, and was never one")
    result = run("list", "--json")

    assert (1, "") == (result.exit_code, result.stdout)
    assert "store.db is damaged" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_spoilt_secret_is_told(run, tmp_path):
    """No key is issued that nobody could check."""
    (tmp_path / "secret").write_text("spoilt")
    result = run("issue", "Anna")

    assert 1 == result.exit_code
    assert "cannot check its own keys" in result.stderr
