"""Every case of the golden corpus in every dialect, however the network cuts and spells it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

import pytest

from poeflask.core.errors import PoeflaskError
from poeflask.core.reply import END, Failure, Pause, Reply, gather_all
from poeflask.core.sse import Decoder, Frame
from tests.golden.corpus import (
    ANSWERS,
    DIALECTS,
    Case,
    Dialect,
    answered,
    cases,
    expectation,
    reads,
    rendered,
    stream_body,
)

every_case = pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
every_dialect = pytest.mark.parametrize("name", DIALECTS)


def said(case: Case, replies: Sequence[Sequence[bytes]]) -> tuple[Reply, ...] | tuple[str, ...]:
    """All that a client learns, joined, so that only its sum counts."""
    batches = answered(case, replies)
    if isinstance(batches, PoeflaskError):
        return batches.kind.value, batches.message
    return tuple(map(_comparable, gather_all(event for batch in batches for event in batch)))


def _comparable(reply: Reply) -> Reply:
    """Errors are equal if they say the same."""
    if not isinstance(reply.end, Failure):
        return reply
    return Reply(text=f"{reply!r}")


@every_dialect
@every_case
def test_expected(case: Case, name: str) -> None:
    """Each client gets exactly what stands in the file."""
    expected = expectation(case, name).read_text("utf-8")

    assert expected == rendered(case, DIALECTS[name])


def test_no_strays() -> None:
    """Every file belongs to a case; there are enough of them to mean something."""
    expected = {expectation(case, name) for case in cases() for name in DIALECTS}

    assert expected == set(ANSWERS.glob("*.txt"))
    assert len(cases()) >= 80


@every_case
def test_one_end(case: Case) -> None:
    """Each of the parallel answers ends once, and nothing comes behind it."""
    batches = answered(case, list(map(reads, case.replies)))
    if isinstance(batches, PoeflaskError):
        return
    events = [event for batch in batches for event in batch if not isinstance(event, Pause)]
    for index in {event.index for event in events}:
        ends = [isinstance(event, END) for event in events if event.index == index]

        assert [len(ends) - 1] == [place for place, is_end in enumerate(ends) if is_end]


@every_dialect
@every_case
def test_stream_is_whole(case: Case, name: str) -> None:
    """The dialect's own client reads the same out of the stream as out of the whole answer."""
    dialect: Dialect = DIALECTS[name]
    batches = answered(case, list(map(reads, case.replies)), dialect.wants)
    if isinstance(batches, PoeflaskError):
        return
    events = [event for batch in batches for event in batch]
    if isinstance(events[-1], Failure):
        return

    streamed = dialect.streamed(stream_body(dialect.encoder(case), batches))
    assert dialect.whole(dialect.encoder(case).whole(events)) == streamed


@every_case
def test_every_cut(case: Case) -> None:
    """Cut in two at any byte, the answer is the same."""
    expected = said(case, list(map(reads, case.replies)))
    for number, reply in enumerate(case.replies):
        seen = set()
        for place in range(len(reply) + 1):
            pieces = [reply[:place], reply[place:]]
            frames = _frames(pieces)
            if frames in seen:
                continue
            seen.add(frames)
            replies = [[other] for other in case.replies]
            replies[number] = pieces

            assert expected == said(case, replies)


def _frames(pieces: Sequence[bytes]) -> tuple[tuple[Frame, ...], ...]:
    """What each read completes: cuts that give the same frames in the same reads are one cut."""
    decoder = Decoder()
    return tuple(tuple(decoder.feed(piece)) for piece in pieces)


@every_case
def test_byte_by_byte(case: Case) -> None:
    """Cut at all bytes at once, the answer is the same."""
    single = [[reply[n : n + 1] for n in range(len(reply))] for reply in case.replies]

    assert said(case, list(map(reads, case.replies))) == said(case, single)


@every_case
def test_letter_by_letter(case: Case) -> None:
    """A bot may send each letter of its text in an event of its own."""
    spelled = [list(map(_in_letters, reads(reply))) for reply in case.replies]

    assert said(case, list(map(reads, case.replies))) == said(case, spelled)


def _in_letters(block: bytes) -> bytes:
    frames = Decoder().feed(block)
    if [frame.name for frame in frames] != ["text"]:
        return block
    try:
        data = json.loads(frames[0].data)
    except json.JSONDecodeError:
        return block
    if not isinstance(data.get("text"), str):
        return block
    letters = [json.dumps({**data, "text": letter}) for letter in data["text"]]
    return b"".join(b"event: text\ndata: %s\n\n" % letter.encode() for letter in letters)


@pytest.mark.parametrize(
    "spell",
    [
        lambda reply: reply.replace(b"\n", b"\r\n"),
        lambda reply: reply.replace(b"\n", b"\r"),
        lambda reply: b"\xef\xbb\xbf" + reply,
        lambda reply: reply.replace(b"\n", b"\n: still here\n") + b"\n",
        lambda reply: reply.replace(b"\n\n", b"\n\n\n\n: ping\n\n"),
        lambda reply: re.sub(rb"(?m)^(event|data): ", rb"\1:", reply),
        lambda reply: re.sub(rb"(?m)^event: ", b"id: 7\nretry: 10\nevent: ", reply),
    ],
    ids=["CRLF", "CR", "BOM", "comments", "heartbeats", "no spaces", "other fields"],
)
@every_case
def test_spelling_of_the_wire(case: Case, spell: Callable[[bytes], bytes]) -> None:
    """Line ends, comments, spaces and other fields mean nothing."""
    spelled = [[spell(reply)] for reply in case.replies]

    assert said(case, list(map(reads, case.replies))) == said(case, spelled)
