"""What the soak holds against poeflask."""

import pytest

from bench.soak.house import Look
from bench.soak.report import faults_of, growth_kb_per_minute, table


def report(**more):
    """A run in which all went well."""
    return {
        "minutes": 1,
        "clients": 40,
        "paced": {"streams": 5, "whole": 5, "seconds": 1},
        "aborted": {"streams": 5, "left": 5, "closed after s": 0.1},
        "counts": {"whole": 5},
        "wrong": [],
        "memory MiB": {"before": 1, "most": 3, "after": 2},
        "growth KiB per minute": 0.0,
        "descriptors": {"before": 1, "after the streams": 20, "after": 30},
        "left at Poe": 0,
        **more,
    }


def look(at_s: float = 0, memory_kb: int = 0, at_poe: int = 0, in_flight: float = 0) -> Look:
    """A moment."""
    return Look(at_s, memory_kb, 30, at_poe, in_flight)


@pytest.mark.parametrize(
    ("more", "last"),
    [
        ({"wrong": ["one"]}, look()),
        ({"paced": {"streams": 5, "whole": 4}}, look()),
        ({"aborted": {"closed after s": 9.0}}, look()),
        ({"descriptors": {"after the streams": 20, "after": 200}}, look()),
        ({}, look(at_poe=1)),
        ({}, look(in_flight=1.0)),
    ],
)
def test_whatever_was_wrong_or_left_behind_is_told(more, last):
    """In a sentence each; of a run that went well there is none."""
    assert [] == faults_of(report(), [look()])
    assert 1 == len(faults_of(report(**more), [last]))


def test_growth_is_that_of_the_second_half():
    """The first warms up, and the last look is at an idle house."""
    warm = [look(at_s, 1000 * at_s) for at_s in range(10)]
    late = [look(at_s, 9000 + 2 * at_s) for at_s in range(10, 20)]

    assert 120.0 == growth_kb_per_minute([*warm, *late, look(20, 0)])


def test_the_table_tells_who_asked_and_what_came():
    """A line each."""
    assert "| soak | 1 minutes, 40 clients: 5 whole |" in table(report())
