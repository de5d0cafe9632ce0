"""Wrong requests for responses as data: what is sent, and what the error must say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRequest:
    """One wrong request.

    Attributes:
        name: what is wrong, in a few words; unique.
        body: the JSON value that is sent.
        status, code, param: what the error must say; `code` None means that it has none.
        word: what the message must hold.
    """

    name: str
    body: Any
    status: int = 400
    code: str | None = None
    param: str | None = None
    word: str = ""


GOOD = {"model": "Some-Bot", "input": "Hello"}
FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}}
USER = {"role": "user", "content": "Hello"}


def nested(depth: int) -> dict[str, Any]:
    """An object of `depth` levels."""
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


def _field(name: str, value: Any, word: str, param: str = "", **more: Any) -> BadRequest:
    title = f"{param or name} in {str(value)[:60]}"
    body = {**GOOD, name: value}
    return BadRequest(name=title, body=body, param=param or name, word=word, **more)


def _item(title: str, item: Any, param: str, word: str, **more: Any) -> BadRequest:
    """A second item that is wrong; `param` is relative to it."""
    body = {**GOOD, "input": [USER, item]}
    return BadRequest(name=title, body=body, param=f"input[1]{param}", word=word, **more)


def _part(title: str, part: Any, param: str, word: str) -> BadRequest:
    """A part that is wrong, in the first item."""
    body = {**GOOD, "input": [{"role": "user", "content": [part]}]}
    return BadRequest(name=title, body=body, param=f"input[0].content[0]{param}", word=word)


def _tool(title: str, tool: Any, param: str, word: str) -> BadRequest:
    body = {**GOOD, "tools": [tool]}
    return BadRequest(name=title, body=body, param=f"tools[0]{param}", word=word)


def _choice(choice: Any, param: str, word: str, *tools: Any) -> BadRequest:
    body = {**GOOD, "tools": list(tools) or [FUNCTION], "tool_choice": choice}
    title = f"tool_choice {str(choice)[:60]} with {len(tools)} tools"
    return BadRequest(name=title, body=body, param=param, word=word)


BAD_REQUESTS: tuple[BadRequest, ...] = (
    BadRequest(name="an array", body=[], word="JSON object"),
    BadRequest(name="nothing", body={}, param="model", word="missing"),
    BadRequest(name="no input", body={"model": "b"}, param="input", word="missing"),
    BadRequest(name="empty input", body={"model": "b", "input": []}, param="input", word="empty"),
    BadRequest(
        name="a message of nothing",
        body={"model": "b", "input": [{"role": "user", "content": ""}]},
        param="input",
        word="says nothing",
    ),
    _field("model", 5, "must be a string"),
    _field("model", "", "characters long"),
    _field("model", "b" * 300, "characters long"),
    _field("input", 5, "a string or an array"),
    _field("input", {"role": "user"}, "a string or an array"),
    _field("input", [USER] * 10_001, "at most"),
    _field("input", ["Hello"], "must be an object", "input[0]"),
    _field("instructions", 5, "must be a string"),
    _field("stream", "yes", "true or false"),
    _field("background", 1, "true or false"),
    _field("store", "no", "true or false"),
    _field("temperature", 3, "from 0 to 2"),
    _field("temperature", True, "must be a number"),
    _field("top_p", -0.1, "from 0 to 1"),
    _field("top_logprobs", 21, "from 0 to 20"),
    _field("top_logprobs", 5, "cannot be given", code="unsupported_parameter"),
    _field("max_output_tokens", 0, "from 1"),
    _field("max_output_tokens", 10**30, "from 1"),
    _field("max_output_tokens", 1.5, "whole number"),
    _field("truncation", "sometimes", "'auto' or 'disabled'"),
    _field("parallel_tool_calls", "x", "true or false"),
    _field("include", "all", "array of strings"),
    _field("include", [5], "must be a string", "include[0]"),
    _field("text", "short", "must be an object", "text"),
    _field("text", {"verbosity": "huge"}, "'low', 'medium' or 'high'", "text.verbosity"),
    _field("text", {"format": {"type": "xml"}}, "json_schema", "text.format.type"),
    _field("text", {"format": {}}, "missing", "text.format.type"),
    _field("text", {"format": {"type": "json_schema"}}, "missing", "text.format.name"),
    _field(
        "text",
        {"format": {"type": "json_schema", "name": "P"}},
        "missing",
        "text.format.schema",
    ),
    _field(
        "text",
        {"format": {"type": "json_schema", "name": "P", "schema": nested(150)}},
        "levels deep",
        "text.format.schema",
    ),
    _field("reasoning", {"effort": "extreme"}, "'low'", "reasoning.effort"),
    _field("reasoning", "high", "must be an object"),
    _field("metadata", {str(n): "x" for n in range(17)}, "at most 16 pairs"),
    _field("metadata", {"a": 5}, "must be a string", "metadata.a"),
    _field("metadata", {"a": "x" * 513}, "512", "metadata.a"),
    _field("metadata", {"k" * 65: "x"}, "64"),
    _field("prompt", {"id": "p"}, "templates", code="unsupported_parameter"),
    _field("previous_response_id", 5, "must be a string"),
    _field("previous_response_id", "", "characters long"),
    _field("conversation", 5, "must be a string"),
    _field("conversation", {}, "missing", "conversation.id"),
    BadRequest(
        name="two pasts",
        body={**GOOD, "previous_response_id": "resp_1", "conversation": "conv_1"},
        param="previous_response_id",
        word="together",
    ),
    BadRequest(
        name="in the background and not kept",
        body={**GOOD, "background": True, "store": False},
        param="background",
        word="'store': true",
    ),
    _item("type is a number", {"type": 5}, ".type", "must be a string"),
    _item("no role", {"type": "message", "content": "x"}, ".role", "missing"),
    _item("strange role", {"role": "king", "content": "x"}, ".role", "'user'"),
    _item("no content", {"role": "user"}, ".content", "missing"),
    _item("content is a number", {"role": "user", "content": 5}, ".content", "array of parts"),
    _item(
        "reference to nothing",
        {"type": "item_reference", "id": "msg_1"},
        ".id",
        "not kept here",
        status=404,
        code="not_found",
    ),
    _item("call without name", {"type": "function_call", "call_id": "c"}, ".name", "missing"),
    _item("call without id", {"type": "function_call", "name": "f"}, ".call_id", "missing"),
    _item(
        "arguments are a number",
        {"type": "function_call", "name": "f", "call_id": "c", "arguments": 5},
        ".arguments",
        "must be a string",
    ),
    _item(
        "custom call without input",
        {"type": "custom_tool_call", "name": "f", "call_id": "c"},
        ".input",
        "missing",
    ),
    _item(
        "shell call without action",
        {"type": "local_shell_call", "call_id": "c"},
        ".action",
        "missing",
    ),
    _item(
        "result of no call",
        {"type": "function_call_output", "output": "x"},
        ".call_id",
        "missing",
    ),
    _item(
        "result is a number",
        {"type": "function_call_output", "call_id": "c", "output": 5},
        ".output",
        "must be a string",
    ),
    _item("summary is text", {"type": "reasoning", "summary": "x"}, ".summary", "array"),
    _item("thought is text", {"type": "reasoning", "summary": ["x"]}, ".summary[0]", "an object"),
    _part("part is text", "x", "", "an object"),
    _part("part without type", {"text": "x"}, ".type", "missing"),
    _part("text is a number", {"type": "input_text", "text": 5}, ".text", "must be a string"),
    _part("picture without link", {"type": "input_image"}, ".image_url", "missing"),
    _part(
        "picture on this machine",
        {"type": "input_image", "image_url": "file:///etc/passwd"},
        ".image_url",
        "http(s)",
    ),
    _part("file of nothing", {"type": "input_file"}, "", "file_data"),
    _part(
        "sound of no format",
        {"type": "input_audio", "input_audio": {"data": "aaaa"}},
        ".input_audio.format",
        "missing",
    ),
    _field("tools", {"type": "function"}, "must be an array"),
    _field("tools", [FUNCTION] * 1_001, "at most"),
    _tool("tool is text", "f", "", "an object"),
    _tool("tool without type", {"name": "f"}, ".type", "missing"),
    _tool("function without name", {"type": "function"}, ".name", "missing"),
    _tool("strict is text", {**FUNCTION, "strict": "x"}, ".strict", "true or false"),
    _tool(
        "parameters are text",
        {"type": "function", "name": "f", "parameters": "x"},
        ".parameters",
        "an object",
    ),
    _tool("namespace without tools", {"type": "namespace", "name": "n"}, ".tools", "missing"),
    _tool("namespace without name", {"type": "namespace", "tools": []}, ".name", "missing"),
    _tool("custom without name", {"type": "custom"}, ".name", "missing"),
    _choice("always", "tool_choice", "'auto'"),
    _choice(5, "tool_choice", "a string or an object"),
    _choice({}, "tool_choice.type", "missing"),
    _choice({"type": "function"}, "tool_choice.name", "missing"),
    _choice({"type": "function", "name": "g"}, "tool_choice", "does not offer"),
    _choice({"type": "file_search"}, "tool_choice.type", "Poe does not have"),
    _choice({"type": "image_generation"}, "tool_choice.type", "Poe does not have", FUNCTION),
    _choice({"type": "shell"}, "tool_choice.type", "Poe does not have"),
    _choice("required", "tool_choice", "no tools", {"type": "code_interpreter"}),
    _choice({"type": "allowed_tools", "tools": 5}, "tool_choice.tools", "an array"),
    _choice({"type": "allowed_tools", "tools": [5]}, "tool_choice.tools[0]", "an object"),
    _choice(
        {"type": "allowed_tools", "mode": "none", "tools": []},
        "tool_choice.mode",
        "'auto' or 'required'",
    ),
)
