"""OpenAI's own SDK in a loop as people write it: ask, run the tools that are called, ask again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessage

from tests.clients.conftest import TASK, Desk

pytestmark = pytest.mark.clients
_PATH = {"path": {"type": "string"}}
_TEXT = {"content": {"type": "string"}}


def tool(name: str, description: str, properties: dict[str, Any]) -> Any:
    """A tool all of whose arguments are required."""
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    function = {"name": name, "description": description, "parameters": schema}
    return {"type": "function", "function": function}


TOOLS = [
    tool("write_file", "Write a file.", {**_PATH, **_TEXT}),
    tool("read_file", "Read a file.", _PATH),
]


@pytest.fixture
def client(desk: Desk) -> Iterator[OpenAI]:
    """The SDK, with no retries of its own."""
    with OpenAI(base_url=desk.base_url, api_key="any-key", max_retries=0, timeout=20) as made:
        yield made


def whole(client: OpenAI, **request: Any) -> ChatCompletionMessage:
    """The whole answer."""
    return client.chat.completions.create(**request).choices[0].message


def streamed(client: OpenAI, **request: Any) -> ChatCompletionMessage:
    """The answer as the SDK's own helper puts the stream together."""
    with client.chat.completions.stream(**request) as stream:
        return stream.get_final_completion().choices[0].message


def done(name: str, arguments: str, folder: Path) -> str:
    """What a tool gives."""
    given = json.loads(arguments)
    file = folder / given["path"]
    if name == "read_file":
        return file.read_text()
    file.write_text(given["content"])
    return "written"


@pytest.mark.parametrize("ask", [whole, streamed])
@pytest.mark.parametrize("bot", ["Agent", "Prompted-Agent"])
def test_tool_loop(
    desk: Desk,
    client: OpenAI,
    check_done: Callable[[str], None],
    bot: str,
    ask: Callable[..., ChatCompletionMessage],
) -> None:
    """The file is written in the first round and read in the second; the third tells of it."""
    messages: list[Any] = [{"role": "user", "content": TASK}]
    called = []
    while True:
        message = ask(client, model=bot, messages=messages, tools=TOOLS)
        if not message.tool_calls:
            break
        messages.append(message)
        for call in message.tool_calls:
            assert call.type == "function"
            called.append(call.function.name)
            result = done(call.function.name, call.function.arguments, desk.folder)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})

    assert ["write_file", "read_file"] == called
    check_done(message.content or "")
