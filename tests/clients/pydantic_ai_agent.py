"""A pydantic-ai agent that creates a file, reads it back and answers in a form; whole and streamed.

Run by its own Python from `test_frameworks.py`, in a folder of its own.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterable
from pathlib import Path

from pydantic import BaseModel
from pydantic_ai import Agent, AgentStreamEvent, NativeOutput
from pydantic_ai.models.openai import OpenAIChatModel

TASK = 'Create hello.txt with the content "good morning" and read it back.'


class Note(BaseModel):
    """What the agent gives in the end."""

    text: str
    count: int


def write_file(path: str, content: str) -> str:
    """Write a file."""
    Path(path).write_text(content)
    return "written"


def read_file(path: str) -> str:
    """Read a file."""
    return Path(path).read_text()


async def main() -> None:
    """Do the task whole and streamed; then answer in a form, as JSON and by a call."""
    model = OpenAIChatModel(os.environ["MODEL"])
    agent = Agent(model, tools=[write_file, read_file], system_prompt="Work carefully.")

    whole = await agent.run(TASK)
    assert "good morning" in whole.output, whole.output
    assert "good morning" == Path("hello.txt").read_text()
    assert whole.usage.requests == 3, whole.usage
    assert whole.usage.input_tokens > 0, whole.usage

    Path("hello.txt").unlink()
    kinds: list[str] = []

    async def hear(_: object, events: AsyncIterable[AgentStreamEvent]) -> None:
        kinds.extend([event.event_kind async for event in events])

    streamed = await agent.run(TASK, event_stream_handler=hear)
    assert "good morning" in streamed.output, streamed.output
    assert "good morning" == Path("hello.txt").read_text()
    # What came together is one part; there are deltas only if it came in several pieces.
    assert {"part_start", "part_end", "function_tool_result"} <= set(kinds), kinds

    tool_user = OpenAIChatModel(os.environ["TOOL_MODEL"])
    formed = await Agent(tool_user, output_type=NativeOutput(Note)).run("Say 'hello' 3 times.")
    assert isinstance(formed.output, Note), formed.output
    called = await Agent(tool_user, output_type=Note).run("Say 'hello' 3 times.")
    assert isinstance(called.output, Note), called.output


asyncio.run(main())
