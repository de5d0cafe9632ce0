"""A setup link works once, until its end, and only the newest does."""

from __future__ import annotations

from itertools import count

import pytest

from poeflask.admin.setup_links import SetupLinks, link
from poeflask.stores.memory import MemoryStore


class Clock:
    """Stands until it is moved."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """At its beginning."""
    return Clock()


@pytest.fixture
def store(clock: Clock) -> MemoryStore:
    """A store that goes by the same clock."""
    return MemoryStore(clock=clock)


@pytest.fixture
def links(store: MemoryStore) -> SetupLinks:
    """Of that store; they work for 100 seconds."""
    numbers = count(1)
    return SetupLinks(store, lambda: f"token-{next(numbers)}", ttl_s=100)


def test_a_link_works_once(links: SetupLinks) -> None:
    """Looking whether it works does not use it up."""
    token = links.make()

    assert links.works(token)
    assert [True, False] == [links.take(token), links.take(token)]
    assert not links.works(token)


def test_only_the_newest_works(links: SetupLinks) -> None:
    """A new one is made when the old one may have been seen."""
    old, new = links.make(), links.make()

    assert not links.works(old)
    assert links.take(new)


def test_a_link_has_an_end(links: SetupLinks, clock: Clock) -> None:
    """An old terminal gives nothing away."""
    token = links.make()
    clock.now_s += 101

    assert not links.take(token)


@pytest.mark.parametrize("token", ["", "token", "token-2", "é"])
def test_nothing_else_works(links: SetupLinks, token: str) -> None:
    """Not even nothing, while there is no link."""
    assert not links.works(token)
    links.make()
    assert not links.take(token)


def test_the_store_does_not_hold_the_token(links: SetupLinks, store: MemoryStore) -> None:
    """Who reads the store cannot set the password."""
    token = links.make()
    kept = "".join(f"{key}{store.get(key)!r}" for key in store.keys(""))

    assert kept
    assert token not in kept


def test_the_token_stands_where_no_server_sees_it() -> None:
    """Behind the #, whatever the address ends in."""
    assert "https://a.example/admin/setup#token" == link("https://a.example/", "token")
