"""Neighbouring pieces put together."""

from __future__ import annotations

from poeflask.core.reply import Finish, TextDelta, ToolCallDelta
from poeflask.filters.joining import joined


def test_pieces_of_one_thing_become_one() -> None:
    """Text joins text, a call's further pieces join their call; nothing else moves."""
    got = joined(
        [
            TextDelta("a"),
            TextDelta("b"),
            ToolCallDelta(position=0, call_id="x", name="f", arguments="{"),
            ToolCallDelta(position=0, arguments="}"),
            ToolCallDelta(position=1, call_id="y", name="f"),
            TextDelta("c"),
            Finish(),
        ]
    )

    assert got == [
        TextDelta("ab"),
        ToolCallDelta(position=0, call_id="x", name="f", arguments="{}"),
        ToolCallDelta(position=1, call_id="y", name="f"),
        TextDelta("c"),
        Finish(),
    ]
    assert [] == joined([])
