"""Wrong Messages requests as data: what is sent, and what the error must say.

Rows whose fault lies in the JSON's values go to `decode`; rows marked `http` are wrong before any
JSON is read and make sense only to a server. All of them can be sent to one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRequest:
    """One wrong request.

    Attributes:
        name: what is wrong, in a few words; unique.
        body: the JSON value that is sent.
        raw: the bytes that are sent instead, where JSON's writer would not write them.
        headers: what is sent beside the key.
        status, type: what the error must say.
        param: the field that its message must name, or empty.
        word: what the message must hold.
        http: only a server can judge it.
        over_limit: the body must be padded beyond the server's own limit before it is sent.
    """

    name: str
    body: Any = None
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    status: int = 400
    type: str = "invalid_request_error"
    param: str = ""
    word: str = ""
    http: bool = False
    over_limit: bool = False

    @property
    def sent(self) -> bytes:
        """The request's body as bytes."""
        return json.dumps(self.body).encode() if self.raw is None else self.raw


HELLO = {"role": "user", "content": "Hello"}
GOOD = {"model": "Some-Bot", "max_tokens": 100, "messages": [HELLO]}
TOOL = {"name": "f", "description": "Does f.", "input_schema": {"type": "object"}}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "done"}


def nested(depth: int) -> dict[str, Any]:
    """An object of `depth` levels."""
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


def without(name: str) -> dict[str, Any]:
    """A good request but for one field."""
    return {key: value for key, value in GOOD.items() if key != name}


def _field(name: str, value: Any, word: str, param: str = "") -> BadRequest:
    title = f"{param or name} in {str(value)[:60]}"
    return BadRequest(name=title, body={**GOOD, name: value}, param=param or name, word=word)


def _message(title: str, message: Any, param: str, word: str) -> BadRequest:
    body = {**GOOD, "messages": [message]}
    return BadRequest(name=title, body=body, param=f"messages[0]{param}", word=word)


def _block(title: str, block: Any, param: str, word: str, role: str = "user") -> BadRequest:
    message = {"role": role, "content": [block]}
    return _message(title, message, f".content[0]{param}", word)


def _image(title: str, source: Any, param: str, word: str) -> BadRequest:
    return _block(title, {"type": "image", "source": source}, f".source{param}", word)


def _tool(title: str, tool: Any, param: str, word: str) -> BadRequest:
    body = {**GOOD, "tools": [tool]}
    return BadRequest(name=title, body=body, param=f"tools[0]{param}", word=word)


def _choice(title: str, choice: Any, param: str, word: str, tools: Any = (TOOL,)) -> BadRequest:
    body = {**GOOD, "tools": list(tools), "tool_choice": choice}
    return BadRequest(name=title, body=body, param=f"tool_choice{param}", word=word)


_BODIES = [
    BadRequest(name="an array", body=[GOOD], word="JSON object"),
    BadRequest(name="a string", body="Hello", word="JSON object"),
    BadRequest(name="null", body=None, word="JSON object"),
]

