"""Neighbouring pieces of one text or one call put together, so that fewer events travel on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from poeflask.core.reply import ReplyEvent, TextDelta, ToolCallDelta


def joined(events: Iterable[ReplyEvent]) -> list[ReplyEvent]:
    """The same events with neighbouring pieces of one text or one call put together."""
    out: list[ReplyEvent] = []
    pieces: list[str] = []
    for event in events:
        if out and _continues(out[-1], event):
            pieces.append(_piece(event))
            continue
        _settle(out, pieces)
        out.append(event)
    _settle(out, pieces)
    return out


def _continues(last: ReplyEvent, event: ReplyEvent) -> bool:
    match last, event:
        case TextDelta(), TextDelta():
            return True
        case ToolCallDelta(), ToolCallDelta():
            return event.position == last.position and not event.name
    return False


def _piece(event: ReplyEvent) -> str:
    return event.text if isinstance(event, TextDelta) else getattr(event, "arguments", "")


def _settle(out: list[ReplyEvent], pieces: list[str]) -> None:
    if not pieces:
        return
    more = "".join(pieces)
    pieces.clear()
    match out[-1]:
        case TextDelta() as last:
            out[-1] = TextDelta(last.text + more)
        case ToolCallDelta() as last:
            out[-1] = replace(last, arguments=last.arguments + more)
