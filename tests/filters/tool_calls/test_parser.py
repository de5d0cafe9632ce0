"""Laws of the parser: cuts, concatenation, nothing lost, linear work, early names."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.core.json_text import repaired
from poeflask.core.prompt import ToolCall
from poeflask.core.reply import Reply, ReplyEvent, TextDelta, ToolCallDelta, gather
from poeflask.filters.tool_calls.parser import ToolParser
from poeflask.filters.tool_text import write_call
from tests.filters.test_tool_corpus import MARK, TOOLS

FRAGMENTS = st.sampled_from(
    """<tool_call>~</tool_call>~<tool_call:k3f9x2 name="run">~</tool_call:k3f9x2>~\n~\n~ ~`~```~
<arg:k3f9x2 name="command">~</arg:k3f9x2>~{"name": "run", "arguments": {"command": "x"}}~"~\\~
{"command": "ls"}~{"name": "run", "arguments": {"command": "a "b" c"}}~```json\n~word~<~>~{~}~[~
<invoke name="run">~</invoke>~<parameter name="command">~</parameter>~<function=run>~</function>~
<function_calls>~</function_calls>~<think>~</think>~&lt;~&lt;tool_call&gt;~&lt;/tool_call&gt;~*~
[TOOL_CALLS]~<![CDATA[~]]>~<tool_code>~</tool_code>~run(command="x")~<arg_key>command</arg_key>~
<arg_value>~</arg_value>~<|tool_call_begin|>~\r\n~é~<tool_call:k3f9x2 name="get_time">""".replace(
        "~\n<", "~<"
    ).split("~")
)
texts = st.lists(FRAGMENTS, max_size=20).map("".join)


def _parser(**options: object) -> ToolParser:
    numbers = iter(range(1000))
    return ToolParser(
        TOOLS,
        MARK,
        new_call_id=lambda: f"call_{next(numbers)}",
        repair=repaired,
        **options,  # type: ignore[arg-type]
    )


def _parsed(pieces: Iterable[str], **options: object) -> tuple[Reply, ToolParser]:
    parser = _parser(**options)
    events: list[ReplyEvent] = []
    for piece in pieces:
        events += parser.feed(piece)
    if not parser.done:
        events += parser.end()
    return gather(events), parser


@settings(max_examples=100, deadline=None)
@given(texts, st.sampled_from([0, 5, 2048]))
def test_cuts_do_not_matter(text: str, hold_chars: int) -> None:
    """Whatever a bot writes, whole and character by character it is read the same."""
    whole, first = _parsed([text], hold_chars=hold_chars)
    cut, second = _parsed(text, hold_chars=hold_chars)

    assert whole == cut
    assert first.broken == second.broken


@settings(max_examples=100, deadline=None)
@given(texts)
def test_nothing_is_lost_without_a_call(text: str) -> None:
    """Text in which no call is found comes back letter for letter."""
    reply, parser = _parsed([text])
    broken = parser.broken.text if parser.broken else ""

    assert parser.calls or text == reply.text + broken


@settings(max_examples=100, deadline=None)
@given(texts, st.sampled_from([0, 2048]))
def test_arguments_joined_are_json(text: str, hold_chars: int) -> None:
    """The pieces of every function call that is not broken make one JSON object."""
    reply, parser = _parsed(text, hold_chars=hold_chars)
    is_half = parser.broken is not None and parser.broken.sent
    calls = [call for call in reply.tool_calls if call.kind == "function"]
    whole = calls[:-1] if is_half else calls

    assert all(isinstance(json.loads(call.arguments), dict) for call in whole)


values = st.fixed_dictionaries(
    {"path": st.text(), "content": st.text(alphabet=st.characters(), max_size=300)},
    optional={"mode": st.integers(), "append": st.booleans()},
)


@settings(max_examples=100, deadline=None)
@given(values, st.sampled_from([0, 2048]))
def test_what_is_written_is_read(arguments: dict[str, object], hold_chars: int) -> None:
    """A call written in the form gives back its very arguments, also when it streams."""
    call = ToolCall(call_id="x", name="write_file", arguments=json.dumps(arguments))
    text = write_call(MARK, call)
    reply, _ = _parsed(text, hold_chars=hold_chars)

    assert [arguments] == [json.loads(done.arguments) for done in reply.tool_calls]


def test_a_long_block_streams() -> None:
    """The name and what is certain of a long text are given before its end has come."""
    parser = _parser()
    head = f'<tool_call:{MARK} name="write_file">\n{{"path": "a"}}\n<arg:{MARK} name="content">\n'
    first = parser.feed(head + "x" * 3000)
    second = parser.feed("y\n")
    last = parser.feed(f"</arg:{MARK}>\n</tool_call:{MARK}>")

    assert first == [
        ToolCallDelta(
            position=0,
            call_id="call_0",
            name="write_file",
            arguments='{"path":"a","content":"' + "x" * 3000,
        )
    ]
    assert second == [ToolCallDelta(position=0, arguments="y")]
    assert last == [ToolCallDelta(position=0, arguments='"}')]


def test_only_what_may_become_a_marker_is_held() -> None:
    """Text goes on at once; a tail waits only as long as it may begin a call."""
    parser = _parser()
    got = [parser.feed(piece) for piece in ("Hello <", "b>you</b> <tool", "box> `", "x` ok")]

    expected = ["Hello ", "<b>you</b> ", "<toolbox> ", "`x` ok"]
    assert [[TextDelta(text)] for text in expected] == got


def test_one_call_may_be_the_limit() -> None:
    """Where calls may not be parallel, the first is the last."""
    call = f'<tool_call:{MARK} name="get_time"></tool_call:{MARK}>'
    reply, parser = _parsed([call * 3], parallel=False)

    assert (len(reply.tool_calls), parser.done) == (1, True)


def test_calls_are_bounded() -> None:
    """An answer that calls without end is read up to a number of calls."""
    reply, parser = _parsed([f'<tool_call:{MARK} name="get_time"/>' * 200])

    assert (len(reply.tool_calls), parser.done) == (128, True)


def test_a_repair_is_bounded() -> None:
    """Text that is too long is not given to the repairer, which is slow."""
    seen: list[str] = []

    def repair(text: str) -> object:
        seen.append(text)
        raise ValueError("no")

    parser = ToolParser(TOOLS, MARK, new_call_id=lambda: "c", repair=repair)
    broken = '{"name": "run", "arguments": {"command": <'
    parser.feed(f"<tool_call>{broken + 'x' * 70_000}}}</tool_call>")
    parser.end()

    assert not seen
    assert parser.broken is not None


LONG: dict[str, Callable[[int], str]] = {
    "block": lambda size: (
        f'<tool_call:{MARK} name="write_file">{{"path":"a"}}<arg:{MARK} name="content">\n'
        + "line <b> x\n" * (size // 11)
        + f"</arg:{MARK}></tool_call:{MARK}>"
    ),
    "JSON": lambda size: (
        '<tool_call>{"name":"write_file","arguments":{"path":"a","content":"'
        + "line <b> x\\n" * (size // 12)
        + '"}}</tool_call>'
    ),
    "closing tags": lambda size: (
        '<invoke name="run"><parameter name="command">' + "</parameter> x\n" * (size // 15)
    ),
    "backticks": lambda size: "`" * size,
    "openers": lambda size: "<tool_call>" * (size // 11),
    "line breaks": lambda size: f'<tool_call:{MARK} name="apply_patch">x' + "\n" * size,
}


@pytest.mark.parametrize("kind", LONG)
def test_work_is_linear(kind: str) -> None:
    """A character of a long answer costs what one of a short answer does, fed one by one."""
    short = min(_seconds_a_character(LONG[kind](10_000)) for _ in range(3))
    long = min(_seconds_a_character(LONG[kind](60_000)) for _ in range(2))

    assert long < 3 * short


def test_a_megabyte_is_linear() -> None:
    """A million characters of arguments, fed one by one, cost no more each than ten thousand."""
    short = min(_seconds_a_character(LONG["JSON"](10_000)) for _ in range(5))
    long = _seconds_a_character(LONG["JSON"](1_000_000))

    assert long < 2 * short


def _seconds_a_character(text: str) -> float:
    parser = _parser()
    begin = time.process_time()
    for char in text:
        parser.feed(char)
    parser.end()
    return (time.process_time() - begin) / len(text)
