"""What was measured is told as it was."""

import re

import pytest

from bench.report import (
    DOCS,
    Figures,
    StartUp,
    beside_peer,
    carries,
    paired,
    part,
    put,
    tables,
)
from bench.scenarios import SCENARIOS

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
BEGINNING = [
    StartUp(ready_s=1.0, idle_mb=70, counted_mb=150, scenario="500 streams", kb=kb)
    for kb in (64, 60, 90)
]


def figures(cost_us: float, errors: int = 0, **more) -> Figures:
    """One round's."""
    return Figures(cost_us=cost_us, first_ms=3, late_ms=0.5, errors=errors, **more)


FOUND = {
    ("500 streams", "nginx"): [figures(20), figures(40), figures(20)],
    ("500 streams", "floor"): [figures(25), figures(25), figures(25)],
    ("500 streams", "poeflask"): [figures(50), figures(120), figures(60)],
    ("short", "nginx"): [figures(50)],
    ("short", "poeflask"): [figures(3000)],
    ("short", "poe-api-bridge"): [figures(60_000, errors=2)],
}


def test_ratios_are_taken_round_by_round():
    """A round in which a neighbour was busy counts as one ratio, not as two odd figures."""
    ours, nginx = FOUND["500 streams", "poeflask"], FOUND["500 streams", "nginx"]

    assert 3.0 == paired(ours, nginx)


def test_a_row_holds_every_server_and_both_ratios():
    """The costs of nginx, the floor and poeflask, and what poeflask is to both."""
    told = tables([BY_NAME["500 streams"]], FOUND, BEGINNING, 3)["figures"]

    assert "| 500 streams | event | 20.0 | 25.0 | 60.0 | 3.0 | 2.40 | 3 |" in told
    assert "| 0.50 / 0.50 / 0.50 | 64 | 0 |" in told


def test_the_fewest_leaves_of_all_rounds_are_told():
    """A round in which somebody's leaving was not noticed is not hidden by the others."""
    leave = BY_NAME["leave"]
    found = {
        ("leave", "nginx"): [figures(1), figures(1)],
        ("leave", "poeflask"): [figures(5, left=(50, 4.0)), figures(5, left=(49, 6.0))],
    }
    told = tables([leave], found, BEGINNING, 2)["figures"]

    assert "49 after 5.0 ms of 50" in told


def test_what_a_core_carries_comes_from_the_figures():
    """20 events of 60 us and a thirtieth of 3 ms make 1.3 ms of each second."""
    told = carries(FOUND, BEGINNING)

    assert "e = 60 us" in told
    assert "| 1 s / (20 e + r / 30) | 769 |" in told
    assert "| 2 | 2 | 1,538 | 300 + 96 |" in told


def test_a_run_without_its_scenarios_tells_nothing_of_what_a_core_carries():
    """Nothing is computed from what was not measured."""
    assert ["figures"] == list(
        tables(
            [BY_NAME["500 streams"]],
            {key: found for key, found in FOUND.items() if key[0] == "500 streams"},
            BEGINNING,
            3,
        )
    )


def test_the_peer_stands_in_a_table_of_its_own():
    """With the part that poeflask costs, the goal, and whose errors they are."""
    told = beside_peer([BY_NAME["short"], BY_NAME["500 streams"]], FOUND, "told")

    assert "| short | request | 60000.0 | 3000.0 | 1/20.0 | 1/20.0 | 2 / 0 |" in told
    assert "500 streams" not in told


@pytest.mark.parametrize(("ratio", "said"), [(1 / 27, "1/27.0"), (0.75, "0.75"), (2, "2.00")])
def test_small_parts_are_said_as_fractions(ratio, said):
    """What is more than half is no fraction to boast of."""
    assert said == part(ratio)


def test_what_is_put_on_a_page_stays_in_its_place():
    """Between its marks, whatever it holds; twice is as good as once."""
    page = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n"
    once = put(page, "x", r"new \1")

    assert "a\n<!-- x -->\n\nnew \\1\n\n<!-- /x -->\nb\n" == once
    assert once == put(once, "x", r"new \1")


def test_a_page_without_the_place_is_refused():
    """What was measured in minutes is not thrown away in silence."""
    with pytest.raises(ValueError, match="<!-- x -->"):
        put("a", "x", "new")


def test_the_page_has_a_place_for_all():
    """What a whole run writes has its marks in docs/performance.md, each once."""
    page = (DOCS / "performance.md").read_text("utf-8")

    assert ["figures", "peer", "carries"] == re.findall("<!-- /(.*) -->", page)
    assert ["figures", "peer", "carries"] == re.findall("<!-- ([a-z]+) -->", page)
