"""Circuits of bots that fail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.poe.breaker import Breakers, Circuit, Permit, Sensitivity
from poeflask.poe.noticeboard import Noticeboard
from poeflask.stores.memory import MemoryStore
from poeflask.stores.namespace import Namespace

QUICK = Sensitivity(failures=3, first_s=30.0, longest_s=100.0)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def failed(circuit: Circuit, times: int, now_s: float = 0.0) -> None:
    """Ask and fail so often."""
    for _ in range(times):
        circuit.fail(circuit.ask(now_s), now_s)


def test_so_many_failures_in_a_row_open_a_circuit() -> None:
    """One less does not, and a success begins the count anew."""
    circuit = Circuit(QUICK)
    failed(circuit, 2)
    circuit.succeed(circuit.ask(0))
    failed(circuit, 2)
    assert Permit() == circuit.ask(0)
    failed(circuit, 1)

    assert Permit(wait_s=30.0) == circuit.ask(0)
    assert Permit(wait_s=10.0) == circuit.ask(20)


def test_a_half_open_circuit_lets_out_one_probe() -> None:
    """All others wait for what becomes of it."""
    circuit = Circuit(QUICK)
    failed(circuit, 3)
    permits = [circuit.ask(30.0) for _ in range(50)]

    assert [True] + [False] * 49 == [permit.probe for permit in permits]
    assert all(permit.wait_s > 0 for permit in permits[1:])


def test_a_probe_decides() -> None:
    """Its failure opens for twice as long, up to a bound; its success closes."""
    circuit = Circuit(QUICK)
    failed(circuit, 3)
    now_s, spans = 0.0, []
    for _ in range(4):
        spans.append(circuit.open_for_s)
        now_s += circuit.open_for_s
        circuit.fail(circuit.ask(now_s), now_s)
    now_s += circuit.open_for_s
    circuit.succeed(circuit.ask(now_s))

    assert [30.0, 60.0, 100.0, 100.0] == spans
    assert Permit() == circuit.ask(now_s)
    failed(circuit, 3, now_s)
    assert 30.0 == circuit.open_for_s


def test_a_probe_that_is_given_up_makes_room_for_another() -> None:
    """A client that left does not leave the circuit half open for ever."""
    circuit = Circuit(QUICK)
    failed(circuit, 3)
    circuit.give_up(circuit.ask(30.0))

    assert circuit.ask(30.0).probe


def test_what_was_asked_before_a_circuit_opened_does_not_close_it() -> None:
    """An old answer says nothing of how the bot is now."""
    circuit = Circuit(QUICK)
    before = circuit.ask(0)
    failed(circuit, 3)
    circuit.succeed(before)

    assert Permit(wait_s=30.0) == circuit.ask(0)


@pytest.mark.parametrize(("until_s", "wait_s"), [(20.0, 30.0), (50.0, 50.0)])
def test_the_longer_of_two_times_counts(until_s: float, wait_s: float) -> None:
    """Its own, or what another worker tells."""
    circuit = Circuit(QUICK)
    failed(circuit, 3)
    circuit.adopt(until_s, 60.0)

    assert Permit(wait_s=wait_s) == circuit.ask(0)


def test_nothing_opens_if_it_is_not_wanted() -> None:
    """With 0 failures bots are asked for ever."""
    circuit = Circuit(Sensitivity(failures=0))
    failed(circuit, 100)

    assert Permit() == circuit.ask(0)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "succeed", "fail", "fail", "give_up", "wait"]),
        st.integers(0, 5),
        st.floats(0, 50),
    ),
    max_size=80,
)


@given(STEPS)
def test_at_most_one_probe_is_out_whatever_happens(steps: list[tuple[str, int, float]]) -> None:
    """Nothing is let through while open, and late reports of others never free a probe."""
    circuit = Circuit(QUICK)
    out: list[Permit] = []
    now_s = 0.0
    for step, which, seconds in steps:
        if step == "wait":
            now_s += seconds
        elif step == "ask":
            until_s = circuit.open_until_s
            permit = circuit.ask(now_s)
            assert permit.wait_s > 0 or until_s is None or (permit.probe and now_s >= until_s)
            out += [] if permit.wait_s else [permit]
        elif out:
            permit = out.pop(which % len(out))
            match step:
                case "succeed":
                    circuit.succeed(permit)
                case "fail":
                    circuit.fail(permit, now_s)
                case _:
                    circuit.give_up(permit)
        assert sum(permit.probe for permit in out) <= 1


def workers(clock: Clock) -> list[Breakers]:
    """Two workers' circuits over one store."""
    store = MemoryStore(clock=clock)
    return [
        Breakers(
            Noticeboard(Namespace(store, "upstream", on_failure="forget"), clock=clock),
            QUICK,
            clock,
        )
        for _ in range(2)
    ]


def broken(breakers: Breakers) -> None:
    """Open the circuit of a bot."""
    for _ in range(3):
        breakers.fail("Bot", "mark", breakers.ask("Bot", "mark"))


def test_other_workers_leave_the_bot_alone_within_a_second() -> None:
    """Other bots and other keys go on."""
    clock = Clock()
    here, there = workers(clock)
    broken(here)
    clock.now_s += 1

    assert [29.0, 29.0] == [each.ask("bot", "mark").wait_s for each in (here, there)]
    assert Permit() == there.ask("Other", "mark") == there.ask("Bot", "other")


def test_each_worker_lets_out_one_probe_and_one_success_is_enough() -> None:
    """What one worker's probe learns, the others know within a second."""
    clock = Clock()
    here, there = workers(clock)
    broken(here)
    clock.now_s += 31
    probe = here.ask("Bot", "mark")
    assert probe.probe
    assert [True, False] == [there.ask("Bot", "mark").probe for _ in range(2)]
    here.succeed("Bot", "mark", probe)
    clock.now_s += 1

    assert [Permit()] * 4 == [each.ask("Bot", "mark") for each in (here, there) for _ in range(2)]


@pytest.mark.parametrize("probes", [1, 3])
def test_a_failed_probe_is_told_too(probes: int) -> None:
    """The others wait as long."""
    clock = Clock()
    here, there = workers(clock)
    broken(here)
    for _ in range(probes):
        clock.now_s += 100
        here.fail("Bot", "mark", here.ask("Bot", "mark"))
    clock.now_s += 1

    assert here.ask("Bot", "mark").wait_s == there.ask("Bot", "mark").wait_s > 50


def test_what_opened_here_is_closed_from_here() -> None:
    """Another worker's success closes what was only adopted."""
    clock = Clock()
    here, there = workers(clock)
    broken(here)
    assert here.ask("Bot", "mark").wait_s
    clock.now_s += 31
    there.succeed("Bot", "mark", there.ask("Bot", "mark"))
    clock.now_s += 1

    assert [True, False] == [each.ask("Bot", "mark").probe for each in (here, there)]


def test_so_many_bots_are_remembered_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one whose failure lies back longest is forgotten."""
    monkeypatch.setattr("poeflask.poe.breaker._MOST_CIRCUITS", 2)
    breakers, _ = workers(Clock())
    for bot in ("first", "first", "second", "second", "third", "first", "second"):
        breakers.fail(bot, "mark", breakers.ask(bot, "mark"))

    assert [Permit()] * 2 == [breakers.ask(bot, "mark") for bot in ("first", "second")]
