"""Pages of items."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from poeflask.core.errors import ClientError
from poeflask.endpoints.responses.listing import page

ITEMS = [{"id": f"i{number}"} for number in range(45)]


def ids(query: Mapping[str, str]) -> list[str]:
    """The ids on the page."""
    return [item["id"] for item in page(ITEMS, query)["data"]]


def test_the_newest_twenty_come_first() -> None:
    """Without a word from the client, lists run backwards."""
    got = page(ITEMS, {})

    assert [f"i{number}" for number in range(44, 24, -1)] == [item["id"] for item in got["data"]]
    assert ("list", "i44", "i25", True) == (
        got["object"],
        got["first_id"],
        got["last_id"],
        got["has_more"],
    )


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_joined_are_the_list(order: str) -> None:
    """Each page begins behind the last item of the one before."""
    seen: list[str] = []
    more = True
    while more:
        after = {"after": seen[-1]} if seen else {}
        got = page(ITEMS, {"order": order, "limit": "7", **after})
        seen += [item["id"] for item in got["data"]]
        more = got["has_more"]

    assert sorted(seen) == sorted(item["id"] for item in ITEMS)
    assert ("i0" if order == "asc" else "i44") == seen[0]


def test_an_empty_list() -> None:
    """It has neither a first nor a last id."""
    expected = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    assert expected == page([], {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "-1"),
        ("limit", "ten"),
        ("limit", "٣"),
        ("limit", "9" * 5000),
        ("order", "up"),
        ("after", "nobody"),
    ],
)
def test_what_cannot_be_listed_is_refused(name: str, value: str) -> None:
    """The error names the query's field."""
    with pytest.raises(ClientError) as caught:
        ids({name: value})

    assert name == caught.value.param
