"""Where a store is told to be."""

import pytest

from poeflask.stores.addresses import is_redis, place_of, shown


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://:hunter2@cache.example:7000/3", "redis://cache.example:7000/3"),
        ("redis://ada:hunter2@cache.example", "redis://cache.example:6379"),
        ("rediss://:hunter2@[::1]/", "rediss://[::1]:6379"),
        ("unix://:hunter2@/run/redis.sock?db=2&password=hunter2", "unix:///run/redis.sock"),
        ("redis://", "redis://localhost:6379"),
    ],
)
def test_a_place_has_no_password(url, place):
    """Only what is needed to find the server is told."""
    assert place == place_of(url)


def test_what_cannot_be_read_is_not_quoted():
    """A slash in a password makes it look like a port."""
    with pytest.raises(ValueError, match="cannot be read") as caught:
        place_of("redis://:hun/ter2@host:6379/0")
    assert "hun" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_people_are_shown_where_state_is(tmp_path):
    """The folder, the server without its password, or memory."""
    assert str(tmp_path) == shown("sqlite", tmp_path)
    assert "memory" == shown("memory", tmp_path)
    assert "redis://host:6379/0" == shown("redis://:hunter2@host/0", tmp_path)


def test_a_redis_is_known_by_its_scheme():
    """Names alone are none."""
    urls = ["redis://h", "rediss://h", "unix:///s", "redis", "unix:/s", "sqlite", "http://h"]

    assert [True, True, True, False, False, False, False] == [is_redis(url) for url in urls]
