"""What a response says, told to somebody who writes it down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.reply import (
    Failure,
    Finish,
    Note,
    Pause,
    ReasoningDelta,
    ReplyEvent,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from poeflask.endpoints.responses.output import Output
from poeflask.endpoints.responses.tools import Naming

RESPONSE = "resp_00ff00ff00ff00ff"
BROKEN = Failure(PoeError(ErrorKind.POE_BROKEN, "The line broke."))


class Notebook:
    """A teller that writes everything down."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []

    def tell(self, name: str, fields: Mapping[str, Any]) -> None:
        self.told.append((name, dict(fields)))

    def delta(self, name: str, place: str, text: str) -> None:
        self.told.append((name, {**json.loads("{" + place), "delta": text}))


def output(*events: ReplyEvent) -> tuple[Output, Notebook]:
    """The output after these events, and what was told of it."""
    notebook = Notebook()
    made = Output(RESPONSE, Naming(), notebook)
    for event in events:
        made.take(event)
    return made, notebook


def call(arguments: str, name: str = "", kind: Any = "function") -> ToolCallDelta:
    """A piece of the only call."""
    call_id = "c1" if name else ""
    return ToolCallDelta(position=0, call_id=call_id, name=name, arguments=arguments, kind=kind)


@pytest.mark.parametrize("end", [Finish(), BROKEN])
def test_only_an_end_is_given_back(end: Finish | Failure) -> None:
    """Then all items are closed."""
    made, _ = output()
    events: list[ReplyEvent] = [TextDelta("a"), Pause(), Note("meta", {}), Usage()]

    assert [None] * 4 == [made.take(event) for event in events]
    assert end == made.take(end)
    assert 1 == len(made.items)


def test_an_item_is_kept_when_it_is_closed() -> None:
    """What follows closes it; ids tell kind and place."""
    made, _ = output(ReasoningDelta("Hm"), TextDelta("a"))

    assert ["rs_00ff00ff00ff00ff_0"] == [item["id"] for item in made.items]
    made.take(Finish())
    assert ["rs_00ff00ff00ff00ff_0", "msg_00ff00ff00ff00ff_1"] == [i["id"] for i in made.items]


def test_a_pause_closes_nothing() -> None:
    """It carries no order."""
    made, _ = output(TextDelta("a"), Pause(), TextDelta("b"), Finish())

    assert ["ab"] == [item["content"][0]["text"] for item in made.items]


def test_each_piece_tells_its_place() -> None:
    """Text, thoughts and arguments each have their own words for it."""
    _, notebook = output(TextDelta("a"), ReasoningDelta("b"), call("{", "f"))
    deltas = [(name, fields) for name, fields in notebook.told if name.endswith(".delta")]

    assert deltas == [
        (
            "output_text.delta",
            {
                "item_id": "msg_00ff00ff00ff00ff_0",
                "output_index": 0,
                "content_index": 0,
                "logprobs": [],
                "delta": "a",
            },
        ),
        (
            "reasoning_summary_text.delta",
            {
                "item_id": "rs_00ff00ff00ff00ff_1",
                "output_index": 1,
                "summary_index": 0,
                "delta": "b",
            },
        ),
        (
            "function_call_arguments.delta",
            {"item_id": "fc_00ff00ff00ff00ff_2", "output_index": 2, "delta": "{"},
        ),
    ]


@pytest.mark.parametrize(
    ("pieces", "end", "status"),
    [
        ([call("{}", "f")], Finish("tool_calls"), "completed"),
        ([call("{}", "f")], Finish("length"), "completed"),
        ([call("{", "f")], Finish("length"), "incomplete"),
        ([call("x", "p", "custom")], Finish("tool_calls"), "completed"),
        ([call("x", "p", "custom")], Finish("length"), "incomplete"),
        ([call("{}", "f")], BROKEN, "completed"),
        ([call("{", "f")], BROKEN, None),
        ([call("", "f")], BROKEN, None),
        ([call("x", "p", "custom")], BROKEN, None),
    ],
)
def test_when_a_call_may_be_run(
    pieces: list[ReplyEvent], end: ReplyEvent, status: str | None
) -> None:
    """A call that a failure broke off is not told as done; one that is whole always is."""
    made, notebook = output(*pieces, end)
    done = [
        fields["item"]["status"] for name, fields in notebook.told if name == "output_item.done"
    ]

    assert ([] if status is None else [status]) == done
    assert done == [item["status"] for item in made.items]
