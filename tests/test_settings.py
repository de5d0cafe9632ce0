"""Settings come from the environment, are checked, and explain themselves."""

import os
from pathlib import Path

import pytest

from poeflask.settings import Settings, SettingsError, markdown_table, unknown_variables

HOME = {"HOME": "/home/ann"}


def fault(variable: str, text: str) -> str:
    """The one sentence that this variable's value is answered with."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({**HOME, variable: text})
    (sentence,) = caught.value.faults
    return sentence


def test_the_largest_file_fits_into_the_largest_body():
    """As base64 in a request of its own, with room for the words around it."""
    settings = Settings()

    assert settings.max_upload_bytes / 3 * 4 + 64 * 1024 < settings.max_request_bytes


def test_nothing_set_gives_the_defaults():
    """An empty environment is a good one."""
    settings = Settings.from_environ(HOME)

    assert (settings.host, settings.port, settings.log_level) == ("127.0.0.1", 8080, "info")
    assert Path("/home/ann/.local/state/poeflask") == settings.state_dir
    assert settings.max_request_bytes == 64 * 2**20
    assert settings.cors_origins == ("*",)


def test_what_is_made_by_hand_equals_what_an_empty_environment_gives(monkeypatch):
    """Tests that write Settings() get what a user gets."""
    for row in Settings.describe():
        monkeypatch.delenv(row.variable, raising=False)

    assert Settings.from_environ(os.environ) == Settings()


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("PORT", "9000", "port", 9000),
        ("HOST", "0.0.0.0", "host", "0.0.0.0"),
        ("HOST", "[::1]", "host", "::1"),
        ("HOST", "unix:/run/poeflask/http.sock", "host", "unix:/run/poeflask/http.sock"),
        ("LOG_LEVEL", "WARN", "log_level", "warning"),
        ("LOG_LEVEL", " debug ", "log_level", "debug"),
        ("CONFIG_DIR", "/var/lib/poeflask", "state_dir", Path("/var/lib/poeflask")),
        ("XDG_STATE_HOME", "/state", "state_dir", Path("/state/poeflask")),
        ("MAX_REQUEST_SIZE", "1073741824", "max_request_bytes", 2**30),
        ("MAX_REQUEST_SIZE", "10MB", "max_request_bytes", 10_000_000),
        ("MAX_REQUEST_SIZE", "2 GiB", "max_request_bytes", 2**31),
        ("POE_BASE_URL", "http://poe.test/v2/", "poe_base_url", "http://poe.test/v2"),
        ("POEFLASK_HEARTBEAT_S", "0", "heartbeat_s", 0.0),
        ("POEFLASK_TRIES", "", "tries", 2),
        ("POEFLASK_CORS_ORIGINS", "none", "cors_origins", ()),
        (
            "POEFLASK_CORS_ORIGINS",
            "https://a.example/, http://localhost:3000",
            "cors_origins",
            ("https://a.example", "http://localhost:3000"),
        ),
        ("POEFLASK_WORKERS", "3", "workers", 3),
    ],
)
def test_a_variable_becomes_a_value(variable, text, name, value):
    """Each kind of setting is read as a person writes it."""
    settings = Settings.from_environ({**HOME, variable: text})

    assert value == getattr(settings, name)


@pytest.mark.parametrize(
    ("variable", "text", "right"),
    [
        ("PORT", "http", "a whole number from 1 to 65535"),
        ("PORT", "70000", "a whole number from 1 to 65535"),
        ("PORT", "0", "a whole number from 1 to 65535"),
        ("HOST", "unix:http.sock", "a socket's whole path, such as"),
        ("HOST", "a b", 'an address, a name, or "unix:"'),
        ("LOG_LEVEL", "loud", "one of debug, info, warning, error"),
        ("MAX_REQUEST_SIZE", "10 apples", "a size above zero"),
        ("MAX_REQUEST_SIZE", "0", "a size above zero"),
        ("POE_BASE_URL", "api.poe.com", "a URL, such as"),
        ("POE_BASE_URL", "https://poe.test:99999", "a URL, such as"),
        ("POEFLASK_IDLE_TIMEOUT_S", "nan", "a number of seconds, at least 1"),
        ("POEFLASK_IDLE_TIMEOUT_S", "soon", "a number of seconds, at least 1"),
        ("POEFLASK_CORS_ORIGINS", "a.example", '"*", "none", or origins such as'),
        ("POEFLASK_SIMULATOR", "yes", "one of auto, on, off"),
    ],
)
def test_a_value_that_does_not_fit_is_answered_with_what_would(variable, text, right):
    """An error names the variable, what it holds and what would be right."""
    sentence = fault(variable, text)

    assert sentence.startswith(f"{variable} holds {text!r}; it should be {right}")
    assert sentence.endswith(".")


def test_all_faults_are_told_at_once():
    """Nobody has to start poeflask twice to find two mistakes."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({**HOME, "PORT": "x", "POEFLASK_TRIES": "0"})

    assert [text.split()[0] for text in caught.value.faults] == ["PORT", "POEFLASK_TRIES"]


