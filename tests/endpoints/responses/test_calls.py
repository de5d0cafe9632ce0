"""Calls in the order in which they may be told."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.core.reply import ToolCallDelta
from poeflask.endpoints.responses.calls import CallOrder, OpenCall


def piece(position: int, arguments: str, **more: Any) -> ToolCallDelta:
    """A later piece of a call."""
    return ToolCallDelta(position=position, arguments=arguments, **more)


def first(position: int, arguments: str, **more: Any) -> ToolCallDelta:
    """The first piece of a call."""
    return piece(position, arguments, call_id=f"c{position}", name="f", **more)


@pytest.mark.parametrize(
    ("arguments", "kind", "whole"),
    [
        ('{"a":1}', "function", True),
        ('{"a":1', "function", False),
        ("", "function", False),
        ("anything", "custom", False),
    ],
)
def test_a_call_is_whole_when_its_json_is(arguments: str, kind: Any, whole: bool) -> None:
    """Free text never says that it is over."""
    call = OpenCall(first(0, arguments[:2], kind=kind))
    call.add(arguments[2:])

    assert whole is call.is_whole()
    assert first(0, arguments, kind=kind) == call.so_far()


def test_calls_in_a_row_are_told_at_once() -> None:
    """Nothing is held while each call is complete before the next begins."""
    order = CallOrder()
    deltas = [first(0, '{"a"'), piece(0, ":1}"), first(1, "{}"), first(2, "{}")]

    assert deltas == [told for delta in deltas for told in order.feed(delta)]
    assert [] == list(order.end())


def test_a_later_call_waits() -> None:
    """Its pieces come at the end, together and in order, and so do those of calls behind it."""
    order = CallOrder()
    mixed = [first(0, "{"), first(2, "["), first(1, "{"), piece(0, "}"), piece(2, "]")]
    told = [delta for given in mixed for delta in order.feed(given)]

    assert [first(0, "{"), piece(0, "}")] == told
    assert [first(1, "{"), first(2, "["), piece(2, "]")] == list(order.end())


def test_blanks_behind_a_told_call_are_dropped() -> None:
    """They mean nothing, and there is no item left to hold them."""
    order = CallOrder()
    order.feed(first(0, "{}"))
    order.feed(first(1, "{}"))

    assert [] == order.feed(piece(0, "\n"))
