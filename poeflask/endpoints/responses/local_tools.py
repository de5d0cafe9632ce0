"""Tools of OpenAI's own that the client itself runs: shells and patches.

A bot gets each as a function whose arguments are the fields of the tool's action. Its call goes to
the client as the item that the client waits for, and comes back in the same way. Unlike hosted
tools (file search, computers, pictures) they need nothing of Poe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from poeflask.core.prompt import Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTool:
    """One such tool.

    Attributes:
        name: its type in a request, and the name of the function that a bot sees.
        item: the type of the item that calls it; the result's is this with "_output".
        place: the item's field that holds the action.
        prefix: what the ids of its items begin with.
        fixed: what the action holds besides what the bot says.
    """

    name: str
    item: str
    place: str
    prefix: str
    description: str
    schema: Mapping[str, Any]
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def as_function(self) -> Tool:
        """The tool as a bot sees it."""
        return Tool(name=self.name, description=self.description, schema=self.schema)


def _schema(required: tuple[str, ...], **properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


_STRING = {"type": "string"}
_STRINGS = {"type": "array", "items": {"type": "string"}}
_WHOLE = {"type": "integer"}

_ALL = (
    LocalTool(
        name="local_shell",
        item="local_shell_call",
        place="action",
        prefix="lsh",
        description="Runs one command on the user's computer and gives its output.",
        schema=_schema(
            ("command",),
            command={**_STRINGS, "description": "The program and its arguments."},
            env={"type": "object", "additionalProperties": _STRING},
            timeout_ms=_WHOLE,
            working_directory=_STRING,
        ),
        fixed={"type": "exec", "env": {}},
    ),
    LocalTool(
        name="shell",
        item="shell_call",
        place="action",
        prefix="sh",
        description="Runs shell commands on the user's computer and gives their output.",
        schema=_schema(
            ("commands",),
            commands={**_STRINGS, "description": "Shell commands, run at the same time."},
            timeout_ms=_WHOLE,
            max_output_length=_WHOLE,
        ),
        fixed={"timeout_ms": None, "max_output_length": None},
    ),
    LocalTool(
        name="apply_patch",
        item="apply_patch_call",
        place="operation",
        prefix="apc",
        description="Creates, changes or deletes one file on the user's computer.",
        schema=_schema(
            ("type", "path"),
            type={"type": "string", "enum": ["create_file", "update_file", "delete_file"]},
            path=_STRING,
            diff={
                **_STRING,
                "description": "A V4A diff: lines that begin with '+', '-' or a blank, under '@@'; "
                "for a new file all lines begin with '+'. Not needed to delete a file.",
            },
        ),
    ),
)

BY_NAME: Mapping[str, LocalTool] = {tool.name: tool for tool in _ALL}
BY_CALL: Mapping[str, LocalTool] = {tool.item: tool for tool in _ALL}
BY_RESULT: Mapping[str, LocalTool] = {f"{tool.item}_output": tool for tool in _ALL}
