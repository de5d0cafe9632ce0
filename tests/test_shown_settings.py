"""Settings are shown as they are in force, with their source; secrets never."""

from __future__ import annotations

from pathlib import Path

import pytest

from poeflask.settings import Settings
from poeflask.shown_settings import in_force, shown


def test_the_source_of_each_is_told() -> None:
    """Default, environment or file."""
    made = in_force(Settings(), {"port": "environment", "local_key": "file"})
    sources = {one.variable: one.source for one in made}

    assert "environment" == sources["PORT"]
    assert "file" == sources["POEFLASK_LOCAL_KEY"]
    assert "default" == sources["HOST"]


def test_what_somebody_set_may_be_secret_what_nobody_set_is_not() -> None:
    """The store's default stands in the README."""
    url = "redis://:hunter2@cache.example/0"
    given = in_force(Settings(store_url=url), {"store_url": "environment"})
    by_default = in_force(Settings(), {})
    (one,) = [one for one in given if one.variable == "POEFLASK_STORE_URL"]
    (other,) = [one for one in by_default if one.variable == "POEFLASK_STORE_URL"]
    (password,) = [one for one in by_default if one.variable == "ADMIN_PASSWORD"]

    assert ("", True, True) == (one.value, one.is_secret, one.is_set)
    assert ("sqlite", False, True) == (other.value, other.is_secret, other.is_set)
    assert ("", False, False) == (password.value, password.is_secret, password.is_set)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("port", 8080, "8080"),
        ("drain_s", 60.0, "60 s"),
        ("heartbeat_s", 0.5, "0.5 s"),
        ("idle_timeout_s", 600.0, "10 min"),
        ("total_timeout_s", 3600.0, "60 min"),
        ("file_ttl_s", 2_592_000.0, "30 d"),
        ("max_request_bytes", 64 * 2**20, "64 MiB"),
        ("max_upload_bytes", 50_000_000, "50 MB"),
        ("max_files_bytes_per_key", 1000, "1000 B"),
        (
            "cors_origins",
            ("https://a.example", "https://b.example"),
            "https://a.example, https://b.example",
        ),
        ("cors_origins", (), ""),
        ("state_dir", Path("/var/lib/poeflask"), "/var/lib/poeflask"),
    ],
)
def test_values_are_written_for_people(name: str, value: object, text: str) -> None:
    """With the unit that the name ends in."""
    assert text == shown(name, value)
