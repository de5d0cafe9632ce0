"""Wrong chat requests as data: what is sent, and what the error must say.

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
        status, type, code, param: what the error must say; `code` None means that it has none.
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
    code: str | None = None
    param: str | None = None
    word: str = ""
    http: bool = False
    over_limit: bool = False

    @property
    def sent(self) -> bytes:
        """The request's body as bytes."""
        return json.dumps(self.body).encode() if self.raw is None else self.raw


HELLO = {"role": "user", "content": "Hello"}
GOOD = {"model": "Some-Bot", "messages": [HELLO]}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
SCHEMA_FORMAT = {"type": "json_schema", "json_schema": {"name": "Person", "schema": {}}}


def nested(depth: int) -> dict[str, Any]:
    """An object of `depth` levels."""
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


def _field(name: str, value: Any, word: str, param: str = "", title: str = "") -> BadRequest:
    title = title or f"{param or name} in {str(value)[:60]}"
    return BadRequest(name=title, body={**GOOD, name: value}, param=param or name, word=word)


def _unsupported(name: str, value: Any) -> BadRequest:
    return BadRequest(
        name=f"{name} is {value}",
        body={**GOOD, name: value},
        param=name,
        code="unsupported_parameter",
        word="cannot be given",
    )


def _message(title: str, message: Any, param: str, word: str) -> BadRequest:
    """A second message that is wrong; `param` is relative to it."""
    at = f"messages[1]{param}"
    return BadRequest(name=title, body={**GOOD, "messages": [HELLO, message]}, param=at, word=word)


def _part(title: str, part: Any, param: str, word: str) -> BadRequest:
    """A second part of a user's message that is wrong; `param` is relative to it."""
    content = [{"type": "text", "text": "See:"}, part]
    return _message(title, {"role": "user", "content": content}, f".content[1]{param}", word)


def _call(title: str, call: Any, param: str, word: str) -> BadRequest:
    """An assistant's second call that is wrong; `param` is relative to it."""
    message = {"role": "assistant", "content": None, "tool_calls": [CALL, call]}
    return _message(title, message, f".tool_calls[1]{param}", word)


def _tool(title: str, tool: Any, param: str, word: str) -> BadRequest:
    """A second tool that is wrong; `param` is relative to it."""
    body = {**GOOD, "tools": [TOOL, tool]}
    return BadRequest(name=title, body=body, param=f"tools[1]{param}", word=word)


def _choice(title: str, choice: Any, param: str, word: str) -> BadRequest:
    body = {**GOOD, "tools": [TOOL], "tool_choice": choice}
    return BadRequest(name=title, body=body, param=f"tool_choice{param}", word=word)


_BODIES = [
    BadRequest(name="body is an array", body=[GOOD], word="JSON object"),
    BadRequest(name="body is a string", body="Hello", word="JSON object"),
    BadRequest(name="body is a number", body=7, word="JSON object"),
    BadRequest(name="body is null", body=None, word="JSON object", raw=b"null"),
    BadRequest(name="body is empty object", body={}, param="model", word="missing"),
    BadRequest(name="no model", body={"messages": [HELLO]}, param="model", word="missing"),
    BadRequest(name="no messages", body={"model": "m"}, param="messages", word="missing"),
]

