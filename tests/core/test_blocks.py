"""An answer's events become blocks that follow each other without gaps, and nothing is lost."""

from __future__ import annotations

import json
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.core.blocks import (
    Block,
    BlockDelta,
    BlockEvent,
    Blocks,
    BlockStart,
    BlockStop,
    link,
    whole_blocks,
)
from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.reply import (
    Failure,
    FileEvent,
    Finish,
    Note,
    Pause,
    ReasoningDelta,
    ReplyEvent,
    TextDelta,
    ToolCallDelta,
    Usage,
)

BROKEN = Failure(PoeError(ErrorKind.POE_BROKEN, "It broke."))


def begin(position: int, arguments: str = "", **more: str) -> ToolCallDelta:
    """The first delta of a call."""
    call_id, name = f"call_{position}", f"tool_{position}"
    return ToolCallDelta(position=position, call_id=call_id, name=name, arguments=arguments, **more)


def more(position: int, arguments: str) -> ToolCallDelta:
    """A later delta of a call."""
    return ToolCallDelta(position=position, arguments=arguments)


def blocks_of(*events: ReplyEvent) -> list[BlockEvent]:
    """All that happens to the blocks of an answer."""
    blocks = Blocks()
    return list(chain.from_iterable(blocks.feed(event) for event in events))


def told(*events: ReplyEvent) -> list[tuple[str, str]]:
    """The kind and text of each block of an answer; a call's kind is its name."""
    return [
        (block.kind if block.call is None else block.call.name, block.text)
        for block in whole_blocks(events)
    ]


def test_text_is_one_block_from_its_first_piece_to_the_end():
    """Pieces of one kind share a block; a pause between them changes nothing."""
    got = blocks_of(TextDelta("Hel"), Pause(), TextDelta("lo"), Finish())

    assert [
        BlockStart(number=0, kind="text"),
        BlockDelta(0, "Hel"),
        BlockDelta(0, "lo"),
        BlockStop(0),
    ] == got


def test_thoughts_and_text_take_turns():
    """Each change of kind closes one block and opens the next."""
    got = told(ReasoningDelta("Hm"), TextDelta("A"), ReasoningDelta("Oh"), TextDelta("B"), Finish())

    assert [("reasoning", "Hm"), ("text", "A"), ("reasoning", "Oh"), ("text", "B")] == got


def test_a_call_carries_its_first_delta():
    """Id and name are known when the block opens; arguments come after, piece by piece."""
    first = begin(0, '{"a')
    got = blocks_of(first, more(0, '": 1}'), Finish("tool_calls"))

    assert [
        BlockStart(number=0, kind="call", call=first),
        BlockDelta(0, '{"a'),
        BlockDelta(0, '": 1}'),
        BlockStop(0),
    ] == got


def test_what_is_no_part_of_the_answer_makes_no_block():
    """Usage, notes and pauses go by; an answer without words has no blocks."""
    assert [] == blocks_of(Pause(), Usage(), Note("meta", {}), Finish())


def test_a_file_is_a_link_in_the_text():
    """A dialect without a place for files shows them as Markdown."""
    picture = FileEvent(url="https://x.example/a", content_type="image/png", name="a [1].png")

    assert "\n\n![a (1).png](https://x.example/a)\n\n" == link(picture)
    assert [("text", "See:" + link(picture))] == told(TextDelta("See:"), picture, Finish())


def test_calls_in_a_row_wait_for_nothing():
    """A second call opens as soon as it begins, when the first one is whole."""
    blocks = Blocks()
    blocks.feed(begin(0, '{"a": "}"}'))
    got = blocks.feed(begin(1, "{"))

    assert [
        BlockStop(0),
        BlockStart(number=1, kind="call", call=begin(1, "{")),
        BlockDelta(1, "{"),
    ] == got


def test_calls_in_turns_become_calls_in_a_row():
    """Pieces of a later call wait until the earlier one is whole, and no longer."""
    blocks = Blocks()
    early = [begin(0, '{"a":'), begin(1, '{"b":'), more(0, " 1"), more(1, " 2}")]
    waited = [made for event in early for made in blocks.feed(event)]
    opened = blocks.feed(more(0, "}"))

    assert {0} == {made.number for made in waited}
    assert [
        BlockDelta(0, "}"),
        BlockStop(0),
        BlockStart(number=1, kind="call", call=begin(1, '{"b":')),
        BlockDelta(1, '{"b": 2}'),
    ] == opened


