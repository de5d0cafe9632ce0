"""The clients of the soak: what they ask, when they leave, and whether what they got is right."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bench.soak.apis import APIS, Wish, WrongAnswerError, request_bytes, status_and_body, text_of
from bench.soak.house import POEFLASK, SOON_S, House, Look, at_poe
from poeflask.simulator.faults import FAULTS

AT_ONCE = 40
"""Clients of the mixture."""

_A_SECOND = 150
_LOOK_S = 5.0
_TOO_SLOW = {"Flood", "Huge-Event", "Slow-Headers"}
_FAULTS = sorted({bot.name for bot in FAULTS} - _TOO_SLOW)


@dataclass(slots=True)
class Tally:
    """What all clients saw.

    Attributes:
        counts: answers, by how they went.
        wrong: a sentence for each of the first wrong answers.
    """

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def blame(self, what: str) -> None:
        """Count a wrong answer."""
        self.counts["wrong"] += 1
        if len(self.wrong) < 20:
            self.wrong.append(what)


async def ask(wish: Wish) -> bytes | None:
    """All that comes back, headers too; None if the client left before the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", POEFLASK)
    try:
        writer.write(request_bytes(wish))
        limit_s = wish.limit_s if wish.leave_s is None else wish.leave_s
        return await asyncio.wait_for(reader.read(-1), limit_s)
    except TimeoutError:
        if wish.leave_s is None:
            raise
        return None
    finally:
        writer.transport.abort()


def check(wish: Wish, answer: bytes, tally: Tally) -> None:
    """Count an answer as right, as the error that it should be, or as wrong."""
    try:
        status, body = status_and_body(answer)
        if wish.bot == "Echo":
            _compare(wish, status, text_of(wish, body) if status == 200 else body.decode())
            tally.counts["whole"] += 1
        elif status == 200:
            tally.counts["ended in the stream or well"] += 1
        else:
            json.loads(body)
            tally.counts[f"refused with {status}"] += 1
    except (WrongAnswerError, ValueError, LookupError, TypeError) as error:
        tally.blame(f"{wish.api} {wish.bot} stream={wish.stream}: {error!r}")


def _compare(wish: Wish, status: int, said: str) -> None:
    if status != 200 or said != wish.text:
        raise WrongAnswerError(f"{status}, {said[:80]!r} for {wish.text[:80]!r}")


async def run(wish: Wish, tally: Tally) -> None:
    """Make one request and count what comes of it."""
    try:
        answer = await ask(wish)
    except (OSError, TimeoutError) as error:
        tally.blame(f"{wish.api} {wish.bot} stream={wish.stream}: {error!r}")
        return
    if answer is None:
        tally.counts["left"] += 1
    else:
        check(wish, answer, tally)


def words(chance: random.Random, count: int) -> str:
    """Words that no other request says."""
    return " ".join(f"{chance.getrandbits(40):x}" for _ in range(count))


def mixed(chance: random.Random) -> Wish:
    """Anything that a client may do."""
    bot = "Echo" if chance.random() < 0.6 else chance.choice(_FAULTS)
    leave_s = chance.uniform(0, 1.0) if chance.random() < 0.2 else None
    return Wish(
        api=chance.choice(list(APIS)),
        bot=bot,
        text=words(chance, chance.choice((1, 20, 300))),
        stream=chance.random() < 0.7,
        leave_s=leave_s,
        interval_ms=chance.choice((0, 0, 0, 20)),
    )


async def paced(streams: int, tally: Tally) -> dict[str, Any]:
    """Many streams at once, a word a second each."""
    chance = random.Random(1)  # noqa: S311 - the same words each time
    wishes = [
        Wish("chat", "Echo", words(chance, 20), stream=True, interval_ms=1000, limit_s=600)
        for _ in range(streams)
    ]
    began = time.monotonic()
    await asyncio.gather(
        *(_after(number / _A_SECOND, run(wish, tally)) for number, wish in enumerate(wishes))
    )
    return {"streams": streams, "whole": tally.counts["whole"], "seconds": _since(began)}


async def _after(wait_s: float, what: Any) -> None:
    await asyncio.sleep(wait_s)
    await what


async def aborted(streams: int, tally: Tally) -> dict[str, Any]:
    """Many streams whose clients leave: before the first word, at any word, while Poe is silent."""
    chance = random.Random(2)  # noqa: S311 - as above
    bots = ("Silent-Before", "Silent-Start", "Silent-Middle", "Echo")
    wishes = [
        Wish("chat", bots[number % 4], words(chance, 50), True, chance.uniform(0.2, 2), 100)
        for number in range(streams)
    ]
    await asyncio.gather(
        *(_after(number / _A_SECOND, run(wish, tally)) for number, wish in enumerate(wishes))
    )
    began = time.monotonic()
    while at_poe() and time.monotonic() - began < 10:
        await asyncio.sleep(0.02)
    return {"streams": streams, "left": tally.counts["left"], "closed after s": _since(began)}


def _since(began: float) -> float:
    return round(time.monotonic() - began, 2)


async def soak(minutes: float, tally: Tally, here: House, seed: int) -> list[Look]:
    """A mixture for so long; gives what was seen meanwhile, the last time after all had ended."""
    until_s = time.monotonic() + minutes * 60
    looks: list[Look] = []

    async def client(number: int) -> None:
        chance = random.Random(seed + number)  # noqa: S311 - a run can be repeated
        while time.monotonic() < until_s:
            await run(mixed(chance), tally)

    async def watch() -> None:
        while time.monotonic() < until_s:
            looks.append(await asyncio.to_thread(here.look))
            await asyncio.sleep(_LOOK_S)

    await asyncio.gather(watch(), *(client(number) for number in range(AT_ONCE)))
    # A connection to Poe that is kept for reuse is no leak; its answers are what counts.
    await asyncio.sleep(SOON_S)
    looks.append(await asyncio.to_thread(here.look))
    return looks
