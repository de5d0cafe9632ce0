"""What a simulated bot is: a name, something it does, and what Poe's model list says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from poeflask.simulator.query import Query
from poeflask.simulator.steps import Steps

Act = Callable[[Query], Steps]


@dataclass(frozen=True, slots=True)
class Knob:
    """A parameter that the bot declares."""

    name: str
    schema: Mapping[str, Any]
    default: Any = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot. What it does is told by the docstring of `act`."""

    name: str
    act: Act
    takes: tuple[str, ...] = ("text",)
    gives: tuple[str, ...] = ("text",)
    tools: bool = False
    knobs: tuple[Knob, ...] = ()
    context_tokens: int = 32_000
    listed: bool = field(default=True, kw_only=True)

    @property
    def description(self) -> str:
        """What the bot does, for people."""
        return " ".join((self.act.__doc__ or "").split())
