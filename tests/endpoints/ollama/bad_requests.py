"""Wrong Ollama requests as data: where they go, what is sent, and what the sentence must hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

HELLO = {"role": "user", "content": "Hello"}
CHAT = {"model": "Some-Bot", "messages": [HELLO]}
GENERATE = {"model": "Some-Bot", "prompt": "Hello"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CALL = {"function": {"name": "f", "arguments": {"a": 1}}}


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRequest:
    """One wrong request: `param` is the field that the sentence must name, `word` what it holds."""

    name: str
    path: str
    body: Any
    param: str
    word: str


def _chat(name: str, value: Any, word: str, param: str = "", title: str = "") -> BadRequest:
    title = title or f"chat {param or name} in {str(value)[:50]}"
    body = {**CHAT, name: value}
    return BadRequest(name=title, path="/api/chat", body=body, param=param or name, word=word)


def _generate(name: str, value: Any, word: str, param: str = "") -> BadRequest:
    title = f"generate {param or name} in {str(value)[:50]}"
    body = {**GENERATE, name: value}
    return BadRequest(name=title, path="/api/generate", body=body, param=param or name, word=word)


def _option(name: str, value: Any, word: str) -> BadRequest:
    return _chat("options", {name: value}, word, f"options.{name}")


def _message(title: str, message: Any, param: str, word: str) -> BadRequest:
    return _chat("messages", [HELLO, message], word, f"messages[1]{param}", title)


def _tool(title: str, tool: Any, param: str, word: str) -> BadRequest:
    return _chat("tools", [TOOL, tool], word, f"tools[1]{param}", title)


def _call(title: str, call: Any, param: str, word: str) -> BadRequest:
    message = {"role": "assistant", "tool_calls": [CALL, call]}
    return _message(title, message, f".tool_calls[1]{param}", word)


BAD_REQUESTS = [
    _chat("model", None, "missing"),
    _chat("model", "", "1 to 256"),
    _chat("model", 5, "string"),
    _chat("messages", "Hello", "array"),
    _chat("messages", HELLO, "array"),
    _chat("messages", [HELLO] * 10_001, "10000", title="too many messages"),
    _chat("stream", "false", "true or false"),
    _chat("stream", 0, "true or false"),
    _chat("format", "yaml", "'json' or a JSON schema"),
    _chat("format", 1, "not a number"),
    _chat("format", [], "not an array"),
    _chat("think", "very", "'minimal', 'low'"),
    _chat("think", 1, "not a number"),
    _chat("logprobs", True, "cannot be given"),
    _chat("options", "hot", "object"),
    _option("temperature", "hot", "string"),
    _option("temperature", 2.5, "from 0 to 2"),
    _option("top_p", -0.5, "from 0 to 1"),
    _option("top_k", 1.5, "whole number"),
    _option("seed", True, "boolean"),
    _option("num_predict", -3, "from -2"),
    _option("num_predict", "10", "string"),
    _option("stop", 5, "array of strings"),
    _chat("options", {"stop": [1]}, "must be a string", "options.stop[0]"),
    _option("stop", ["a"] * 33, "32"),
    _chat("tools", {}, "array"),
    _chat("tools", [TOOL] * 513, "512", title="too many tools"),
    _tool("tool is a string", "f", "", "object"),
    _tool("tool of another type", {"type": "web_search"}, ".type", "'function'"),
    _tool("tool without function", {"type": "function"}, ".function", "missing"),
    _tool("tool without name", {"function": {}}, ".function.name", "missing"),
    _tool(
        "parameters are a list",
        {"function": {"name": "g", "parameters": []}},
        ".function.parameters",
        "object",
    ),
    _tool(
        "description is a number",
        {"function": {"name": "g", "description": 7}},
        ".function.description",
        "string",
    ),
    _message("message is a string", "Hello", "", "object"),
    _message("no role", {"content": "Hello"}, ".role", "missing"),
    _message("unknown role", {"role": "bot", "content": "Hello"}, ".role", "'assistant'"),
    _message("content is a number", {"role": "user", "content": 7}, ".content", "a string"),
    _message("content part is a string", {"role": "user", "content": ["a"]}, ".content[0]", "obj"),
    _message("images is a string", {"role": "user", "images": "aGk="}, ".images", "array"),
    _message("image is a number", {"role": "user", "images": [1]}, ".images[0]", "string"),
    _message("image is empty", {"role": "user", "images": [""]}, ".images[0]", "no data"),
    _message("image is no base64", {"role": "user", "images": ["a b!"]}, ".images[0]", "base64"),
    _message("too many images", {"role": "user", "images": ["aGk="] * 101}, ".images", "100"),
    _message("thinking is a flag", {"role": "assistant", "thinking": True}, ".thinking", "string"),
    _message(
        "calls are an object", {"role": "assistant", "tool_calls": {}}, ".tool_calls", "array"
    ),
    _message("result's name", {"role": "tool", "tool_name": 5}, ".tool_name", "string"),
    _message("result's id", {"role": "tool", "tool_call_id": 5}, ".tool_call_id", "string"),
    _call("call without function", {}, ".function", "missing"),
    _call("call without name", {"function": {}}, ".function.name", "missing"),
    _call("call's id is a number", {**CALL, "id": 5}, ".id", "string"),
    _call(
        "arguments are a list",
        {"function": {"name": "f", "arguments": [1]}},
        ".function.arguments",
        "object",
    ),
    _generate("model", None, "missing"),
    _generate("prompt", ["Hello"], "string"),
    _generate("system", 5, "string"),
    _generate("suffix", {}, "string"),
    _generate("raw", "yes", "true or false"),
    _generate("images", "aGk=", "array"),
    _generate("images", [None], "missing", "images[0]"),
    _generate("context", "abc", "array"),
    _generate("think", "deep", "'high'"),
    _generate("options", {"top_p": 2}, "from 0 to 1", "options.top_p"),
    BadRequest(name="show nothing", path="/api/show", body={}, param="model", word="missing"),
    BadRequest(
        name="show a number", path="/api/show", body={"name": 5}, param="name", word="string"
    ),
]
