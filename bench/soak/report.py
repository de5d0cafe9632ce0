"""What a soak found, as a table for people and as sentences for what is wrong."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from bench.soak.house import SOON_S, Look

_MORE_DESCRIPTORS = 100
"""How many may be open at the end beside those after the first streams: connections for reuse."""


def growth_kb_per_minute(looks: Sequence[Look]) -> float:
    """The slope of the memory in the second half; the first warms caches and pools."""
    half = looks[len(looks) // 2 : -1]
    if len(half) < 3:
        return 0.0
    slope, _ = statistics.linear_regression(
        [look.at_s for look in half], [look.memory_kb for look in half]
    )
    return round(slope * 60, 1)


def faults_of(report: Mapping[str, Any], looks: Sequence[Look]) -> list[str]:
    """A sentence for everything that is not as it should be."""
    last, descriptors = looks[-1], report["descriptors"]
    found = []
    if report["wrong"]:
        found.append("Answers were wrong; the first are told above.")
    if report["paced"]["whole"] != report["paced"]["streams"]:
        found.append("Not all paced streams came whole.")
    if report["aborted"]["closed after s"] > SOON_S:
        found.append("Poe's side of aborted streams was not closed in time.")
    if last.at_poe or last.in_flight:
        found.append(f"{last.at_poe} answers at Poe and {last.in_flight} in flight were left.")
    if descriptors["after"] > descriptors["after the streams"] + _MORE_DESCRIPTORS:
        found.append("Descriptors were left open.")
    return found


def table(report: Mapping[str, Any]) -> str:
    """The report for people."""
    pace, left = report["paced"], report["aborted"]
    answers = ", ".join(f"{count} {name}" for name, count in sorted(report["counts"].items()))
    memory, descriptors = report["memory MiB"], report["descriptors"]
    rows = [
        ("paced streams", f"{pace['whole']} of {pace['streams']} whole, in {pace['seconds']} s"),
        (
            "aborted streams",
            f"{left['streams']}; Poe's side closed {left['closed after s']} s after the last left",
        ),
        ("soak", f"{report['minutes']:g} minutes, {report['clients']} clients: {answers}"),
        ("wrong answers", str(report["counts"].get("wrong", 0))),
        (
            "memory",
            f"{memory['before']} MiB before, {memory['most']} most, {memory['after']} after",
        ),
        ("growth in the second half", f"{report['growth KiB per minute']} KiB a minute"),
        (
            "descriptors, with connections to Poe that are kept for reuse",
            ", ".join(f"{count} {when}" for when, count in descriptors.items()),
        ),
        ("left at the end", f"{report['left at Poe']} answers at Poe"),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {said} |" for name, said in rows)])
