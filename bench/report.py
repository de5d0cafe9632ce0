"""What was measured, as tables and curves, and into docs/performance.md."""

from __future__ import annotations

import os
import platform
import re
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.scenarios import CURVES, SCENARIOS, Scenario

DOCS = Path(__file__).parents[1] / "docs"

NGINX, FLOOR, OURS, PEER = "nginx", "floor", "poeflask", "poe-api-bridge"
"""The servers, as the tables call them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one round of one scenario cost one server.

    Attributes:
        cost_us: microseconds of processor time for each unit.
        first_ms: median of the time to the first text.
        late_ms: median of the time from the sending of an event to its arrival.
        left: how many of the clients that left were noticed, and how soon at the median.
        handshakes: TLS handshakes with the upstream for each request; 0 without TLS.
    """

    cost_us: float
    first_ms: float
    late_ms: float
    errors: int
    left: tuple[int, float] | None = None
    handshakes: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StartUp:
    """How poeflask begins, and what its first clients take.

    Attributes:
        ready_s: from the start of the process to the first answer.
        idle_mb: memory before anything was asked.
        counted_mb: memory once tokens were counted, which loads the vocabulary.
        scenario: the name of the first one after that.
        kb: the memory that it took on top for each of its clients, at its highest.
    """

    ready_s: float
    idle_mb: float
    counted_mb: float
    scenario: str
    kb: float


Found = dict[tuple[str, str], list[Figures]]
"""By scenario and server."""


def tables(
    chosen: Sequence[Scenario],
    found: Found,
    beginning: Sequence[StartUp],
    rounds: int,
    peer: str = "",
) -> dict[str, str]:
    """What is written, as Markdown, by the name of its place on the page.

    Args:
        chosen: the scenarios that were measured.
        found: what they cost.
        beginning: how poeflask began, for each weighed scenario and round.
        rounds: how often each scenario was run.
        peer: what poe-api-bridge is made of; "" if it was not measured.
    """
    machine = f"{_machine()}; {rounds} rounds."
    written = {"figures": _figures(chosen, found, beginning, machine)}
    if all((name, OURS) in found for name in (_PACED, _SHORT)):
        written["carries"] = carries(found, beginning)
    if peer:
        written["peer"] = beside_peer(chosen, found, f"{machine} {PEER} with {peer}.")
    return written


def write(written: Mapping[str, str], found: Found) -> None:
    """Put what was written into its places on the page, and draw the curves beside it."""
    page = DOCS / "performance.md"
    text = page.read_text("utf-8")
    for name, content in written.items():
        text = put(text, name, content)
    page.write_text(text, "utf-8")
    curves = {title: _curve(found, curve) for curve, title in CURVES.items()}
    (DOCS / "performance.svg").write_text(_drawing(curves), "utf-8")


def put(page: str, name: str, content: str) -> str:
    """The page with other content between the two marks of a place.

    Raises:
        ValueError: the page has no such place.
    """
    around = re.compile(f"(?<=<!-- {name} -->\n).*(?=<!-- /{name} -->)", re.DOTALL)
    text, count = around.subn(lambda _: f"\n{content}\n\n", page)
    if count != 1:
        raise ValueError(f"The page should have one place between <!-- {name} --> and its end.")
    return text


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


def _figures(
    chosen: Sequence[Scenario], found: Found, beginning: Sequence[StartUp], machine: str
) -> str:
    ready_s = statistics.median(one.ready_s for one in beginning)
    idle_mb = statistics.median(one.idle_mb for one in beginning)
    counted_mb = statistics.median(one.counted_mb for one in beginning)
    lines = [
        machine,
        "",
        "| scenario | unit | nginx, us | floor, us | poeflask, us | to nginx | to the floor "
        "| first text, ms | late, ms: nginx / floor / poeflask | KB a client | errors "
        "| leaves noticed |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
        *(_line(one, found, _kb(beginning, one.name)) for one in chosen),
        "",
        f"Ready {ready_s:.2f} s after the start; {idle_mb:.0f} MB before the first question, "
        f"{counted_mb:.0f} MB with the vocabulary that tokens are counted by.",
        *_over_tls(chosen, found),
    ]
    return "\n".join(lines)


def _over_tls(chosen: Sequence[Scenario], found: Found) -> Iterator[str]:
    counted = [
        f"{one.name}: {_median(found[one.name, OURS], _handshakes):.3f} "
        f"(nginx {_median(found[one.name, NGINX], _handshakes):.3f})"
        for one in chosen
        if one.over_tls
    ]
    if counted:
        yield f"\nTLS handshakes for each request, {'; '.join(counted)}."


def _line(scenario: Scenario, found: Found, kb: float | None) -> str:
    servers = [found.get((scenario.name, name), []) for name in (NGINX, FLOOR, OURS)]
    nginx, floor, ours = servers
    lefts = [figures.left for figures in ours if figures.left is not None]
    noticed = ", ".join(f"{count} after {late_ms:.1f} ms" for count, late_ms in _middle(lefts))
    lates = " / ".join(f"{_median(one, _late_ms):.2f}" for one in servers if one)
    cells = [
        scenario.name,
        scenario.unit,
        *(f"{_median(one, _cost_us):.1f}" if one else "" for one in servers),
        f"{paired(ours, nginx):.1f}",
        f"{paired(ours, floor):.2f}" if floor else "",
        f"{_median(ours, _first_ms):.0f}" if not scenario.leave_after_s else "",
        lates if scenario.answer.timed else "",
        f"{kb:.0f}" if kb is not None else "",
        str(sum(one.errors for figures in servers for one in figures)),
        f"{noticed} of {scenario.requests}" if noticed else "",
    ]
    return f"| {' | '.join(cells)} |"


