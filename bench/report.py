"""What was measured, as tables and curves, and into docs/performance.md."""

from __future__ import annotations

import os
import platform
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.scenarios import SCENARIOS, Scenario

DOCS = Path(__file__).parents[1] / "docs"

_BEGIN, _END = "<!-- make bench writes from here -->", "<!-- to here -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one round of one scenario cost one server.

    Attributes:
        cost_us: microseconds of processor time for each unit.
        kb: memory for each client, at its highest.
        first_ms: median of the time to the first text.
        late_ms: median of the time from the sending of an event to its arrival.
        left: how many of the clients that left were noticed, and how soon at the median.
    """

    cost_us: float
    kb: float
    first_ms: float
    late_ms: float
    errors: int
    left: tuple[int, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartUp:
    """How poeflask begins.

    Attributes:
        ready_s: from the start of the process to the first answer.
        idle_mb: memory before anything was asked.
        counted_mb: memory once tokens were counted, which loads the vocabulary.
    """

    ready_s: float
    idle_mb: float
    counted_mb: float


Found = dict[tuple[str, str], list[Figures]]
"""By scenario and server."""


def tables(
    chosen: Sequence[Scenario], found: Found, beginning: Sequence[StartUp], rounds: int
) -> str:
    """The tables as Markdown, with the machine and the day."""
    ready_s = statistics.median(one.ready_s for one in beginning)
    idle_mb = statistics.median(one.idle_mb for one in beginning)
    counted_mb = statistics.median(one.counted_mb for one in beginning)
    lines = [
        f"{_machine()}; {rounds} rounds.",
        "",
        "| scenario | unit | nginx, us | poeflask, us | ratio | first text, ms | late, ms "
        "| KB a client | errors | leaves noticed |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(_line(one, found[one.name, "nginx"], found[one.name, "poeflask"]) for one in chosen),
        "",
        f"Ready {ready_s:.2f} s after the start; {idle_mb:.0f} MB before the first question, "
        f"{counted_mb:.0f} MB with the vocabulary that tokens are counted by.",
    ]
    return "\n".join(lines)


def write(text: str, found: Found) -> None:
    """Put the tables into the page, and draw the curves beside it."""
    page = DOCS / "performance.md"
    around = re.compile(f"(?<={_BEGIN}\n).*(?={_END})", re.DOTALL)
    page.write_text(around.sub(lambda _: f"\n{text}\n\n", page.read_text("utf-8")), "utf-8")
    curves = {
        "a request, by KB of prompt": _curve(found, "request"),
        "an event, by events of a reply": _curve(found, "event"),
    }
    (DOCS / "performance.svg").write_text(_drawing(curves), "utf-8")


def _machine() -> str:
    models = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text("utf-8"))
    packages = ", ".join(f"{name} {version(name)}" for name in ("gevent", "gunicorn", "requests"))
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; {os.cpu_count()} cores of {models[0] if models else '?'}, "
        f"load {os.getloadavg()[2]:.1f} before and while it ran; Linux {platform.release()}, "
        f"Python {platform.python_version()}, {packages}; "
        f"a loop of 200,000 steps in Python takes {_loop_ms():.0f} ms"
    )


def _loop_ms() -> float:
    """How fast the interpreter is here and now: the best of five."""
    best_ns = 10**12
    for _ in range(5):
        began_ns = time.thread_time_ns()
        total = 0
        for number in range(200_000):
            total += number * number % 7
        best_ns = min(best_ns, time.thread_time_ns() - began_ns)
    return best_ns / 1e6


def _line(scenario: Scenario, nginx: list[Figures], ours: list[Figures]) -> str:
    def median(of: Callable[[Figures], float], figures: list[Figures] = ours) -> float:
        return statistics.median(map(of, figures))

    ratios = [our.cost_us / its.cost_us for our, its in zip(ours, nginx, strict=True)]
    lefts = [figures.left for figures in ours if figures.left is not None]
    noticed = ", ".join(f"{count} after {late_ms:.1f} ms" for count, late_ms in lefts[-1:])
    cells = [
        scenario.name,
        scenario.unit,
        f"{median(lambda one: one.cost_us, nginx):.1f}",
        f"{median(lambda one: one.cost_us):.1f}",
        f"{statistics.median(ratios):.1f}",
        f"{median(lambda one: one.first_ms):.0f}",
        f"{median(lambda one: one.late_ms):.2f}" if scenario.answer.timed else "",
        f"{median(lambda one: one.kb):.0f}",
        str(sum(one.errors for one in (*nginx, *ours))),
        f"{noticed} of {scenario.requests}" if noticed else "",
    ]
    return f"| {' | '.join(cells)} |"


_Points = Sequence[tuple[int, float]]


def _curve(found: Found, unit: str) -> Mapping[str, _Points]:
    """By server: by what the scenarios differ, and the cost in microseconds."""
    chosen = [one for one in SCENARIOS if one.by and one.unit == unit]
    return {
        server: [
            (one.by, statistics.median(figures.cost_us for figures in found[one.name, server]))
            for one in chosen
        ]
        for server in ("nginx", "poeflask")
    }


_WIDTH, _HEIGHT, _LEFT, _TOP = 380, 200, 60, 30
_COLOURS = {"nginx": "#8a8a8a", "poeflask": "#0b6bcb"}


def _drawing(curves: Mapping[str, Mapping[str, _Points]]) -> str:
    """Both curves side by side, both axes from nought, so that a straight line is linear growth."""
    width = len(curves) * (_LEFT + _WIDTH + 20)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_TOP + _HEIGHT + 40}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for number, (title, lines) in enumerate(curves.items()):
        parts += _plot(title, lines, _LEFT + number * (_LEFT + _WIDTH + 20))
    return "\n".join([*parts, "</svg>", ""])


def _plot(title: str, lines: Mapping[str, _Points], left: int) -> list[str]:
    furthest = max(x for points in lines.values() for x, _ in points)
    highest = max(y for points in lines.values() for _, y in points)
    bottom = _TOP + _HEIGHT
    parts = [
        f'<text x="{left}" y="{_TOP - 12}">us for {title}</text>',
        f'<path d="M{left} {_TOP}V{bottom}H{left + _WIDTH}" fill="none" stroke="#444"/>',
        f'<text x="{left - 6}" y="{_TOP + 10}" text-anchor="end">{highest:,.0f}</text>',
        f'<text x="{left - 6}" y="{bottom}" text-anchor="end">0</text>',
        f'<text x="{left + _WIDTH}" y="{bottom + 18}" text-anchor="end">{furthest:,}</text>',
    ]
    for number, (server, points) in enumerate(lines.items()):
        places = [(left + _WIDTH * x / furthest, bottom - _HEIGHT * y / highest) for x, y in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        colour = _COLOURS[server]
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        parts.append(
            f'<text x="{left + 12 + 80 * number}" y="{_TOP + 12}" fill="{colour}">{server}</text>'
        )
    return parts
