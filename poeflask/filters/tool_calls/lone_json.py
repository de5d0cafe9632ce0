"""Calls as JSON that no tag calls calls: the whole answer, or fences at its end.

They are believed only if they look like calls and nothing else follows them; broken ones are text.
"""

from __future__ import annotations

import re
from typing import Any

from poeflask.core.prompt import Tool
from poeflask.filters.tool_calls.fences import JSON_FENCES, fence_info, skip_fence_start
from poeflask.filters.tool_calls.json_reader import JsonReader
from poeflask.filters.tool_calls.reading import Reading
from poeflask.filters.tool_calls.source import BrokenCallError, NotACallError, Source, Steps

_CALL_KEYS = (
    "name|tool|tool_name|function_name|function|function_call|tool_calls|type|id|arguments"
    "|parameters|input|args|params|recipient_name"
)
_LOOKS = re.compile(rf"[\[{{][\s\[{{]{{0,40}}[\"'](?:{_CALL_KEYS})[\"']")
_MAY_LOOK = re.compile(r"[\[{][\s\[{]{0,40}(?:[\"']\w{0,20})?\Z")


def read_lone_json(reading: Reading, json: JsonReader, *, fenced: bool) -> Steps[None]:
    """Read JSON up to the answer's end, and add its calls to the output.

    Args:
        reading: the answer.
        json: reads its JSON.
        fenced: each piece of JSON stands in a fence, whose opening line comes next.

    Raises:
        NotACallError: something there is no call.
    """
    source = reading.source
    read_next = _read_fenced if fenced else _read_bare
    found = yield from read_next(source, json)
    while source.left:
        found += yield from read_next(source, json)
    if source.truncated:
        raise NotACallError
    reading.output.make_all(found)


def _read_fenced(source: Source, json: JsonReader) -> Steps[list[tuple[Tool, Any]]]:
    if source.peek() not in ("`", "~") or (yield from fence_info(source)) not in JSON_FENCES:
        raise NotACallError
    skip_fence_start(source)
    yield from source.skip_space()
    found = yield from _read_bare(source, json)
    if (yield from source.comes("```")):
        source.take((yield from source.run_size()))
    yield from source.skip_space()
    return found


def _read_bare(source: Source, json: JsonReader) -> Steps[list[tuple[Tool, Any]]]:
    yield from _need_look_of_call(source)
    try:
        found = yield from json.calls()
    except BrokenCallError as error:
        raise NotACallError from error
    yield from source.skip_space()
    return found


def _need_look_of_call(source: Source) -> Steps[None]:
    """Go on only if the first key is one that a call may begin with."""
    while not _LOOKS.match(source.text, source.at):
        if source.ended or not _MAY_LOOK.match(source.text, source.at):
            raise NotACallError
        yield
