"""Valid requests, and how they are made wrong."""

from __future__ import annotations

import copy
import os
from typing import Any

from hypothesis import strategies as st

EXAMPLES = int(float(os.environ.get("FUZZ_SECONDS", "4")) * 40)
"""How many each test tries: some forty are done in a second."""

_PIXEL = "data:image/png;base64,iVBORw0KGgo="
_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["a", "b"]}, "n": {"type": "integer"}},
    "required": ["city"],
    "additionalProperties": False,
}
_FUNCTION = {"name": "weather", "description": "?", "parameters": _SCHEMA, "strict": True}
_CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"n":1}'}}

REQUESTS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {
        "model": "Echo",
        "messages": [
            {"role": "system", "content": "Be short."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "hi"},
                    {"type": "image_url", "image_url": {"url": _PIXEL, "detail": "low"}},
                    {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
                    {"type": "file", "file": {"file_data": "aGk=", "filename": "a.txt"}},
                ],
            },
            {"role": "assistant", "content": None, "tool_calls": [_CALL]},
            {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        ],
        "tools": [{"type": "function", "function": _FUNCTION}],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "a", "schema": _SCHEMA, "strict": True},
        },
        "stream": True,
        "stream_options": {"include_usage": True},
        "stop": ["x"],
        "n": 1,
        "max_tokens": 10,
        "temperature": 0.5,
        "reasoning_effort": "low",
        "logit_bias": {"1": 1},
        "metadata": {"a": "b"},
    },
    "/v1/completions": {"model": "Echo", "prompt": ["hi"], "n": 2, "echo": True, "stop": "x"},
    "/v1/responses": {
        "model": "Echo",
        "instructions": "Be short.",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
            {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "?"}]},
        ],
        "tools": [{"type": "function", **_FUNCTION}],
        "text": {"format": {"type": "json_schema", "name": "a", "schema": _SCHEMA}},
        "reasoning": {"effort": "low", "summary": "auto"},
        "stream": True,
        "store": True,
        "metadata": {"a": "b"},
    },
    "/v1/messages": {
        "model": "Echo",
        "max_tokens": 10,
        "system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "hi"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "?", "signature": "s"},
                    {"type": "tool_use", "id": "t", "name": "weather", "input": {"city": "a"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t", "content": "sunny"},
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": "aGk="},
                    },
                ],
            },
        ],
        "tools": [{"name": "weather", "input_schema": _SCHEMA}],
        "tool_choice": {"type": "any"},
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "stream": True,
    },
    "/v1/messages/count_tokens": {
        "model": "Echo",
        "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"name": "weather", "input_schema": _SCHEMA}],
    },
    "/v1beta/models/Echo:streamGenerateContent?alt=sse": {
        "systemInstruction": {"parts": [{"text": "Be short."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {"n": 1}}}]},
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"name": "weather", "response": {"a": 1}}},
                    {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
                ],
            },
        ],
        "tools": [{"functionDeclarations": [{"name": "weather", "parameters": _SCHEMA}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        "generationConfig": {
            "responseMimeType": "application/json",
            "responseSchema": _SCHEMA,
            "stopSequences": ["x"],
            "thinkingConfig": {"thinkingBudget": 10},
        },
    },
    "/v1beta/models/Echo:countTokens": {"contents": [{"parts": [{"text": "hi"}]}]},
    "/api/chat": {
        "model": "Echo",
        "messages": [
            {"role": "user", "content": "hi", "images": ["aGk="]},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"function": {"name": "weather", "arguments": {"n": 1}}}],
            },
            {"role": "tool", "content": "sunny", "tool_name": "weather"},
        ],
        "tools": [{"type": "function", "function": _FUNCTION}],
        "format": _SCHEMA,
        "options": {"temperature": 0.1, "stop": ["x"], "num_predict": 10},
        "think": True,
        "keep_alive": "5m",
    },
    "/api/generate": {"model": "Echo", "prompt": "hi", "system": "x", "context": [1, 2]},
    "/api/show": {"model": "Echo"},
    "/v1/images/generations": {"model": "Painter", "prompt": "a cat", "n": 1, "size": "auto"},
    "/v1/audio/speech": {"model": "Speaker", "input": "hi", "voice": "x", "speed": 1.0},
    "/v1/embeddings": {"model": "wordllama-256", "input": ["hi", "you"], "dimensions": 64},
    "/v1/moderations": {"input": [{"type": "text", "text": "hi"}]},
    "/v1/conversations": {"items": [{"role": "user", "content": "hi"}], "metadata": {"a": "b"}},
}
"""A request for each route that takes JSON, with as much in it as there is."""

_ODD = st.sampled_from(
    [
        *(None, True, False, 0, -1, 1.5, 2**63, 10**400, 1e308, "", " ", "x", "\ud83d", "\x00"),
        *("x" * 70_000, [], {}, [[]], [{}], {"": ""}, ["x"] * 600, {"type": None}, [None]),
        *("data:image/png;base64,!", "https://", "file:///etc/passwd", "http://127.0.0.1/"),
        *("\u202e", "null", "NaN", "{}", "../../x", "%00", "a\r\nb: c", "<|endoftext|>"),
    ]
)
_VALUES = st.recursive(
    _ODD | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=8) | st.sampled_from(["type", "role", "content", "text", "$ref"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything within a value."""
    inner = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    found = [at] if at else []
    for key, part in inner:
        found += _places(part, (*at, key))
    return found


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, Any]:
    """(path, body) of a valid request in which one to three things were changed."""
    path = draw(st.sampled_from(sorted(REQUESTS)))
    body = copy.deepcopy(REQUESTS[path])
    for _ in range(draw(st.integers(1, 3))):
        _change(draw, body)
    return path, body


def _change(draw: st.DrawFn, body: Any) -> None:
    places = _places(body)
    if not places:
        return
    *way, last = draw(st.sampled_from(places))
    holder = body
    for key in way:
        holder = holder[key]
    match draw(st.sampled_from(["replace", "drop", "wrap", "repeat", "swap"])):
        case "replace":
            # A copy: what is drawn is one and the same object each time.
            holder[last] = copy.deepcopy(draw(_VALUES))
        case "drop":
            del holder[last]
        case "wrap":
            holder[last] = draw(st.sampled_from([[holder[last]], {"a": holder[last]}]))
        case "repeat":
            count = draw(st.sampled_from([2, 40]))
            holder[last] = [copy.deepcopy(holder[last]) for _ in range(count)]
        case _:
            other = draw(st.sampled_from(places))
            holder[last] = copy.deepcopy(_found(body, other))


def _found(body: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        body = body[key]
    return body