def test_a_secret_is_never_shown():
    """Neither the error nor the value's repr tells what a secret variable holds."""
    sentence = fault("POEFLASK_PROXY_URL", "hunter2")
    settings = Settings.from_environ({**HOME, "POEFLASK_PROXY_URL": "http://me:hunter2@proxy:1"})

    assert "hunter2" not in sentence
    assert "POEFLASK_PROXY_URL" in sentence
    assert "hunter2" not in repr(settings)
    assert settings.proxy_url == "http://me:hunter2@proxy:1"


def test_a_secret_can_come_from_a_file(tmp_path):
    """POEFLASK_PROXY_URL_FILE names a file whose line is the value."""
    path = tmp_path / "proxy"
    path.write_text("http://me:hunter2@proxy:1\n")
    settings = Settings.from_environ({**HOME, "POEFLASK_PROXY_URL_FILE": str(path)})

    assert settings.proxy_url == "http://me:hunter2@proxy:1"


def test_a_secret_file_that_is_not_there_is_a_fault(tmp_path):
    """A missing file is told by its path; so is a secret that is given twice. Empty is unset."""
    missing = str(tmp_path / "none")

    assert fault("POEFLASK_PROXY_URL_FILE", missing) == (
        f"POEFLASK_PROXY_URL_FILE holds {missing!r}; it should be a text file that can be read."
    )
    path = tmp_path / "proxy"
    path.write_text("http://q")
    both = {**HOME, "POEFLASK_PROXY_URL_FILE": str(path), "POEFLASK_PROXY_URL": "http://p"}
    with pytest.raises(SettingsError, match="both set"):
        Settings.from_environ(both)
    path.write_text("\n")
    assert "http://p" == Settings.from_environ(both).proxy_url


def test_a_variable_that_nothing_reads_is_told():
    """A typo is seen, and the name that was probably meant is offered."""
    told = unknown_variables({**HOME, "POEFLASK_HEARTBEATS_S": "1", "POEFLASK_PROXY_URL_FILE": "x"})

    assert told == (
        "POEFLASK_HEARTBEATS_S is not a setting of poeflask; "
        "perhaps POEFLASK_HEARTBEAT_S is meant.",
    )
    assert unknown_variables({"POEFLASK_X": ""}) == ("POEFLASK_X is not a setting of poeflask.",)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.2", False),
        ("poeflask.example", False),
        ("unix:/run/poeflask/http.sock", False),
    ],
)
def test_only_loopback_addresses_are_this_machine_alone(host, loopback):
    """A socket file does not count: what stands in front of it may be open to all."""
    assert loopback == Settings(host=host).listens_on_loopback


@pytest.mark.parametrize(
    ("simulator", "host", "proxies", "enabled"),
    [
        ("auto", "127.0.0.1", 0, True),
        ("auto", "127.0.0.1", 1, False),
        ("auto", "0.0.0.0", 0, False),
        ("on", "0.0.0.0", 0, True),
        ("off", "127.0.0.1", 0, False),
    ],
)
def test_the_simulator_is_on_by_itself_only_where_no_stranger_comes(
    simulator, host, proxies, enabled
):
    """`auto` looks at the address and at whether a proxy stands in front."""
    settings = Settings(simulator=simulator, host=host, trusted_proxies=proxies)

    assert enabled == settings.simulator_enabled


def test_every_setting_explains_itself():
    """Each row has its own variable, a sentence, and says when a change counts."""
    rows = Settings.describe()

    assert len(rows) == len({row.variable for row in rows})
    assert [row.name for row in rows if not row.doc.endswith(".")] == []
    assert {"boot", "live"} >= {row.when for row in rows}
    assert all(f"`{row.variable}`" in markdown_table() for row in rows)


