"""The events that an answer's text became."""

from __future__ import annotations

import pytest

from poeflask.core.reply import TextDelta, ToolCallDelta
from poeflask.filters.tool_calls.reading import MAX_CALLS, EnoughError, Output
from tests.filters.tool_calls.steps import WRITE


def _output(*, parallel: bool = True, position: int = 0) -> Output:
    return Output(new_call_id=lambda: "id", parallel=parallel, position=position, hold_chars=3)


def test_events_are_taken_once() -> None:
    """Text and calls come in their order, calls numbered from the first position."""
    output = _output(position=2)
    output.say("a")
    output.make_all([(WRITE, {"path": "b"})])

    call = ToolCallDelta(position=2, call_id="id", name="write", arguments='{"path":"b"}')
    assert [TextDelta("a"), call] == output.take()
    assert [] == output.take()
    assert (1, 3) == (output.calls, output.next_position)


def test_a_streaming_call_counts_once() -> None:
    """It counts when its beginning goes, and is being sent until it is closed."""
    output = _output()
    writer = output.begin(WRITE)
    writer.begin("text")
    states = [(output.pass_on(writer), output.calls, output.is_sending)]
    writer.text("long enough")
    states += [(output.pass_on(writer), output.calls, output.is_sending) for _ in range(2)]
    writer.end()
    output.close(writer)
    states.append((False, output.calls, output.is_sending))

    assert [(False, 0, False), (True, 1, True), (False, 1, True), (False, 1, False)] == states


@pytest.mark.parametrize(("parallel", "limit"), [(False, 1), (True, MAX_CALLS)])
def test_there_is_a_last_call(parallel: bool, limit: int) -> None:
    """Behind it nothing is wanted; the call itself is there."""
    output = _output(parallel=parallel)
    with pytest.raises(EnoughError):
        output.make_all([(WRITE, {})] * (MAX_CALLS + 1))

    assert limit == output.calls == len(output.take())
