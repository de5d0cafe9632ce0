"""Chat requests of many clients' shapes that must be taken; each stands for a habit seen."""

from __future__ import annotations

from typing import Any

from tests.endpoints.chat.bad_requests import CALL, GOOD, HELLO, SCHEMA_FORMAT, TOOL

RESULT = {"role": "tool", "tool_call_id": "c1", "content": "written"}
TASK = {"role": "user", "content": "Write it."}


def _after(assistant: dict[str, Any], result: dict[str, Any] = RESULT) -> dict[str, Any]:
    """An agent's second turn: a task, a call, its result."""
    messages = [TASK, {"role": "assistant", **assistant}, result]
    return {**GOOD, "tools": [TOOL], "messages": messages}


def _saying(*parts: dict[str, Any]) -> dict[str, Any]:
    return {**GOOD, "messages": [{"role": "user", "content": list(parts)}]}


TOLERANT_REQUESTS: dict[str, dict[str, Any]] = {
    "plain": GOOD,
    "all optional fields are null": {
        **GOOD,
        "temperature": None,
        "stop": None,
        "tools": None,
        "tool_choice": None,
        "stream_options": None,
        "response_format": None,
        "reasoning": None,
        "max_tokens": None,
    },
    "fields of tomorrow": {**GOOD, "warp_factor": 9, "shields": {"up": True}, "crew": ["a"]},
    "content null beside calls": _after({"content": None, "tool_calls": [CALL]}),
    "content empty beside calls": _after({"content": "", "tool_calls": [CALL]}),
    "content absent beside calls": _after(
        {"tool_calls": [CALL], "provider_specific_fields": {"refusal": None}}
    ),
    "refusal null, fields in odd order": _after(
        {"content": None, "refusal": None, "annotations": [], "audio": None, "tool_calls": [CALL]}
    ),
    "no calls after all": _after({"content": "Done.", "tool_calls": []}),
    "an answer that was broken off": _after({"content": None}),
    "arguments empty": _after(
        {"tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": ""}}]}
    ),
    "arguments broken": _after(
        {"tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": '{"a":'}}]}
    ),
    "arguments as an object": _after(
        {"tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": {"a": 1}}}]}
    ),
    "result null": _after({"tool_calls": [CALL]}, {**RESULT, "content": None}),
    "result in parts": _after(
        {"tool_calls": [CALL]}, {**RESULT, "content": [{"type": "text", "text": "ok"}]}
    ),
    "result of a call that was compacted away": {**GOOD, "messages": [TASK, RESULT]},
    "developer, parts, options of a reasoning model": {
        **_saying({"type": "text", "text": "hi"}),
        "store": False,
        "max_completion_tokens": 32000,
        "reasoning_effort": "medium",
        "stream": True,
        "stream_options": {"include_usage": True, "include_obfuscation": False},
    },
    "system in parts": {
        **GOOD,
        "messages": [{"role": "system", "content": [{"type": "text", "text": "terse"}]}, HELLO],
        "stop": ["Observation:", "Calling tools:"],
    },
    "two users in a row": {**GOOD, "messages": [HELLO, HELLO], "max_tokens": 32000},
    "ends with the assistant": {
        **GOOD,
        "messages": [HELLO, {"role": "assistant", "content": "Ok."}],
        "temperature": 0,
    },
    "system in the middle": {
        **GOOD,
        "messages": [HELLO, {"role": "system", "content": "Be brief."}, HELLO],
    },
    "tool choice without tools": {**GOOD, "tool_choice": "auto", "parallel_tool_calls": True},
    "tools without parameters": {
        **GOOD,
        "tools": [{"type": "function", "function": {"name": "now", "parameters": None}}],
    },
    "tools in flat form": {**GOOD, "tools": [{"type": "function", "name": "now"}]},
    "tools of the server's own": {
        **GOOD,
        "tools": [{"type": "web_search_preview"}, {"type": "code_interpreter"}],
    },
    "a schema and a forced tool": {
        **GOOD,
        "tools": [TOOL],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "response_format": SCHEMA_FORMAT,
    },
    "json_object without a schema": {**GOOD, "response_format": {"type": "json_object"}},
    "cache marks everywhere": _saying(
        {
            "type": "text",
            "text": "hi",
            "cache_control": {"type": "ephemeral"},
            "prompt_cache_breakpoint": {"mode": "explicit"},
        }
    ),
    "a part of tomorrow": _saying(
        {"type": "hologram", "hologram": {"x": 1}}, {"type": "text", "text": "?"}
    ),
    "parts of the Responses API": _saying(
        {"type": "input_text", "text": "see"},
        {"type": "input_image", "image_url": "https://example.org/a.png", "detail": "original"},
        {
            "type": "input_file",
            "file_data": "data:application/pdf;base64,JVBERi0=",
            "filename": "a.pdf",
        },
    ),
    "no parts at all": _saying(),
    "an empty stop": {**GOOD, "stop": ""},
    "logprobs switched off": {**GOOD, "logprobs": False, "top_logprobs": 0},
    "labels": {
        **GOOD,
        "user": "u1",
        "metadata": {"run": "7"},
        "safety_identifier": "s",
        "prompt_cache_key": "k",
        "prompt_cache_retention": "24h",
        "prompt_cache_options": {"mode": "implicit"},
        "service_tier": "fast",
        "moderation": {"model": "omni"},
    },
    "extra_body sent literally": {
        **GOOD,
        "extra_body": {"thinking_budget": 1024, "google": {"thinking_config": {}}},
    },
    "half an emoji": {**GOOD, "messages": [{"role": "user", "content": "\ud83d"}]},
}