_ENVELOPE = [
    BadRequest(name="no model", body=without("model"), param="model", word="missing"),
    BadRequest(name="no messages", body=without("messages"), param="messages", word="missing"),
    BadRequest(
        name="no max_tokens", body=without("max_tokens"), param="max_tokens", word="missing"
    ),
    _field("model", "", "1 to 256"),
    _field("model", 7, "string"),
    _field("messages", [], "at least 1"),
    _field("messages", {}, "array"),
    _field("messages", "Hello", "array"),
    _field("max_tokens", 0, "from 1"),
    _field("max_tokens", -1, "from 1"),
    _field("max_tokens", "100", "number"),
    _field("max_tokens", 1.5, "whole number"),
    _field("max_tokens", True, "number"),
    _field("max_tokens", 10**30, "from 1"),
    _field("max_tokens", None, "missing"),
    _field("stream", "true", "true or false"),
    _field("stream", 1, "true or false"),
    _field("temperature", 2.5, "from 0 to 2"),
    _field("temperature", -0.1, "from 0 to 2"),
    _field("temperature", "warm", "number"),
    _field("top_p", 1.5, "from 0 to 1"),
    _field("top_k", 1.5, "whole number"),
    _field("stop_sequences", "END", "array of strings"),
    _field("stop_sequences", [1], "string", "stop_sequences[0]"),
    _field("stop_sequences", ["x"] * 200, "at most"),
    _field("metadata", "me", "object"),
    _field("metadata", nested(150), "deep"),
    _field("system", 7, "string or an array"),
    _field("system", [{"type": "text"}], "missing", "system[0].text"),
    _field("system", ["Be brief."], "object", "system[0]"),
    _field("system", {"type": "text", "text": "Be brief."}, "string or an array"),
    _field("thinking", True, "object"),
    _field("thinking", {}, "missing", "thinking.type"),
    _field("thinking", {"type": "deep"}, "'enabled'", "thinking.type"),
    _field(
        "thinking",
        {"type": "enabled", "budget_tokens": "many"},
        "number",
        "thinking.budget_tokens",
    ),
    _field("output_config", "high", "object"),
    _field("output_config", {"effort": "huge"}, "'low'", "output_config.effort"),
    _field("output_config", {"format": {}}, "missing", "output_config.format.type"),
    _field(
        "output_config",
        {"format": {"type": "yaml", "schema": {}}},
        "'json_schema'",
        "output_config.format.type",
    ),
    _field(
        "output_config",
        {"format": {"type": "json_schema"}},
        "missing",
        "output_config.format.schema",
    ),
    _field("tools", {}, "array"),
    _field("thread", "create", "object"),
    BadRequest(
        name="a thread that goes on",
        body={**GOOD, "thread": {"type": "continue", "previous_message_id": "msg_1"}},
        status=404,
        type="not_found_error",
        word="whole conversation",
    ),
]

_MESSAGES = [
    _message("a message that is a string", "Hello", "", "object"),
    _message("no role", {"content": "Hello"}, ".role", "missing"),
    _message("an unknown role", {"role": "tool", "content": "Hello"}, ".role", "'user'"),
    _message("a role that is a number", {"role": 1, "content": "Hello"}, ".role", "'user'"),
    _message("no content", {"role": "user"}, ".content", "missing"),
    _message("content null", {"role": "assistant", "content": None}, ".content", "missing"),
    _message("content a number", {"role": "user", "content": 7}, ".content", "string or an array"),
    _message("content an object", {"role": "user", "content": {}}, ".content", "array of blocks"),
    _block("a block that is a string", "Hello", "", "object"),
    _block("a block without type", {"text": "Hello"}, ".type", "missing"),
    _block("a block whose type is a number", {"type": 1}, ".type", "string"),
    _block("text without text", {"type": "text"}, ".text", "missing"),
    _block("text that is a number", {"type": "text", "text": 1}, ".text", "string"),
    _block("a thought without text", {"type": "thinking"}, ".thinking", "missing", "assistant"),
    _block("a call without id", {**CALL, "id": None}, ".id", "missing", "assistant"),
    _block("a call without name", {**CALL, "name": ""}, ".name", "1 to 256", "assistant"),
    _block("a call whose input is a list", {**CALL, "input": []}, ".input", "object", "assistant"),
    _block("a call whose input is deep", {**CALL, "input": nested(150)}, ".input", "deep"),
    _block("a result without call", {**RESULT, "tool_use_id": None}, ".tool_use_id", "missing"),
    _block("a result that is a number", {**RESULT, "content": 1}, ".content", "array of blocks"),
    _block("a result's error as a word", {**RESULT, "is_error": "no"}, ".is_error", "true or"),
    _block(
        "a block in a result without text",
        {**RESULT, "content": [{"type": "text"}]},
        ".content[0].text",
        "missing",
    ),
    _block(
        "a search result without content",
        {"type": "search_result", "source": "x", "title": "X"},
        ".content",
        "missing",
    ),
    _block("a document without source", {"type": "document"}, ".source", "missing"),
    _block(
        "a text document without data",
        {"type": "document", "source": {"type": "text"}},
        ".source.data",
        "missing",
    ),
    _image("an image without source", None, "", "missing"),
    _image("an image whose source has no type", {}, ".type", "missing"),
    _image("an image from nowhere", {"type": "ftp"}, ".type", "'base64'"),
    _image("an image without data", {"type": "base64"}, ".data", "missing"),
    _image("an image with empty data", {"type": "base64", "data": ""}, ".data", "no data"),
    _image("an image that is no base64", {"type": "base64", "data": "ä?"}, ".data", "base64"),
    _image("an image without link", {"type": "url"}, ".url", "missing"),
    _image("an image at a local file", {"type": "url", "url": "file:///etc"}, ".url", "http"),
    _image("an image without file id", {"type": "file"}, ".file_id", "missing"),
]