def _middle(lefts: Sequence[tuple[int, float]]) -> Iterator[tuple[int, float]]:
    """The fewest leaves that were noticed in a round, and the median of how soon."""
    if lefts:
        yield min(count for count, _ in lefts), statistics.median(late for _, late in lefts)


def paired(ours: Sequence[Figures], others: Sequence[Figures]) -> float:
    """The median of the ratios of the costs, round by round: what was measured side by side."""
    pairs = zip(ours, others, strict=True)
    return statistics.median(one.cost_us / other.cost_us for one, other in pairs)


def _median(figures: Sequence[Figures], of: Callable[[Figures], float]) -> float:
    return statistics.median(map(of, figures))


def _cost_us(one: Figures) -> float:
    return one.cost_us


def _first_ms(one: Figures) -> float:
    return one.first_ms


def _late_ms(one: Figures) -> float:
    return one.late_ms


def _kb(beginning: Sequence[StartUp], name: str) -> float | None:
    """What each client of a scenario takes; None if it was not weighed."""
    weighed = [one.kb for one in beginning if one.scenario == name]
    return statistics.median(weighed) if weighed else None


def _handshakes(one: Figures) -> float:
    return one.handshakes


def beside_peer(chosen: Sequence[Scenario], found: Found, told: str) -> str:
    """What poeflask costs beside poe-api-bridge, where there is a goal for it."""
    lines = [
        told,
        "",
        "| scenario | unit | poe-api-bridge, us | poeflask, us | part | goal | errors of both |",
        "|---|---|---|---|---|---|---|",
    ]
    for scenario in chosen:
        ours, peer = found[scenario.name, OURS], found.get((scenario.name, PEER), [])
        if peer:
            cells = [
                *(scenario.name, scenario.unit),
                *(f"{_median(one, _cost_us):.1f}" for one in (peer, ours)),
                *(part(paired(ours, peer)), part(scenario.goal)),
                " / ".join(str(sum(figures.errors for figures in one)) for one in (peer, ours)),
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def part(ratio: float) -> str:
    """A ratio as people say it: 1/27, or 0.75 when it is no small part."""
    return f"1/{1 / ratio:.1f}" if ratio < 0.5 else f"{ratio:.2f}"


_PACED, _SHORT = "500 streams", "short"
_RATE, _LIFE_S, _MILLION = 20, 30, 1_000_000
"""Events a second of a stream, and how long it lasts."""


def carries(found: Found, beginning: Sequence[StartUp]) -> str:
    """How much a core, some cores and a million streams are, by the figures of this run."""
    event_us = _median(found[_PACED, OURS], _cost_us)
    request_us = _median(found[_SHORT, OURS], _cost_us)
    stream_kb = max(1.0, _kb(beginning, _PACED) or 0.0)
    worker_mb = statistics.median(one.counted_mb for one in beginning)
    nginx_us = _median(found[_PACED, NGINX], _cost_us)
    streams = _MILLION / (_RATE * event_us + request_us / _LIFE_S)
    cores = _MILLION / streams
    lines = [
        f"e = {event_us:.0f} us (an event of {_PACED}), r = {request_us:.0f} us (a {_SHORT} "
        f"request), m = {stream_kb:.0f} KB (a client of {_PACED}), "
        f"n = {nginx_us:.0f} us (an event in nginx).",
        "",
        "| | how | on one core of this machine |",
        "|---|---|---|",
        f"| events a second | 1 s / e | {_MILLION / event_us:,.0f} |",
        f"| streams of {_RATE} events a second that last {_LIFE_S} s "
        f"| 1 s / ({_RATE} e + r / {_LIFE_S}) | {streams:,.0f} |",
        f"| new requests a second, and nothing else | 1 s / r | {_MILLION / request_us:,.0f} |",
        f"| idle streams a GB | 1 GB / m | {1024 * 1024 / stream_kb:,.0f} |",
        "",
        "| cores | workers | streams | memory, MB |",
        "|---|---|---|---|",
        *(
            f"| {n} | {n} | {n * streams:,.0f} "
            f"| {n * worker_mb:,.0f} + {n * streams * stream_kb / 1024:,.0f} |"
            for n in (1, 2, 4, 8)
        ),
        "",
        "| a million streams need | how | |",
        "|---|---|---|",
        f"| cores of poeflask | 1,000,000 ({_RATE} e + r / {_LIFE_S}) / 1 s | {cores:,.0f} |",
        f"| cores of nginx in front | {_RATE},000,000 n / 1 s "
        f"| {_MILLION * _RATE * nginx_us / _MILLION:,.0f} |",
        f"| memory, GB | 1,000,000 m, and {worker_mb:.0f} MB for each core "
        f"| {(_MILLION * stream_kb / 1024 + cores * worker_mb) / 1024:,.0f} |",
    ]
    return "\n".join(lines)


_Points = Sequence[tuple[int, float]]


def _curve(found: Found, curve: str) -> Mapping[str, _Points]:
    """By server: by what the scenarios differ, and the cost in microseconds."""
    chosen = [one for one in SCENARIOS if one.curve == curve]
    return {
        server: [(one.by, _median(found[one.name, server], _cost_us)) for one in chosen]
        for server in chosen[0].servers
    }


_WIDTH, _HEIGHT, _LEFT, _TOP = 280, 200, 60, 30
_COLOURS = {NGINX: "#8a8a8a", FLOOR: "#b06a00", OURS: "#0b6bcb"}


def _drawing(curves: Mapping[str, Mapping[str, _Points]]) -> str:
    """The curves side by side, both axes from nought, so that a straight line is linear growth."""
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
            f'<text x="{left + 70 * number}" y="{bottom + 18}" fill="{colour}">{server}</text>'
        )
    return parts
