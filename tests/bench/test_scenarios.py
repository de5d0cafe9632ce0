"""What is measured says of itself what is needed to measure it."""

import json

import pytest

from bench.scenarios import CURVES, SCENARIOS, Answer


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_an_answer_is_read_back_from_its_name(scenario):
    """The upstream knows nothing of a scenario but the bot's name."""
    assert scenario.answer == Answer.of(scenario.answer.name)


def test_no_two_scenarios_share_a_name():
    """What was found is kept by name."""
    names = [scenario.name for scenario in SCENARIOS]

    assert sorted(set(names)) == sorted(names)


def test_each_curve_has_points():
    """A line needs three of them, each at a place of its own."""
    places = {curve: [one.by for one in SCENARIOS if one.curve == curve] for curve in CURVES}

    assert all(len(set(by)) == len(by) >= 3 for by in places.values())


def test_the_pieces_of_a_call_are_json_together():
    """A megabyte of arguments is one object with one text."""
    answer = Answer(style="calling", events=1000)

    assert ["text"] == list(json.loads(answer.text))
    assert len(answer.text) > 1_000_000


def test_streams_are_compared_with_the_floor():
    """The floor knows chunked streams without TLS and nothing else."""
    compared = {scenario.name: "floor" in scenario.servers for scenario in SCENARIOS}

    assert compared["500 streams"]
    assert not compared["short"]
    assert not compared["200 streams, over TLS"]
