"""Which links may be fetched."""

import pytest

from poeflask.poe.links import poe_files

SIMULATOR = "http://127.0.0.1:8123"


@pytest.mark.parametrize(
    "url",
    [
        "https://pfst.cf2.poecdn.net/base/image/abc?w=1",
        "https://poecdn.net/a",
        "https://PFST.cf2.POECDN.net/a",
        "https://pfst.cf2.poecdn.net:443/a",
        f"{SIMULATOR}/base/image/abc",
    ],
)
def test_poes_own_files(url):
    """Poe's file servers, and the address of the API itself, are fetched from."""
    assert poe_files(SIMULATOR)(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://pfst.cf2.poecdn.net/base/image/abc",
        "https://pfst.cf2.poecdn.net:8443/a",
        "https://pfst.cf2.poecdn.net:0/a",
        "https://pfst.cf2.poecdn.net:99999/a",
        "https://user@pfst.cf2.poecdn.net/a",
        "https://pfst.cf2.poecdn.net@127.0.0.1/a",
        "https://poecdn.net.example.com/a",
        "https://evilpoecdn.net/a",
        "https://127.0.0.1/a",
        "http://127.0.0.1:8124/base/image/abc",
        "https://127.0.0.1:8123/base/image/abc",
        "http://user:pw@127.0.0.1:8123/a",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "//poecdn.net/a",
        "https://[::1/a",
        "https://pfst.cf2.poecdn.net\\@127.0.0.1/a",
        "https://pfst.cf2.poecdn.net/a b",
        "https://pfst.cf2.poecdn.net/a\nb",
        "https://pöecdn.net/a",
    ],
)
def test_all_others(url):
    """Nothing else is, however it is written."""
    assert not poe_files(SIMULATOR)(url)


def test_without_an_address_of_its_own():
    """Without a base address only Poe's file servers are left."""
    assert not poe_files()("http://127.0.0.1:8123/a")
    assert not poe_files()("/base/image/abc")