_ENVELOPE = [
    _field("model", None, "missing"),
    _field("model", "", "1 to 256"),
    _field("model", "m" * 300, "1 to 256"),
    _field("model", 5, "string"),
    _field("model", ["Some-Bot"], "array"),
    _field("messages", None, "missing"),
    _field("messages", [], "at least 1"),
    _field("messages", "Hello", "array"),
    _field("messages", HELLO, "array"),
    _field("messages", [HELLO] * 10_001, "10000", title="too many messages"),
    _field("stream", "true", "true or false"),
    _field("stream", 1, "true or false"),
    _field("stream_options", True, "object"),
    _field("stream_options", {"include_usage": "yes"}, "true", "stream_options.include_usage"),
    _field("n", 0, "from 1 to 16"),
    _field("n", -1, "from 1 to 16"),
    _field("n", 17, "from 1 to 16"),
    _field("n", 10**30, "from 1 to 16"),
    _field("n", 1.5, "whole number"),
    _field("n", "2", "string"),
    _field("n", True, "boolean"),
    _field("temperature", "0.5", "string"),
    _field("temperature", 2.01, "from 0 to 2"),
    _field("temperature", -0.1, "from 0 to 2"),
    _field("temperature", True, "boolean"),
    _field("temperature", 10**400, "from 0 to 2", title="temperature beyond any float"),
    _field("temperature", [1], "array"),
    _field("top_p", 1.1, "from 0 to 1"),
    _field("top_p", {}, "object"),
    _field("top_k", 0.5, "whole number"),
    _field("frequency_penalty", 3, "from -2 to 2"),
    _field("presence_penalty", -2.5, "from -2 to 2"),
    _field("seed", 2**63, "whole number"),
    _field("seed", "lucky", "string"),
    _field("logit_bias", [1], "array"),
    _field("logit_bias", {"50256": 101}, "from -100 to 100", "logit_bias.50256"),
    _field("logit_bias", {"50256": "no"}, "number", "logit_bias.50256"),
    _field("max_tokens", 0, "from 1"),
    _field("max_tokens", -1, "from 1"),
    _field("max_tokens", 2**31, "from 1 to 2147483647"),
    _field("max_tokens", 10.5, "whole number"),
    _field("max_tokens", "many", "string"),
    _field("max_completion_tokens", 0, "from 1"),
    _field("stop", 5, "a string or an array of strings"),
    _field("stop", ["a", 5], "string", "stop[1]"),
    _field("stop", ["a", None], "string", "stop[1]"),
    _field("stop", ["a"] * 33, "at most 32"),
    _field("response_format", "json", "object"),
    _field("response_format", {}, "missing", "response_format.type"),
    _field("response_format", {"type": "xml"}, "'json_schema'", "response_format.type"),
    _field("response_format", {"type": "json_schema"}, "missing", "response_format.json_schema"),
    _field(
        "response_format",
        {"type": "json_schema", "json_schema": {"schema": {}}},
        "missing",
        "response_format.json_schema.name",
    ),
    _field(
        "response_format",
        {"type": "json_schema", "json_schema": {"name": "P", "schema": "int"}},
        "object",
        "response_format.json_schema.schema",
    ),
    _field(
        "response_format",
        {"type": "json_schema", "json_schema": {"name": "P", "schema": nested(200)}},
        "levels deep",
        "response_format.json_schema.schema",
        title="answer's schema is nested too deeply",
    ),
    _field("reasoning_effort", "extreme", "'high'"),
    _field("reasoning_effort", 3, "number"),
    _field("reasoning", "high", "object"),
    _field("reasoning", {"effort": "huge"}, "'high'", "reasoning.effort"),
    _field("reasoning", {"max_tokens": "1k"}, "string", "reasoning.max_tokens"),
    _field("thinking", True, "object"),
    _field("thinking", {"type": "sometimes"}, "'enabled'", "thinking.type"),
    _field("thinking", {"budget_tokens": -5}, "from 0", "thinking.budget_tokens"),
    _field("enable_thinking", "on", "true or false"),
    _field(
        "google",
        {"thinking_config": {"thinking_budget": "big"}},
        "whole number",
        "google.thinking_config.thinking_budget",
    ),
    _field("verbosity", "chatty", "'low', 'medium' or 'high'"),
    _field("web_search_options", True, "object"),
    _field("parallel_tool_calls", "no", "true or false"),
    _field("logprobs", "yes", "true or false"),
    _field("top_logprobs", 21, "from 0 to 20"),
    _field("modalities", "text", "array"),
    _field("modalities", [1], "string", "modalities[0]"),
    _field("metadata", "x", "object"),
    _field("store", "false", "true or false"),
    _field("user", 42, "number"),
    _field("service_tier", 1, "number"),
    _field("prediction", "text", "object"),
    _field("poe", "web_search", "object"),
    _field("poe", {"x": nested(150)}, "levels deep", title="Poe's parameters are too deep"),
    BadRequest(
        name="a Poe parameter is 1e999",
        body={**GOOD, "poe": {"x": 1e999}},
        raw=json.dumps({**GOOD, "poe": {"x": 0}}).replace('"x": 0', '"x": 1e999').encode(),
        param="poe",
        word="too large",
    ),
    _field("extra_body", [], "array"),
    _unsupported("logprobs", True),
    _unsupported("top_logprobs", 5),
    _unsupported("modalities", ["text", "audio"]),
]

