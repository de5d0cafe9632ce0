"""An agent of OpenAI's agents SDK that creates a file and reads it back; whole and streamed.

Run by its own Python from `test_frameworks.py`, in a folder of its own.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI

TASK = 'Create hello.txt with the content "good morning" and read it back.'


@function_tool
def write_file(path: str, content: str) -> str:
    """Write a file."""
    Path(path).write_text(content)
    return "written"


@function_tool
def read_file(path: str) -> str:
    """Read a file."""
    return Path(path).read_text()


async def main() -> None:
    """Do the task in two ways."""
    set_tracing_disabled(True)
    model = OpenAIChatCompletionsModel(os.environ["MODEL"], AsyncOpenAI())
    agent = Agent(name="Clerk", model=model, tools=[write_file, read_file])

    whole = await Runner.run(agent, TASK)
    assert "good morning" in whole.final_output, whole.final_output
    assert "good morning" == Path("hello.txt").read_text()

    Path("hello.txt").unlink()
    streamed = Runner.run_streamed(agent, TASK)
    kinds = [event.type async for event in streamed.stream_events()]
    assert "raw_response_event" in kinds
    assert "good morning" in streamed.final_output, streamed.final_output
    assert "good morning" == Path("hello.txt").read_text()


asyncio.run(main())
