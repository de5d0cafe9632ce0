"""The laws of filters, held over both ways of giving a bot tools."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.profile import Profile
from poeflask.core.reply import Failure, ReasoningDelta, ToolCallDelta, Usage
from tests.filters.laws import Answered, Stranger, check_laws, parted, recut, streams, text_of
from tests.filters.tool_filters import BOT, BROKEN, CALL, NATIVE, choosing, first, made

PIECES = (
    "<tool_call>",
    '{"name": "get_time", "arguments": {}}',
    "</tool_call>",
    "</tool_",
    CALL,
    BROKEN,
    "```",
    "`",
    "\n",
    "<think",
)
SIDE_EVENTS = st.one_of(
    st.builds(Stranger, st.integers(0, 9)),
    st.builds(ReasoningDelta, st.sampled_from(("Hm.", CALL))),
    st.builds(Usage, prompt_tokens=st.integers(1, 9), completion_tokens=st.integers(1, 9)),
)
NATIVE_CALLS = st.builds(
    first,
    st.sampled_from(("get_time", "unknown", "")),
    st.sampled_from(("", "{}", '{"zone"')),
    st.integers(0, 2),
)


@pytest.mark.parametrize("profile", [BOT, NATIVE], ids=["prompted", "native"])
@pytest.mark.parametrize("mode", ["auto", "required"])
@given(data=st.data())
def test_laws(data: st.DataObject, profile: Profile, mode: str) -> None:
    """One end, every cut alike, nothing lost, strangers pass; also with a second answer."""
    native = profile.native_tools
    side = st.one_of(SIDE_EVENTS, NATIVE_CALLS) if native else SIDE_EVENTS
    stream = data.draw(streams(PIECES, side))
    second = data.draw(streams(PIECES, SIDE_EVENTS))

    def make() -> Answered:
        return Answered(made(choosing(mode=mode), profile)[0], second)

    got = check_laws(make, stream, data.draw(recut(stream)), parted)
    no_call = not any(isinstance(event, ToolCallDelta) for event in got)
    if no_call and mode == "auto" and not isinstance(got[-1], Failure):
        strangers = [event for event in stream if isinstance(event, Stranger)]
        assert strangers == [e for e in got if isinstance(e, Stranger)][: len(strangers)]
        assert text_of(stream) == text_of(got)[: len(text_of(stream))]