_MESSAGES = [
    _message("message is a string", "Hello", "", "object"),
    _message("message is null", None, "", "object"),
    _message("no role", {"content": "x"}, ".role", "missing"),
    _message("unknown role", {"role": "bot", "content": "x"}, ".role", "'assistant'"),
    _message("role is an array", {"role": ["user"], "content": "x"}, ".role", "'assistant'"),
    _message("no content", {"role": "user"}, ".content", "missing"),
    _message("content is null", {"role": "user", "content": None}, ".content", "missing"),
    _message("system without content", {"role": "system"}, ".content", "missing"),
    _message("content is a number", {"role": "user", "content": 5}, ".content", "number"),
    _message("content is an object", {"role": "user", "content": {}}, ".content", "object"),
    _message("content is true", {"role": "user", "content": True}, ".content", "boolean"),
    _message("name is a number", {"role": "user", "content": "x", "name": 5}, ".name", "number"),
    _message(
        "refusal is an object",
        {"role": "assistant", "refusal": {"a": 1}},
        ".refusal",
        "string",
    ),
    _message("no tool_call_id", {"role": "tool", "content": "x"}, ".tool_call_id", "missing"),
    _message(
        "tool_call_id is a number",
        {"role": "tool", "content": "x", "tool_call_id": 1},
        ".tool_call_id",
        "number",
    ),
    _message("function without name", {"role": "function", "content": "x"}, ".name", "missing"),
    _message(
        "tool_calls is an object",
        {"role": "assistant", "tool_calls": CALL},
        ".tool_calls",
        "array",
    ),
    _message(
        "function_call is a string",
        {"role": "assistant", "function_call": "f"},
        ".function_call",
        "object",
    ),
    _message(
        "function_call without name",
        {"role": "assistant", "function_call": {"arguments": "{}"}},
        ".function_call.name",
        "missing",
    ),
    _call("call is a string", "f()", "", "object"),
    _call("call without id", {"type": "function", "function": {"name": "f"}}, ".id", "missing"),
    _call("call of unknown type", {"id": "c", "type": "mcp"}, ".type", "'custom'"),
    _call("call without function", {"id": "c", "type": "function"}, ".function", "missing"),
    _call("call without name", {"id": "c", "function": {}}, ".function.name", "missing"),
    _call("call's name is empty", {"id": "c", "function": {"name": ""}}, ".function.name", "1 to"),
    _call(
        "arguments are a list",
        {"id": "c", "function": {"name": "f", "arguments": [1]}},
        ".function.arguments",
        "array",
    ),
    _call(
        "custom call without input",
        {"id": "c", "type": "custom", "custom": {"name": "f"}},
        ".custom.input",
        "missing",
    ),
]

