"""Pages of items, as OpenAI's lists give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from poeflask.endpoints.responses.items import Item
from poeflask.endpoints.shapes import one_of, shown, wrong

_DEFAULT_LIMIT = 20
_MOST = 100
_ORDERS = ("asc", "desc")


def page(items: Sequence[Item], query: Mapping[str, str]) -> dict[str, Any]:
    """The page of items that a URL's query asks for.

    Args:
        items: all of them, oldest first.
        query: `limit` (1 to 100, by default 20), `order` ("desc" by default) and `after`, the id
            of the last item of the page before.

    Raises:
        ClientError: kind INVALID_REQUEST, if the query asks for something else.
    """
    order = query.get("order", "desc")
    if order not in _ORDERS:
        raise wrong("order", f"must be {one_of(_ORDERS)}, not {shown(order)}.")
    limit = _limit(query.get("limit", str(_DEFAULT_LIMIT)))
    ordered = list(items) if order == "asc" else list(reversed(items))
    after = query.get("after")
    start = 0 if after is None else _behind(ordered, after)
    shown_items = ordered[start : start + limit]
    return {
        "object": "list",
        "data": shown_items,
        "first_id": shown_items[0]["id"] if shown_items else None,
        "last_id": shown_items[-1]["id"] if shown_items else None,
        "has_more": start + limit < len(ordered),
    }


def _limit(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MOST:
        return int(text)
    raise wrong("limit", f"must be a whole number from 1 to {_MOST}, not {shown(text)}.")


def _behind(items: Sequence[Item], item_id: str) -> int:
    for index, item in enumerate(items):
        if item["id"] == item_id:
            return index + 1
    raise wrong("after", f"names no item of this list: {shown(item_id)}.")
