"""Every fault of the simulator through every API: the right error, the right end, no try more.

What each fault is, one table says; how each API says it, the errors' own rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from gevent.pool import Pool

from poeflask.core.errors import RULES, ErrorKind
from poeflask.simulator.faults import FAULTS
from tests.live.conftest import Live, Simulator, serving
from tests.live.dialects import DIALECTS, MAKERS, Dialect, Seen

LIMIT_S = 20.0
SMALL = {"poe": {"first_ms": 100, "words": 200, "letters": 200_000}}
"""What makes large bots small and late ones early; others take no notice."""


@dataclass(frozen=True)
class Fate:
    """What becomes of an answer.

    Attributes:
        kind: what sort of error it ends in; None if it is well in the end.
        said: whether something was said before that, so that a stream has begun.
        tries: how often Poe is asked.
    """

    kind: ErrorKind | None
    said: bool = False
    tries: int = 1


def _once(kind: ErrorKind) -> Fate:
    return Fate(kind)


def _again(kind: ErrorKind) -> Fate:
    return Fate(kind, tries=2)


def _late(kind: ErrorKind) -> Fate:
    return Fate(kind, said=True)


WELL = Fate(None)
WELL_AGAIN = Fate(None, tries=2)

FATES = {
    "Too-Long": _once(ErrorKind.CONTEXT_TOO_LONG),
    "No-Points": _once(ErrorKind.NO_POINTS),
    "Needs-Points": _once(ErrorKind.NO_POINTS),
    "User-Error": _once(ErrorKind.BOT_REJECTED),
    "Privacy-Error": _once(ErrorKind.REFUSED),
    "Error-Retry": _again(ErrorKind.POE_FAILED),
    "Error-No-Retry": _once(ErrorKind.POE_FAILED),
    "Error-Bare": _again(ErrorKind.POE_FAILED),
    "Internal-Error": _again(ErrorKind.POE_FAILED),
    "Rate-Limited": _once(ErrorKind.RATE_LIMITED),
    "No-Such-Bot": _once(ErrorKind.UNKNOWN_MODEL),
    "Bad-Token": _once(ErrorKind.BAD_KEY),
    "Error-Late": _late(ErrorKind.POE_FAILED),
    "No-Done": WELL,
    "Error-Then-Done": _again(ErrorKind.POE_FAILED),
    "Bad-Json": _late(ErrorKind.POE_BROKEN),
    "Bad-Json-First": _once(ErrorKind.POE_BROKEN),
    "Garbage": _once(ErrorKind.EMPTY_REPLY),
    "Garbage-Late": WELL,
    "No-Text-Field": _late(ErrorKind.POE_BROKEN),
    "Wrong-Text-Type": _once(ErrorKind.POE_BROKEN),
    "Empty-Text": WELL,
    "Silent-Before": _again(ErrorKind.POE_TIMEOUT),
    "Silent-Start": _again(ErrorKind.POE_TIMEOUT),
    "Silent-Middle": _late(ErrorKind.POE_TIMEOUT),
    "Silent-In-Event": _late(ErrorKind.POE_TIMEOUT),
    "Silent-End": _late(ErrorKind.POE_TIMEOUT),
    "Empty": _once(ErrorKind.EMPTY_REPLY),
    "Empty-Body": _once(ErrorKind.EMPTY_REPLY),
    "Blank": _once(ErrorKind.EMPTY_REPLY),
    "Cut-At-Once": _again(ErrorKind.POE_UNREACHABLE),
    "Cut-After-Headers": _again(ErrorKind.POE_BROKEN),
    "Reset-At-Once": _again(ErrorKind.POE_UNREACHABLE),
    "Reset-After-Headers": _again(ErrorKind.POE_BROKEN),
    "Cut-Between": _late(ErrorKind.POE_BROKEN),
    "Cut-In-Event": _late(ErrorKind.POE_BROKEN),
    "Cut-In-Letter": _late(ErrorKind.POE_BROKEN),
    "Cut-Reset": _late(ErrorKind.POE_BROKEN),
    "Comments": WELL,
    "Lf-Lines": WELL,
    "Cr-Lines": WELL,
    "No-Space": WELL,
    "Many-Lines": WELL,
    "Bom": WELL,
    "Strange-Events": WELL,
    "Late-Meta": WELL,
    "After-Done": WELL,
    "Half-Emoji": WELL,
    "Lone-Half": WELL,
    "Strange-Index": WELL,
    "Byte-Writer": WELL,
    "One-Write": WELL,
    "Plain-200": _again(ErrorKind.POE_FAILED),
    "Html-200": _again(ErrorKind.POE_UNREACHABLE),
    "Http-400": _once(ErrorKind.BOT_REJECTED),
    "Http-401": _once(ErrorKind.BAD_KEY),
    "Http-402": _once(ErrorKind.NO_POINTS),
    "Http-403": _once(ErrorKind.REFUSED),
    "Http-404": _once(ErrorKind.UNKNOWN_MODEL),
    "Http-408": _again(ErrorKind.POE_TIMEOUT),
    "Http-413": _once(ErrorKind.CONTEXT_TOO_LONG),
    "Http-429": _again(ErrorKind.RATE_LIMITED),
    "Http-500": _again(ErrorKind.POE_FAILED),
    "Http-502": _again(ErrorKind.POE_UNREACHABLE),
    "Http-503": _again(ErrorKind.POE_UNAVAILABLE),
    "Http-529": _again(ErrorKind.OVERLOADED),
    "Html-403": _again(ErrorKind.POE_UNAVAILABLE),
    "Html-429": _again(ErrorKind.RATE_LIMITED),
    "Html-502": _again(ErrorKind.POE_UNREACHABLE),
    "Http-429-Retry-After": _again(ErrorKind.RATE_LIMITED),
    "Fail-Once": WELL_AGAIN,
    "Fail-Once-Http": WELL_AGAIN,
    "Cut-Once": WELL_AGAIN,
    "Slow-Headers": WELL,
    "Huge-Event": WELL,
    "Flood": WELL,
}

MODES = (
    *((dialect, stream) for dialect in DIALECTS for stream in (False, True)),
    *((dialect, False) for dialect in MAKERS),
)

Asked = tuple[str, Dialect, bool]


@dataclass(frozen=True)
class Matrix:
    """All that was seen, and how many answers each bot was asked for."""

    seen: dict[Asked, Seen]
    tries: dict[str, int]
    log: str


@pytest.fixture(scope="module")
def matrix(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    """Every fault asked for in every way, many at a time."""
    simulator.reset()
    asked = [(bot, dialect, stream) for bot in FATES for dialect, stream in MODES]
    with serving(
        simulator,
        tmp_path_factory.mktemp("matrix"),
        POEFLASK_FIRST_EVENT_WAIT_S="15",
        POEFLASK_IDLE_TIMEOUT_S="1.5",
    ) as live:
        seen = Pool(64).map(lambda one: ask(live, *one), asked)
        tries = {bot: counts["started"] for bot, counts in simulator.connections().items()}
        yield Matrix(dict(zip(asked, seen, strict=True)), tries, live.log.read_text())


def ask(live: Live, bot: str, dialect: Dialect, stream: bool) -> Seen:
    """One cell; each has a key of its own, so that the simulator counts its tries apart."""
    return dialect.ask(live.url, bot, stream=stream, key=f"{dialect.name}-{stream}", **SMALL)


def status(kind: ErrorKind, dialect: Dialect) -> int:
    """How an API says this sort of error."""
    rule = RULES[kind]
    if dialect.name == "messages":
        return rule.anthropic_status or rule.status
    return 503 if dialect.name == "gemini" and rule.status == 529 else rule.status


def test_every_fault_is_in_the_table() -> None:
    """A new fault of the simulator has its fate, too."""
    assert {bot.name for bot in FAULTS} == FATES.keys()


@pytest.mark.parametrize("bot", FATES)
def test_a_fault_in_every_api(matrix: Matrix, bot: str) -> None:
    """Its status is right where there can be one, else the stream says the error and ends."""
    fate = FATES[bot]
    wrong = [
        f"{dialect.name}, {'streamed' if stream else 'whole'}: {seen}"
        for dialect, stream in MODES
        if not is_right(seen := matrix.seen[bot, dialect, stream], fate, dialect, stream)
    ]

    assert [] == wrong
    assert fate.tries * len(MODES) == matrix.tries[bot]


def is_right(seen: Seen, fate: Fate, dialect: Dialect, stream: bool) -> bool:
    """Whether this is what should have been seen."""
    if not seen.ended or seen.took_s > LIMIT_S:
        return False
    if fate.kind is None:
        # Words are no picture and no sound.
        if dialect in MAKERS:
            return seen.status == 400 and '"code":"no_file_in_answer"' in seen.error
        return (200, "") == (seen.status, seen.error)
    if fate.said and stream:
        return seen.status == 200 and bool(seen.error)
    return seen.status == status(fate.kind, dialect) and bool(seen.error)


def test_none_of_them_was_a_fault_of_ours(matrix: Matrix) -> None:
    """Nothing in the log has a traceback."""
    assert "Traceback" not in matrix.log
