"""Ids of items: each leads to the response that it belongs to, so that no index is needed.

The id of a response cannot be guessed, and so neither can those of its items.
"""

from __future__ import annotations

import re

RESPONSE_PREFIX = "resp_"
CONVERSATION_PREFIX = "conv_"

_ITEM = re.compile(r"[a-z]{1,8}_([0-9a-f]{16,64})_(?:in)?\d{1,6}")


def output_id(prefix: str, response_id: str, index: int) -> str:
    """The id of an item that a response gave."""
    return f"{prefix}_{_stem(response_id)}_{index}"


def input_id(prefix: str, response_id: str, index: int) -> str:
    """The id of an item that a response was asked with and that came without an id."""
    return f"{prefix}_{_stem(response_id)}_in{index}"


def stem_of(item_id: str) -> str:
    """What the id of an item of ours shares with its response's; empty if it is not ours."""
    found = _ITEM.fullmatch(item_id)
    return found[1] if found else ""


def _stem(response_id: str) -> str:
    return response_id.partition("_")[2]
