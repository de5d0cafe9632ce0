r"""What bots really write, and what must be made of it: every case of `tool_corpus/`, cut anywhere.

A file holds cases: a line "=== what it shows", the bot's text, a line ">>>>", and what the client
gets: text, calls and the end, or "ask" with the error that the bot is told when it is asked again.
Lines that begin with "!" say how the text is to be read: "!escaped" for \uXXXX and \r,
"!repeat x n" for an @ that stands for n times x.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from poeflask.core.json_text import repaired
from poeflask.core.prompt import Message, Prompt, Text, Tool, ToolChoice
from poeflask.core.reply import Failure, Finish, ReplyEvent, TextDelta, gather
from poeflask.filters.prompted_tools import PromptedTools

MARK = "k3f9x2"
CORPUS = Path(__file__).parent / "tool_corpus"


def _tool(name: str, schema: dict[str, object], *needed: str, closed: bool = False) -> Tool:
    whole: dict[str, object] = {
        "type": "object",
        "properties": schema,
        "required": list(needed),
        "$defs": {"filter": FILTER},
    }
    if closed:
        whole["additionalProperties"] = False
    return Tool(name=name, schema=whole)


STRING = {"type": "string"}
INTEGER = {"type": "integer"}
NUMBER = {"type": "number"}
BOOLEAN = {"type": "boolean"}
FILTER = {"type": "object", "properties": {"since": INTEGER, "open": BOOLEAN}}

TOOLS = (
    _tool(
        "write_file",
        {"path": STRING, "content": STRING, "mode": INTEGER, "append": BOOLEAN},
        "path",
        "content",
    ),
    _tool(
        "edit_file",
        {"path": STRING, "old_string": STRING, "new_string": STRING, "replace_all": BOOLEAN},
        "path",
        "old_string",
        "new_string",
    ),
    _tool(
        "get_weather",
        {"city": STRING, "days": INTEGER, "units": {"enum": ["metric", "imperial"]}},
        "city",
    ),
    _tool(
        "search",
        {
            "query": STRING,
            "tags": {"type": "array", "items": STRING},
            "filter": {"$ref": "#/$defs/filter"},
            "limit": {"anyOf": [INTEGER, {"type": "null"}]},
        },
        "query",
    ),
    _tool("run", {"command": STRING}, "command"),
    _tool("grep", {"-i": BOOLEAN, "i": STRING}),
    _tool("add", {"x": NUMBER, "y": NUMBER}, "x", "y", closed=True),
    _tool("get", {"id": INTEGER}, "id"),
    _tool("mcp__files__read-file", {"path": STRING}, "path"),
    Tool(name="get_time"),
    Tool(name="do_it"),
    Tool(name="Do-It"),
    Tool(name="apply_patch", kind="custom"),
)


@dataclass(frozen=True)
class Case:
    file: str
    name: str
    text: str
    expected: str


def _cases() -> Iterator[Case]:
    for path in sorted(CORPUS.glob("*.txt")):
        for section in re.split(r"(?m)^=== ", path.read_text("utf-8"))[1:]:
            name, _, rest = section.partition("\n")
            text, _, expected = rest.partition("\n>>>>\n")
            yield Case(path.stem, name, _text(text), expected.strip())


def _text(text: str) -> str:
    if text.startswith("!escaped\n"):
        pattern = r"\\(?:u([0-9a-f]{4})|r)"
        text = re.sub(pattern, lambda m: chr(int(m[1], 16)) if m[1] else "\r", text[9:])
    if text.startswith("!repeat "):
        order, _, text = text.partition("\n")
        _, what, times = order.split()
        text = text.replace("@", what * int(times))
    return text


CASES = list(_cases())


def answer(pieces: Iterable[str]) -> tuple[list[ReplyEvent], Prompt | None]:
    """What becomes of a bot's text that comes in these pieces."""
    ids = (f"call_{number}" for number in range(1000))
    filter_ = PromptedTools(
        TOOLS, ToolChoice(), MARK, new_call_id=lambda: next(ids), repair=repaired
    )
    filter_.on_prompt(Prompt(bot="b", messages=(Message("user", (Text("go"),)),), tools=TOOLS))
    events: list[ReplyEvent] = []
    for event in [*map(TextDelta, pieces), Finish("stop")]:
        events += filter_.feed([event])
        if events and isinstance(events[-1], Finish | Failure):
            break
    return events, filter_.follow_up


def told(events: Sequence[ReplyEvent], follow_up: Prompt | None) -> str:
    """An answer in the words of the corpus."""
    reply = gather(events)
    lines = [f"text: {json.dumps(reply.text, ensure_ascii=False)}"] if reply.text else []
    lines += [f"{call.kind}: {call.name} {_shown(call.arguments)}" for call in reply.tool_calls]
    if follow_up is not None:
        error = follow_up.messages[-1].text.split("could not be read: ")[1].split("\n")[0]
        lines.append(f"ask: {error}")
    match reply.end:
        case Finish(reason):
            lines.append(f"end: {reason}")
        case Failure(error):
            lines.append(f"failure: {error.message}")
    return "\n".join(lines)


def _shown(arguments: str) -> str:
    return arguments if "\n" not in arguments else json.dumps(arguments, ensure_ascii=False)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.file}: {case.name}")
def test_what_a_bot_writes_becomes_what_it_meant(case: Case) -> None:
    """Every text of the corpus gives exactly the text, the calls and the end that it should."""
    got = told(*answer([case.text]))

    assert case.expected == got


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.file}: {case.name}")
def test_cuts_do_not_matter(case: Case) -> None:
    """Every text of the corpus gives the same, character by character and in pieces of any size."""
    chance = random.Random(case.name)
    ways = [list(case.text)]
    if len(case.text) < 2000:
        ways += [[case.text[:cut], case.text[cut:]] for cut in range(1, len(case.text), 3)]
    for _ in range(5):
        ways.append(list(_pieces(case.text, chance)))
    got = {told(*answer(piece for piece in way if piece)) for way in ways}

    assert {case.expected} == got


def _pieces(text: str, chance: random.Random) -> Iterator[str]:
    while text:
        size = chance.randint(1, 12)
        yield text[:size]
        text = text[size:]


def test_the_corpus_is_read() -> None:
    """The corpus has its cases, and each is named once in its file."""
    names = [(case.file, case.name) for case in CASES]

    assert len(names) == len(set(names)) >= 150