def test_text_inside_a_call_comes_behind_it():
    """A call is not broken in two by words that come before its end."""
    got = told(begin(0, '{"a'), TextDelta("So "), TextDelta("it is."), more(0, '":1}'), Finish())

    assert [("tool_0", '{"a":1}'), ("text", "So it is.")] == got


@pytest.mark.parametrize("end", [Finish("length"), BROKEN])
def test_the_end_lets_go_of_what_waits(end: ReplyEvent):
    """A call that never became whole closes at the end, and what waited behind it comes then."""
    got = told(begin(0, '{"a'), begin(1, "{}"), TextDelta("Hm."), end)

    assert [("tool_0", '{"a'), ("tool_1", "{}"), ("text", "Hm.")] == got


def test_free_text_has_no_end_of_its_own():
    """A custom call may hold any brackets; only the answer's end closes it."""
    got = told(begin(0, "{}", kind="custom"), TextDelta("Hm."), more(0, "{}"), Finish())

    assert [("tool_0", "{}{}"), ("text", "Hm.")] == got


def test_what_comes_behind_a_whole_call_is_dropped():
    """White space behind a JSON object does not open the call again."""
    got = told(begin(0, "{}"), TextDelta("Hm."), more(0, "\n"), Finish())

    assert [("tool_0", "{}"), ("text", "Hm.")] == got


TRICKY = json.dumps({"a": '}"\\', "b": ["]", {"c": '\\\\"{'}], "ü\\": "\n"}, ensure_ascii=False)


@pytest.mark.parametrize("cut", range(1, len(TRICKY)))
def test_the_end_of_arguments_is_seen_wherever_they_are_cut(cut: int):
    """Brackets and quotes inside strings do not count, also when a piece ends at a backslash."""
    blocks = Blocks()
    blocks.feed(begin(0, TRICKY[:cut]))
    waits = blocks.feed(begin(1))
    opens = blocks.feed(more(0, TRICKY[cut:]))

    assert [] == waits
    assert BlockStop(0) in opens


PIECES = st.one_of(
    st.text(min_size=1, max_size=3).map(TextDelta),
    st.text(min_size=1, max_size=3).map(ReasoningDelta),
    st.just(Pause()),
    st.builds(Usage, prompt_tokens=st.integers(1, 9)),
)


@st.composite
def answers(draw: st.DrawFn) -> list[ReplyEvent]:
    """Answers whose calls come in turns with each other and with everything else."""
    queues: list[list[ReplyEvent]] = [draw(st.lists(PIECES, max_size=6))]
    for position in range(draw(st.integers(0, 3))):
        arguments = json.dumps({"k": draw(st.text(max_size=4))})
        cut = draw(st.integers(0, len(arguments)))
        pieces = [arguments[:cut], arguments[cut:]]
        queues.append([begin(position, pieces[0]), more(position, pieces[1])])
    events: list[ReplyEvent] = []
    while any(queues):
        queue = draw(st.sampled_from([queue for queue in queues if queue]))
        events.append(queue.pop(0))
    end = draw(st.sampled_from((Finish(), BROKEN)))
    return [*events[: draw(st.integers(0, len(events)))], end]


@settings(max_examples=150, deadline=None)
@given(answers())
def test_blocks_never_interleave_and_lose_nothing(events: list[ReplyEvent]):
    """One block is open at a time, numbers have no gaps, and all text and arguments come out."""
    open_number, opened = None, 0
    for made in blocks_of(*events):
        match made:
            case BlockStart():
                assert open_number is None
                assert opened == made.number
                open_number, opened = opened, opened + 1
            case BlockDelta():
                assert made.number == open_number
                assert made.text
            case BlockStop():
                assert made.number == open_number
                open_number = None

    assert open_number is None
    blocks = whole_blocks(events)
    for kind, delta in (("text", TextDelta), ("reasoning", ReasoningDelta)):
        said = "".join(event.text for event in events if isinstance(event, delta))
        assert said == "".join(block.text for block in blocks if block.kind == kind)
    calls = [block for block in blocks if block.call is not None]
    assert _arguments(events) == {block.call.position: block.text for block in calls if block.call}


def _arguments(events: list[ReplyEvent]) -> dict[int, str]:
    """The joined arguments of each call."""
    calls: dict[int, str] = {}
    for event in events:
        if isinstance(event, ToolCallDelta):
            calls[event.position] = calls.get(event.position, "") + event.arguments
    return calls


def test_whole_blocks_are_values():
    """A whole block says its kind, its text and the call it belongs to."""
    got = whole_blocks([TextDelta("A"), begin(0, "{}"), Finish()])

    assert (
        Block(kind="text", text="A"),
        Block(kind="call", text="{}", call=begin(0, "{}")),
    ) == got