_PARTS = [
    _part("part is a string", "Hello", "", "object"),
    _part("part without type", {"text": "x"}, ".type", "missing"),
    _part("part's type is a number", {"type": 1}, ".type", "number"),
    _part("text is a number", {"type": "text", "text": 5}, ".text", "number"),
    _part("text is missing", {"type": "text"}, ".text", "missing"),
    _part("refusal is missing", {"type": "refusal"}, ".refusal", "missing"),
    _part("image without url", {"type": "image_url"}, ".image_url", "missing"),
    _part(
        "image's url is missing",
        {"type": "image_url", "image_url": {}},
        ".image_url.url",
        "missing",
    ),
    _part("image's url is a number", {"type": "image_url", "image_url": 5}, ".image_url", "number"),
    _part(
        "image on this machine",
        {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}},
        ".image_url.url",
        "file:",
    ),
    _part(
        "image by ftp",
        {"type": "image_url", "image_url": {"url": "ftp://example.org/a.png"}},
        ".image_url.url",
        "ftp:",
    ),
    _part(
        "image's url is a word",
        {"type": "image_url", "image_url": {"url": "picture"}},
        ".image_url.url",
        "data URL",
    ),
    _part(
        "image's link has no host",
        {"type": "image_url", "image_url": {"url": "https:///a.png"}},
        ".image_url.url",
        "host",
    ),
    _part(
        "data URL without base64",
        {"type": "image_url", "image_url": {"url": "data:image/png,abc"}},
        ".image_url.url",
        "base64",
    ),
    _part(
        "data URL without comma",
        {"type": "image_url", "image_url": {"url": "data:image/png;base64"}},
        ".image_url.url",
        "base64",
    ),
    _part(
        "data URL without data",
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}},
        ".image_url.url",
        "no data",
    ),
    _part(
        "data URL with other letters",
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,@@@@"}},
        ".image_url.url",
        "base64",
    ),
    _part(
        "data URL with a broken type",
        {"type": "image_url", "image_url": {"url": "data:image/png\r\nX: y;base64,AAAA"}},
        ".image_url.url",
        "MIME",
    ),
    _part(
        "audio is a string",
        {"type": "input_audio", "input_audio": "AAAA"},
        ".input_audio",
        "object",
    ),
    _part(
        "audio without format",
        {"type": "input_audio", "input_audio": {"data": "AAAA"}},
        ".input_audio.format",
        "missing",
    ),
    _part(
        "audio of unknown format",
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "midi"}},
        ".input_audio.format",
        "'mp3'",
    ),
    _part(
        "audio without data",
        {"type": "input_audio", "input_audio": {"format": "wav"}},
        ".input_audio.data",
        "missing",
    ),
    _part("file is missing", {"type": "file"}, ".file", "missing"),
    _part("file is empty", {"type": "file", "file": {}}, ".file", "'file_data'"),
    _part(
        "file's data is no base64",
        {"type": "file", "file": {"file_data": "!!!", "filename": "a.pdf"}},
        ".file.file_data",
        "base64",
    ),
    _part(
        "file's name is a number",
        {"type": "file", "file": {"file_data": "AAAA", "filename": 1}},
        ".file.filename",
        "number",
    ),
    _part("file's id is empty", {"type": "file", "file": {"file_id": ""}}, ".file.file_id", "1 to"),
]

