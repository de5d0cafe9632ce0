"""What a look at the installation finds, and how it is told: to people, to logs, to programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal, TextIO

from rich.console import Console
from rich.text import Text

from poeflask.core import json_text

Level = Literal["ok", "remark", "fault"]

_MARKS: dict[Level, tuple[str, str]] = {
    "ok": ("✓", "green"),
    "remark": ("!", "yellow"),
    "fault": ("✗", "bold red"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        topic: what was looked at, in a word.
        level: "fault" keeps poeflask from working; "remark" is worth a thought.
        text: what was found and, unless all is well, how to mend it.
    """

    topic: str
    level: Level
    text: str


def ok(topic: str, text: str) -> Finding:
    """All is well there."""
    return Finding(topic, "ok", text)


def remark(topic: str, text: str) -> Finding:
    """It works, and could be better."""
    return Finding(topic, "remark", text)


def fault(topic: str, text: str) -> Finding:
    """It does not work."""
    return Finding(topic, "fault", text)


def tell(findings: Iterable[Finding], out: TextIO | None = None) -> bool:
    """Write the findings as they come; true if none is a fault.

    A person at a terminal sees all of them; a log only those that are not well.
    """
    out = out or sys.stdout
    console = Console(file=out, highlight=False) if out.isatty() else None
    sound = True
    for finding in findings:
        sound = sound and finding.level != "fault"
        if console is not None:
            _draw(finding, console)
        elif finding.level != "ok":
            out.write(f"{finding.level}: {finding.text}\n")
    if sound:
        out.write("All is well.\n")
    return sound


def tell_as_json(findings: Iterable[Finding], out: TextIO | None = None) -> bool:
    """Write the findings as one JSON array; true if none is a fault."""
    found = list(findings)
    (out or sys.stdout).write(json_text.write([asdict(finding) for finding in found]) + "\n")
    return all(finding.level != "fault" for finding in found)


def _draw(finding: Finding, console: Console) -> None:
    mark, style = _MARKS[finding.level]
    line = Text.assemble((f"{mark} ", style), (f"{finding.topic:10} ", "bold"), finding.text)
    console.print(line)
