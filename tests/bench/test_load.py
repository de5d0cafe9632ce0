"""The clients of the measurements see what is right and what is not."""

import json

import pytest

from bench.processes import get
from tests.bench.scenes import play

KINDS = ["short", "flat out", "500 streams", "1 MB of arguments"]


@pytest.mark.parametrize("name", [*KINDS, "list of models"])
def test_a_right_answer_is_no_error(upstream, name):
    """Streams, whole answers, calls and the list of models are known for what they are."""
    assert 0 == play(upstream, name)["errors"]


@pytest.mark.parametrize("name", KINDS)
def test_another_answer_is_an_error(upstream, name):
    """An answer that lacks its last event costs nothing that means something."""
    assert 4 == play(upstream, f"not {name}")["errors"]


def test_who_waits_for_a_whole_answer_leaves_by_the_clock(upstream):
    """Each client hangs up so long after it asked, and the upstream sees each go."""
    before = len(json.loads(get(upstream, "/left")))

    seen = play(upstream, "leave by the clock")
    left = json.loads(get(upstream, "/left"))[before:]

    assert 0 == seen["errors"]
    assert (4, 4) == (len(seen["left_at"]), len(left))
