"""How the text of a setting becomes its value, and what is said of a text that cannot."""

from pathlib import Path

import pytest

from poeflask import setting_values as read
from poeflask.setting_values import KeyOfPoe, UnfitError


@pytest.mark.parametrize(
    ("reads", "text", "value"),
    [
        (read.as_it_is, " a ", " a "),
        (read.password, "", ""),
        (read.password, "12345678", "12345678"),
        (read.choice("on", "off"), "ON", "on"),
        (read.log_level, "Warn", "warning"),
        (read.whole(1, 9), "9", 9),
        (read.whole(0), "999999999999", 999_999_999_999),
        (read.seconds(0.5), "0.5", 0.5),
        (read.seconds(0), "1e3", 1000.0),
        (read.size, "7", 7),
        (read.size, "64 MiB", 64 * 2**20),
        (read.size, "2kb", 2000),
        (read.url, "https://a.example/b/", "https://a.example/b"),
        (read.otlp_endpoint, "", ""),
        (read.proxy_url, "http://me:word@proxy:3128", "http://me:word@proxy:3128"),
        (read.store_url, "SQLite", "sqlite"),
        (read.store_url, "unix:///run/redis.sock", "unix:///run/redis.sock"),
        (read.host, "[::1]", "::1"),
        (read.host, "unix:/run/a.sock", "unix:/run/a.sock"),
        (read.origins, "none", ()),
        (read.origins, "*, https://a.example/", ("*", "https://a.example")),
        (read.keys_of_poe, "a, Ann:b*2", (KeyOfPoe("key-1", "a", 1), KeyOfPoe("Ann", "b", 2))),
        (read.directory, "/a/b", Path("/a/b")),
        (read.directory, "~", Path.home()),
    ],
)
def test_a_text_becomes_its_value(reads, text, value):
    """In the unit of the setting."""
    assert value == reads(text)


@pytest.mark.parametrize(
    ("reads", "text", "right"),
    [
        (read.password, "1234567", "8 to 256 characters"),
        (read.choice("on", "off"), "maybe", "one of on, off"),
        (read.log_level, "loud", "one of debug, info, warning, error"),
        (read.whole(1, 9), "10", "a whole number from 1 to 9"),
        (read.whole(1), "\u0661", "a whole number from 1"),
        (read.seconds(1), "0.9", "at least 1"),
        (read.seconds(0), "nan", "a number of seconds"),
        (read.size, "0", "a size above zero"),
        (read.size, "1 parsec", "a size above zero"),
        (read.url, "ftp://a.example", "a URL"),
        (read.url, "https://a.example:0", "a URL"),
        (read.otlp_endpoint, "here", "a URL"),
        (read.proxy_url, "proxy:3128", "the URL of a proxy"),
        (read.store_url, "redis://", "the URL of a Redis"),
        (read.store_url, "redis://[::1", "the URL of a Redis"),
        (read.host, "unix:run/a.sock", "a socket's whole path"),
        (read.host, "a b", "an address"),
        (read.origins, "a.example", "origins such as"),
        (read.keys_of_poe, "a a", "no key twice"),
        (read.keys_of_poe, "a*0", "whole weights above 0"),
    ],
)
def test_what_does_not_fit_is_answered_with_what_would(reads, text, right):
    """The text itself is not told here: it may be a secret."""
    with pytest.raises(UnfitError) as caught:
        reads(text)

    assert right in str(caught.value)