_TOOLS = [
    _field("tools", TOOL, "array"),
    _field("tools", [TOOL] * 513, "at most 512", title="too many tools"),
    _field("functions", {}, "array"),
    _field("functions", [{"description": "x"}], "missing", "functions[0].name"),
    _field("tool_choice", "required", "no tools"),
    _field("function_call", "always", "'auto'"),
    _field("function_call", {"name": "g"}, "no tools"),
    _tool("tool is a string", "f", "", "object"),
    _tool("tool without type", {"function": {"name": "f"}}, ".type", "missing"),
    _tool("tool without function", {"type": "function"}, ".function", "missing"),
    _tool("tool without name", {"type": "function", "function": {}}, ".function.name", "missing"),
    _tool("flat tool's name is empty", {"type": "function", "name": ""}, ".name", "1 to 256"),
    _tool(
        "tool's name is too long",
        {"type": "function", "function": {"name": "f" * 257}},
        ".function.name",
        "1 to 256",
    ),
    _tool(
        "tool's parameters are a list",
        {"type": "function", "function": {"name": "g", "parameters": []}},
        ".function.parameters",
        "array",
    ),
    _tool(
        "tool's parameters are too deep",
        {"type": "function", "function": {"name": "g", "parameters": nested(120)}},
        ".function.parameters",
        "levels deep",
    ),
    _tool(
        "tool's description is a number",
        {"type": "function", "function": {"name": "g", "description": 1}},
        ".function.description",
        "number",
    ),
    _tool(
        "tool's strict is a string",
        {"type": "function", "function": {"name": "g", "strict": "yes"}},
        ".function.strict",
        "true or false",
    ),
    _tool("custom tool without name", {"type": "custom", "custom": {}}, ".custom.name", "missing"),
    _choice("choice is unknown", "maybe", "", "'required'"),
    _choice("choice is a number", 1, "", "number"),
    _choice("choice of unknown type", {"type": "mcp"}, ".type", "'allowed_tools'"),
    _choice("choice without type", {}, ".type", "'allowed_tools'"),
    _choice("choice without name", {"type": "function", "function": {}}, ".function.name", "miss"),
    _choice(
        "choice of a tool that is not there",
        {"type": "function", "function": {"name": "g"}},
        "",
        "'g'",
    ),
    _choice(
        "allowed tool that is not there",
        {
            "type": "allowed_tools",
            "allowed_tools": {
                "mode": "auto",
                "tools": [{"type": "function", "function": {"name": "g"}}],
            },
        },
        "",
        "'g'",
    ),
    _choice(
        "allowed tools of unknown mode",
        {"type": "allowed_tools", "allowed_tools": {"mode": "none", "tools": []}},
        ".allowed_tools.mode",
        "'auto'",
    ),
    _choice(
        "allowed tools without tools",
        {"type": "allowed_tools", "allowed_tools": {"mode": "auto"}},
        ".allowed_tools.tools",
        "missing",
    ),
]

_HTTP = [
    BadRequest(name="nothing is sent", raw=b"", word="JSON", http=True),
    BadRequest(name="JSON is cut", raw=b'{"model": "m", "mess', word="JSON", http=True),
    BadRequest(name="JSON with a comma too many", raw=b'{"model": "m",}', word="JSON", http=True),
    BadRequest(name="single quotes", raw=b"{'model': 'm'}", word="JSON", http=True),
    BadRequest(name="two values", raw=b'{"model": "m"} {}', word="JSON", http=True),
    BadRequest(name="NaN", raw=b'{"model": "m", "temperature": NaN}', word="NaN", http=True),
    BadRequest(name="Infinity", raw=b'{"model": "m", "n": Infinity}', word="Inf", http=True),
    BadRequest(name="bad UTF-8", raw=b'{"model": "\xff\xfe"}', word="UTF-8", http=True),
    BadRequest(name="UTF-16", raw='{"model": "m"}'.encode("utf-16"), word="UTF-8", http=True),
    BadRequest(
        name="brackets without end",
        raw=b'{"model": "m", "messages": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        word="nested",
        http=True,
    ),
    BadRequest(
        name="an integer of thousands of digits",
        raw=b'{"model": "m", "seed": ' + b"9" * 5_000 + b"}",
        word="JSON",
        http=True,
    ),
    BadRequest(
        name="a form",
        raw=b"model=m&messages=Hello",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        status=415,
        code="unsupported_media_type",
        word="application/json",
        http=True,
    ),
    BadRequest(
        name="XML",
        raw=b"<model>m</model>",
        headers={"Content-Type": "application/xml"},
        status=415,
        code="unsupported_media_type",
        word="application/json",
        http=True,
    ),
    BadRequest(
        name="a body beyond the limit",
        body=GOOD,
        status=413,
        code="request_too_large",
        word="large",
        http=True,
        over_limit=True,
    ),
]

BAD_REQUESTS = [*_BODIES, *_ENVELOPE, *_MESSAGES, *_PARTS, *_TOOLS, *_HTTP]