@pytest.mark.parametrize(
    ("served", "host", "proxies", "key"),
    [
        ("local", "127.0.0.1", 0, "mine"),
        ("local", "::1", 0, "mine"),
        ("local", "127.0.0.1", 1, ""),
        ("local", "0.0.0.0", 0, ""),
        ("local", "unix:/run/poeflask.sock", 0, ""),
        ("everyone", "0.0.0.0", 1, "mine"),
    ],
)
def test_the_local_key_serves_no_stranger_unless_its_owner_says_so(served, host, proxies, key):
    """It follows the address and the proxies, as the simulator does."""
    settings = Settings(local_key="mine", local_key_for=served, host=host, trusted_proxies=proxies)

    assert key == settings.key_of_local_requests
    assert "mine" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("k", [("key-1", "k", 1)]),
        ("sk-poe_1, sk-poe_2*3", [("key-1", "sk-poe_1", 1), ("key-2", "sk-poe_2", 3)]),
        ("home:k1*2\n work:k2\n", [("home", "k1", 2), ("work", "k2", 1)]),
        ("a:k1,,b:k2,", [("a", "k1", 1), ("b", "k2", 1)]),
    ],
)
def test_keys_of_poe_have_names_and_weights(text, keys):
    """Or get them by their place; each key stands in an entry of its own."""
    settings = Settings.from_environ({**HOME, "POE_API_KEYS": text})

    assert keys == [(one.name, one.key, one.weight) for one in settings.keys_of_poe]


@pytest.mark.parametrize(
    "text",
    ["hunter2*0", "a:hunter2,a:k2", "hunter2,hunter2", "a:b:hunter2", "hunter2*x", "hünter2"],
)
def test_keys_of_poe_that_do_not_fit_are_not_shown(text):
    """Neither is one that fits, in anything that may be printed."""
    sentence = fault("POE_API_KEYS", text)
    settings = Settings.from_environ({**HOME, "POE_API_KEYS": "a:hunter2"})

    assert "NAME:KEY*WEIGHT" in sentence
    assert "nter2" not in sentence + repr(settings) + repr(settings.keys_of_poe)


def test_a_single_key_of_poes_may_have_the_usual_name(tmp_path):
    """POE_API_KEY, unless there are several; both may come from a file."""
    path = tmp_path / "keys"
    path.write_text("first:k1\nsecond:k2\n")
    single = Settings.from_environ({**HOME, "POE_API_KEY": "k"})
    several = Settings.from_environ({**HOME, "POE_API_KEY": "k", "POE_API_KEYS_FILE": str(path)})

    assert ["k"] == [one.key for one in single.keys_of_poe]
    assert ["k1", "k2"] == [one.key for one in several.keys_of_poe]
    assert () == Settings.from_environ(HOME).keys_of_poe


def test_each_value_has_a_source():
    """The environment, a file that it names, or the default; an empty variable is none."""
    environ = {"PORT": "81", "HOST": " ", "ADMIN_PASSWORD_FILE": "/run/secrets/password"}
    sources = Settings.sources(environ)

    assert {row.name for row in Settings.describe()} == set(sources)
    assert ("environment", "default", "file") == (
        sources["port"],
        sources["host"],
        sources["admin_password"],
    )


def test_a_short_password_is_none():
    """It is not told what it was."""
    sentence = fault("ADMIN_PASSWORD", "123456")

    assert "ADMIN_PASSWORD holds a secret that does not fit" in sentence
    assert "8 to 256 characters" in sentence
    assert "123456" not in sentence


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("::1", "http://[::1]:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://127.0.0.1:8080"),
        ("unix:/run/a.sock", "https://your.proxy.example"),
    ],
)
def test_the_address_can_be_reached_from_here(host, url):
    """Nobody can call 0.0.0.0, and a socket is reached by way of a proxy."""
    assert url == Settings(host=host).local_url


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("SQLite", "sqlite"),
        ("memory", "memory"),
        ("redis://:Hunter2@host:6379/0", "redis://:Hunter2@host:6379/0"),
        ("rediss://host", "rediss://host"),
        ("unix://:Hunter2@/run/redis.sock?db=1", "unix://:Hunter2@/run/redis.sock?db=1"),
    ],
)
def test_a_store_is_named_or_found_by_its_url(text, value):
    """A URL stays as it is, and is no part of what is printed."""
    settings = Settings.from_environ({**HOME, "POEFLASK_STORE_URL": text})

    assert value == settings.store_url
    assert "Hunter2" not in repr(settings)


@pytest.mark.parametrize(
    "text", ["hunter2", "redis:hunter2", "redis://:hun/ter2@host", "unix://", "http://hunter2"]
)
def test_a_store_that_is_none_is_not_quoted(text):
    """What does not fit may hold a password all the same."""
    with pytest.raises(SettingsError, match="holds a secret that does not fit") as caught:
        Settings.from_environ({**HOME, "POEFLASK_STORE_URL": text})
    assert "hun" not in str(caught.value)
