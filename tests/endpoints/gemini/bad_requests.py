"""Wrong Gemini requests as data: what is sent, and what the error must say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

HELLO = {"role": "user", "parts": [{"text": "Hello"}]}
GOOD = {"contents": [HELLO]}
FUNCTION = {"name": "f", "parameters": {"type": "OBJECT"}}
CALLING = "toolConfig.functionCallingConfig"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRequest:
    """One wrong request: `param` is the field that the error names, `word` is in its message."""

    name: str
    body: Any
    param: str
    word: str


def _field(name: str, value: Any, word: str, param: str = "", title: str = "") -> BadRequest:
    title = title or f"{param or name} in {str(value)[:50]}"
    return BadRequest(name=title, body={**GOOD, name: value}, param=param or name, word=word)


def _config(name: str, value: Any, word: str, deeper: str = "") -> BadRequest:
    return _field("generationConfig", {name: value}, word, f"generationConfig.{name}{deeper}")


def _content(title: str, content: Any, param: str, word: str) -> BadRequest:
    """A second content that is wrong; `param` is relative to it."""
    return _field("contents", [HELLO, content], word, f"contents[1]{param}", title)


def _part(title: str, part: Any, param: str, word: str) -> BadRequest:
    """A second part that is wrong; `param` is relative to it."""
    return _content(title, {"parts": [{"text": "See:"}, part]}, f".parts[1]{param}", word)


def _declared(title: str, function: Any, param: str, word: str) -> BadRequest:
    """A second function that is wrong; `param` is relative to it."""
    tools = [{"functionDeclarations": [FUNCTION, function]}]
    return _field("tools", tools, word, f"tools[0].functionDeclarations[1]{param}", title)


def _calling(title: str, config: Any, param: str, word: str) -> BadRequest:
    body = {
        **GOOD,
        "tools": [{"functionDeclarations": [FUNCTION]}],
        "toolConfig": {"functionCallingConfig": config},
    }
    return BadRequest(name=title, body=body, param=f"{CALLING}{param}", word=word)


BAD_REQUESTS = [
    BadRequest(name="no contents", body={}, param="contents", word="missing"),
    _field("contents", None, "missing"),
    _field("contents", [], "at least 1"),
    _field("contents", "Hello", "array"),
    _field("contents", HELLO, "array"),
    _field("contents", [HELLO] * 10_001, "10000", title="too many contents"),
    _field("systemInstruction", 5, "object"),
    _field("systemInstruction", {"parts": 5}, "array", "systemInstruction.parts"),
    _field("systemInstruction", {}, "missing", "systemInstruction.parts"),
    _field("tools", {}, "array"),
    _field("tools", [5], "object", "tools[0]"),
    _field("toolConfig", [], "object"),
    _field("generationConfig", "hot", "object"),
    _field("safetySettings", {}, "array"),
    _field("cachedContent", "cachedContents/x", "cannot be given"),
    _config("temperature", 3, "from 0 to 2"),
    _config("temperature", "0.5", "string"),
    _config("topP", 1.5, "from 0 to 1"),
    _config("topK", 1.5, "whole number"),
    _config("seed", "7", "string"),
    _config("candidateCount", 0, "from 1 to 16"),
    _config("candidateCount", 17, "from 1 to 16"),
    _config("maxOutputTokens", 0, "from 1"),
    _config("stopSequences", "stop", "array of strings"),
    _config("stopSequences", [1], "must be a string", "[0]"),
    _config("responseMimeType", "image/png", "'application/json'"),
    _config("responseSchema", "person", "object"),
    _config("responseJsonSchema", [], "object"),
    _config("responseModalities", "TEXT", "array of strings"),
    _config("responseLogprobs", True, "cannot be given"),
    _config("logprobs", 3, "cannot be given"),
    _config("presencePenalty", -3, "from -2 to 2"),
    _config("thinkingConfig", {"thinkingBudget": -2}, "from -1", ".thinkingBudget"),
    _config("thinkingConfig", {"thinkingLevel": "DEEP"}, "'MINIMAL', 'LOW'", ".thinkingLevel"),
    _config("thinkingConfig", {"includeThoughts": "yes"}, "true", ".includeThoughts"),
    _content("content is a string", "Hello", "", "object"),
    _content("no parts", {"role": "user"}, ".parts", "missing"),
    _content("parts are a string", {"parts": "Hello"}, ".parts", "array"),
    _content("unknown role", {"role": "bot", "parts": []}, ".role", "'model'"),
    _content("role is a number", {"role": 5, "parts": []}, ".role", "'model'"),
    _content("role is a list", {"role": ["model"], "parts": []}, ".role", "'model'"),
    _part("part is a string", "Hello", "", "object"),
    _part("text is a number", {"text": 5}, ".text", "string"),
    _part("inline data is a string", {"inlineData": "aGk="}, ".inlineData", "object"),
    _part("inline data without data", {"inlineData": {}}, ".inlineData.data", "missing"),
    _part("inline data is empty", {"inlineData": {"data": ""}}, ".inlineData.data", "no data"),
    _part("inline data's type", {"inlineData": {"mimeType": 5}}, ".inlineData.mimeType", "string"),
    _part(
        "inline data in snake case is wrong too",
        {"inline_data": {"mime_type": "image/png", "data": "a b!"}},
        ".inlineData.data",
        "base64",
    ),
    _part("file without link", {"fileData": {}}, ".fileData.fileUri", "missing"),
    _part(
        "file in Google's storage",
        {"fileData": {"fileUri": "gs://bucket/a.png"}},
        ".fileData.fileUri",
        "gs:",
    ),
    _part("call is a string", {"functionCall": "f"}, ".functionCall", "object"),
    _part("call without name", {"functionCall": {"args": {}}}, ".functionCall.name", "missing"),
    _part(
        "arguments are a list",
        {"functionCall": {"name": "f", "args": [1]}},
        ".functionCall.args",
        "object",
    ),
    _part("call's id", {"functionCall": {"name": "f", "id": 5}}, ".functionCall.id", "string"),
    _part("result without name", {"functionResponse": {}}, ".functionResponse.name", "missing"),
    _part(
        "response is a string",
        {"functionResponse": {"name": "f", "response": "ok"}},
        ".functionResponse.response",
        "object",
    ),
    _part(
        "response's parts",
        {"functionResponse": {"name": "f", "parts": [5]}},
        ".functionResponse.parts[0]",
        "object",
    ),
    _part("code is a number", {"executableCode": {"code": 5}}, ".executableCode.code", "string"),
    _field(
        "tools",
        [{"functionDeclarations": {}}],
        "array",
        "tools[0].functionDeclarations",
        "functions are an object",
    ),
    _declared("function is a string", "f", "", "object"),
    _declared("function without name", {}, ".name", "missing"),
    _declared("function's description", {"name": "g", "description": 5}, ".description", "string"),
    _declared("parameters are a list", {"name": "g", "parameters": []}, ".parameters", "object"),
    _declared(
        "parameters in JSON Schema are a list",
        {"name": "g", "parametersJsonSchema": []},
        ".parametersJsonSchema",
        "object",
    ),
    _calling("unknown mode", {"mode": "MUST"}, ".mode", "'ANY'"),
    _calling(
        "names are a string",
        {"allowedFunctionNames": "f"},
        ".allowedFunctionNames",
        "array of strings",
    ),
    _calling(
        "unknown function",
        {"mode": "ANY", "allowedFunctionNames": ["g"]},
        ".allowedFunctionNames",
        "does not declare",
    ),
    _field(
        "toolConfig",
        {"functionCallingConfig": {"mode": "ANY"}},
        "declares no functions",
        f"{CALLING}.mode",
        "a call without functions",
    ),
]