_TOOLS = [
    _tool("a tool that is a string", "f", "", "object"),
    _tool("a tool without name", {"input_schema": {}}, ".name", "missing"),
    _tool("a tool without schema", {"name": "f"}, ".input_schema", "missing"),
    _tool("a tool whose schema is a string", {**TOOL, "input_schema": "x"}, ".input_schema", "obj"),
    _tool("a tool whose schema is deep", {**TOOL, "input_schema": nested(150)}, ".input", "deep"),
    _tool("a tool described by a number", {**TOOL, "description": 1}, ".description", "string"),
    _tool("a tool that is strict by word", {**TOOL, "strict": "yes"}, ".strict", "true or false"),
    _tool("a tool whose type is a number", {**TOOL, "type": 1}, ".type", "string"),
    _tool(
        "code that Anthropic runs",
        {"type": "code_execution_20250825", "name": "code_execution"},
        ".type",
        "not offered here",
    ),
    _tool(
        "pages that Anthropic fetches",
        {"type": "web_fetch_20250910", "name": "web_fetch"},
        ".type",
        "not offered here",
    ),
    _tool(
        "a toolset of another server",
        {"type": "mcp_toolset", "mcp_server_name": "x"},
        ".type",
        "not offered here",
    ),
    _choice("a choice that is a word", "auto", "", "object"),
    _choice("a choice without type", {}, ".type", "'auto'"),
    _choice("a choice of an unknown type", {"type": "required"}, ".type", "'any'"),
    _choice("a choice without name", {"type": "tool"}, ".name", "missing"),
    _choice("a choice of another tool", {"type": "tool", "name": "g"}, ".name", "not offer"),
    _choice("any tool of none", {"type": "any"}, "", "no tools", ()),
    _choice(
        "parallel by word",
        {"type": "auto", "disable_parallel_tool_use": "no"},
        ".disable_parallel_tool_use",
        "true or false",
    ),
]

_HTTP = [
    BadRequest(name="nothing is sent", raw=b"", word="JSON", http=True),
    BadRequest(name="JSON is cut", raw=b'{"model": "m", "mess', word="JSON", http=True),
    BadRequest(name="NaN", raw=b'{"model": "m", "temperature": NaN}', word="NaN", http=True),
    BadRequest(name="bad UTF-8", raw=b'{"model": "\xff\xfe"}', word="UTF-8", http=True),
    BadRequest(
        name="brackets without end",
        raw=b'{"model": "m", "messages": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        word="nested",
        http=True,
    ),
    BadRequest(
        name="a form",
        raw=b"model=m&messages=Hello",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        status=415,
        word="application/json",
        http=True,
    ),
    BadRequest(
        name="a body beyond the limit",
        body=GOOD,
        status=413,
        type="request_too_large",
        word="large",
        http=True,
        over_limit=True,
    ),
]

BAD_REQUESTS = [*_BODIES, *_ENVELOPE, *_MESSAGES, *_TOOLS, *_HTTP]
