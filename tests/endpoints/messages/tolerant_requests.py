"""Requests that real clients of Anthropic's API send and that must be taken, by what is odd."""

from __future__ import annotations

from typing import Any

from tests.endpoints.messages.bad_requests import CALL, GOOD, HELLO, RESULT, TOOL

_CACHED = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


def _with(**fields: Any) -> dict[str, Any]:
    return {**GOOD, **fields}


def _saying(*blocks: Any, role: str = "user") -> dict[str, Any]:
    return _with(messages=[HELLO, {"role": role, "content": list(blocks)}])


TOLERANT_REQUESTS: dict[str, dict[str, Any]] = {
    "cache control everywhere": _with(
        system=[{"type": "text", "text": "Be brief.", **_CACHED}],
        tools=[{**TOOL, **_CACHED}],
        messages=[{"role": "user", "content": [{"type": "text", "text": "Hello", **_CACHED}]}],
        cache_control={"type": "ephemeral"},
    ),
    "a coding agent's options": _with(
        thinking={"type": "adaptive", "display": "updates"},
        context_management={"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        output_config={"effort": "xhigh"},
        metadata={"user_id": '{"device_id":"0"}'},
        diagnostics={"previous_message_id": None},
        speed="standard",
    ),
    "a budget as large as the answer": _with(
        thinking={"type": "enabled", "budget_tokens": 100, "display": "omitted"}
    ),
    "thinking between tools": _with(thinking={"type": "between_tools"}),
    "thinking without a budget": _with(thinking={"type": "enabled"}),
    "sampling of older clients": _with(temperature=1.0, top_p=0.9, top_k=40),
    "nulls for what is not meant": _with(
        system=None, tools=None, tool_choice=None, thinking=None, stop_sequences=None
    ),
    "an empty system prompt": _with(system=""),
    "no system blocks": _with(system=[]),
    "an empty message": _with(messages=[{"role": "user", "content": ""}]),
    "a message without blocks": _with(messages=[{"role": "assistant", "content": []}]),
    "two messages of the user in a row": _with(messages=[HELLO, HELLO]),
    "an answer to go on with": _with(messages=[HELLO, {"role": "assistant", "content": "Well,"}]),
    "unknown fields": _with(zzz={"a": [1]}, yyy=1, xxx="x"),
    "unknown blocks": _saying({"type": "hologram", "data": 1}),
    "a block uploaded to a container": _saying({"type": "container_upload", "file_id": "f"}),
    "encrypted thoughts": _saying({"type": "redacted_thinking", "data": "x"}, role="assistant"),
    "thoughts without signature": _saying(
        {"type": "thinking", "thinking": "Hm."}, role="assistant"
    ),
    "a search by the server": _saying(
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
        {"type": "text", "text": "Found.", "citations": [{"type": "web_search_result_location"}]},
        role="assistant",
    ),
    "a result of a call that nobody made": _saying(RESULT),
    "a result without content": _saying({"type": "tool_result", "tool_use_id": "toolu_1"}),
    "a call whose input is empty text": _saying({**CALL, "input": ""}, role="assistant"),
    "a call whose input is broken text": _saying({**CALL, "input": '{"a'}, role="assistant"),
    "a call without input": _saying({**CALL, "input": None}, role="assistant"),
    "a call with a caller": _saying({**CALL, "caller": {"type": "direct"}}, role="assistant"),
    "tools with new words": _with(
        tools=[
            {**TOOL, "type": "custom", "eager_input_streaming": True, "input_examples": [{}]},
            {**TOOL, "name": "g", "defer_loading": True, "allowed_callers": ["direct"]},
            {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"},
        ]
    ),
    "no tools": _with(tools=[], tool_choice={"type": "auto"}),
    "a thread that begins": _with(thread={"type": "create"}),
    "other servers": _with(mcp_servers=[{"type": "url", "url": "https://x.example", "name": "x"}]),
    "a service tier": _with(service_tier="standard_only"),
}
