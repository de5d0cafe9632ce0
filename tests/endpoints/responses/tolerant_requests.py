"""Requests of many clients' shapes that must be taken; each stands for a habit seen."""

from __future__ import annotations

from typing import Any

from tests.endpoints.responses.bad_requests import FUNCTION, GOOD, USER

_CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
_RESULT = {"type": "function_call_output", "call_id": "c1", "output": "done"}
_GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: x"}
_SPACE = {"type": "namespace", "name": "agents", "description": "Agents.", "tools": [FUNCTION]}


def _saying(*items: dict[str, Any]) -> dict[str, Any]:
    return {**GOOD, "tools": [FUNCTION], "input": [USER, *items]}


def _part(text: str, kind: str = "input_text") -> list[dict[str, Any]]:
    return [{"type": kind, "text": text}]


TOLERANT_REQUESTS: dict[str, dict[str, Any]] = {
    "plain": GOOD,
    "a coding agent of today": {
        "model": "Some-Bot",
        "stream": True,
        "input": [
            {"type": "message", "id": "msg_a-b", "role": "developer", "content": _part("Rules")},
            {"type": "message", "id": "msg_c-d", "role": "user", "content": _part("Context")},
            {"type": "message", "id": "msg_e-f", "role": "user", "content": _part("Task")},
            {**_CALL, "id": "fc_1", "status": "completed"},
            {**_RESULT, "id": "fco_1"},
            {
                "type": "message",
                "role": "assistant",
                "phase": "commentary",
                "content": _part("Done", "output_text"),
            },
            USER,
        ],
        "tools": [
            {**FUNCTION, "strict": False, "description": "Runs."},
            _SPACE,
            {"type": "custom", "name": "apply_patch", "format": _GRAMMAR},
            {"type": "tool_search", "execution": "client"},
            {"type": "web_search", "external_web_access": True},
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"summary": "auto"},
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "k",
        "client_metadata": {"turn_id": "t"},
    },
    "a coding agent of last year": {
        "model": "Some-Bot",
        "instructions": "Rules",
        "input": [{"type": "message", "role": "user", "content": _part("Task")}, _CALL, _RESULT],
        "tools": [FUNCTION, {"type": "custom", "name": "apply_patch", "format": _GRAMMAR}],
        "parallel_tool_calls": False,
        "reasoning": None,
        "store": False,
        "stream": True,
        "include": [],
    },
    "built-in tools that are never needed": {
        **GOOD,
        "tools": [{"type": "web_search"}, {"type": "image_generation"}, FUNCTION],
        "include": ["web_search_call.action.sources"],
        "truncation": "auto",
    },
    "a role of the system among the input": {
        **GOOD,
        "input": [{"role": "system", "content": "Rules"}, USER],
        "max_output_tokens": 32000,
    },
    "a format and a forced tool at once": {
        **GOOD,
        "text": {
            "format": {"type": "json_schema", "name": "P", "schema": {"type": "object"}},
        },
        "tools": [FUNCTION],
        "tool_choice": {"type": "function", "name": "f"},
    },
    "very few tokens": {**GOOD, "max_output_tokens": 1},
    "fields of tomorrow": {**GOOD, "warp": 9, "shields": {"up": True}, "access_programs": []},
    "all optional fields are null": {
        **GOOD,
        **dict.fromkeys(("tools", "tool_choice", "text", "reasoning", "metadata", "temperature")),
        **dict.fromkeys(("previous_response_id", "conversation", "include", "stream_options")),
    },
    "thoughts sent back": _saying(
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
        {"type": "reasoning", "id": "rs_2", "summary": _part("Hm", "summary_text")},
        {
            "type": "reasoning",
            "summary": [],
            "content": _part("Hm", "reasoning_text"),
            "status": None,
        },
        {"role": "assistant", "content": "Yes"},
        USER,
    ),
    "ids dropped and nulls sent": _saying(
        {**_CALL, "id": None, "status": None}, {**_RESULT, "id": None}
    ),
    "results in parts": _saying(_CALL, {**_RESULT, "output": _part("done")}),
    "calls of hosted tools from elsewhere": _saying(
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {}},
        {"type": "file_search_call", "id": "fs_1", "queries": [], "results": None},
        {"type": "mcp_list_tools", "id": "mcpl_1", "tools": []},
        {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"},
        {"type": "program", "code": "x"},
    ),
    "a shell's turn": _saying(
        {"type": "local_shell_call", "call_id": "c1", "action": {"type": "exec", "command": []}},
        {"type": "local_shell_call_output", "id": "c1", "output": "{}"},
        {"type": "shell_call", "call_id": "c2", "action": {"commands": ["ls"]}},
        {
            "type": "shell_call_output",
            "call_id": "c2",
            "output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}],
        },
    ),
    "an assistant that said nothing": _saying({"role": "assistant", "content": None}, USER),
    "an assistant that refused": _saying(
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}, USER
    ),
    "half an emoji": {**GOOD, "input": "\ud83d"},
}
