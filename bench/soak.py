"""Asks everything of poeflask for a long time, and looks for what is lost, mixed up or left behind.

`python -m bench.soak [--minutes M] [--streams N] [--aborts N] [--json FILE]` runs a simulator and a
poeflask with two workers, and against them, one after the other:

* paced: N streams at once, each with words of its own, which must all come whole and in order;
* aborted: N streams whose clients leave, in any phase; how soon Poe's side is closed is measured;
* soak: for M minutes a mixture of all APIs, whole and streamed, with every fault of the simulator
  and clients that leave at any time; memory, descriptors and open streams are looked at meanwhile.

It prints a table in Markdown, and fails if an answer was wrong or something was left behind.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import resource
import statistics
import sys
import tempfile
import time
import urllib.error
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.processes import Server, get
from poeflask.simulator.faults import FAULTS

SIMULATOR, POEFLASK = 9611, 9612
"""Ports."""

_LIMIT_S = 90.0
_AT_ONCE = 40
_A_SECOND = 150
_LOOK_S = 5.0
_SOON_S = 2.0
_TOO_SLOW = {"Flood", "Huge-Event", "Slow-Headers"}
_FAULTS = sorted({bot.name for bot in FAULTS} - _TOO_SLOW)
_GAUGE = re.compile(rb"^poeflask_answers_open(?:\{[^}]*\})? ([0-9.]+)$", re.MULTILINE)


class WrongAnswerError(Exception):
    """An answer was not what it should be; the message says how."""


@dataclass(frozen=True, slots=True)
class Api:
    """One API: how it is asked, and where its texts stand.

    Attributes:
        path: for a bot, streamed or not.
        body: for a bot and a text, streamed or not.
        piece: the text within one event of a stream.
        whole: the text within a whole answer.
        ends: what a complete stream holds in its last events.
    """

    path: Callable[[str, bool], str]
    body: Callable[[str, str, bool], Mapping[str, Any]]
    piece: Callable[[Any], str]
    whole: Callable[[Any], str]
    ends: bytes


def _at(path: str) -> Callable[[str, bool], str]:
    return lambda bot, stream: path


def _chat(bot: str, text: str, stream: bool) -> dict[str, Any]:
    messages = [{"role": "user", "content": text}]
    return {"model": bot, "stream": stream, "messages": messages}


def _delta(event: Any) -> str:
    choices = event.get("choices") or [{}]
    return choices[0].get("delta", {}).get("content") or choices[0].get("text") or ""


def _gemini_text(answer: Any) -> str:
    parts = answer["candidates"][0]["content"].get("parts", [])
    return "".join(part.get("text", "") for part in parts)


APIS = {
    "chat": Api(
        _at("/v1/chat/completions"),
        _chat,
        _delta,
        lambda answer: answer["choices"][0]["message"]["content"],
        b"data: [DONE]",
    ),
    "completions": Api(
        _at("/v1/completions"),
        lambda bot, text, stream: {"model": bot, "stream": stream, "prompt": text},
        _delta,
        lambda answer: answer["choices"][0]["text"],
        b"data: [DONE]",
    ),
    "responses": Api(
        _at("/v1/responses"),
        lambda bot, text, stream: {"model": bot, "stream": stream, "input": text},
        lambda event: event["delta"] if event["type"] == "response.output_text.delta" else "",
        lambda answer: answer["output"][-1]["content"][0]["text"],
        b"event: response.completed",
    ),
    "messages": Api(
        _at("/v1/messages"),
        lambda bot, text, stream: {**_chat(bot, text, stream), "max_tokens": 4000},
        lambda event: event.get("delta", {}).get("text", ""),
        lambda answer: answer["content"][0]["text"],
        b"event: message_stop",
    ),
    "gemini": Api(
        lambda bot, stream: (
            f"/v1beta/models/{bot}:"
            + ("streamGenerateContent?alt=sse" if stream else "generateContent")
        ),
        lambda bot, text, stream: {"contents": [{"role": "user", "parts": [{"text": text}]}]},
        _gemini_text,
        _gemini_text,
        b'"finishReason":"STOP"',
    ),
    "ollama": Api(
        _at("/api/chat"),
        _chat,
        lambda event: event.get("message", {}).get("content", ""),
        lambda answer: answer["message"]["content"],
        b'"done":true',
    ),
}


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


@dataclass(frozen=True, slots=True)
class Wish:
    """One request to be made.

    Attributes:
        leave_s: after how long its client leaves; None if it stays.
        interval_ms: how long the bot waits after each word.
        limit_s: how long the answer may take.
    """

    api: str
    bot: str
    text: str
    stream: bool
    leave_s: float | None = None
    interval_ms: int = 0
    limit_s: float = _LIMIT_S


def request_bytes(wish: Wish) -> bytes:
    """The request as it is sent."""
    api = APIS[wish.api]
    body = dict(api.body(wish.bot, wish.text, wish.stream))
    if wish.interval_ms:
        body["poe"] = {"interval_ms": wish.interval_ms}
    sent = json.dumps(body).encode()
    head = (
        f"POST {api.path(wish.bot, wish.stream)} HTTP/1.1\r\nHost: soak\r\nConnection: close\r\n"
        "Authorization: Bearer k\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(sent)}\r\n\r\n"
    )
    return head.encode() + sent


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


def status_and_body(answer: bytes) -> tuple[int, bytes]:
    """The answer taken apart; a chunked body is put together.

    Raises:
        WrongAnswerError: it is not framed as it should be.
    """
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 "):
        raise WrongAnswerError(f"no answer: {answer[:60]!r}")
    if b"transfer-encoding: chunked" not in head.lower():
        return int(head[9:12]), body
    pieces = []
    while True:
        size, _, rest = body.partition(b"\r\n")
        if not size:
            raise WrongAnswerError(f"the stream broke off behind {pieces[-1:]}")
        count = int(size, 16)
        if not count:
            return int(head[9:12]), b"".join(pieces)
        pieces.append(rest[:count])
        body = rest[count + 2 :]


def text_of(wish: Wish, body: bytes) -> str:
    """The text that an answer holds.

    Raises:
        WrongAnswerError: a stream has not its proper end.
    """
    api = APIS[wish.api]
    if not wish.stream:
        return api.whole(json.loads(body))
    if api.ends not in body[-6000:]:
        raise WrongAnswerError(f"no end: {body[-200:]!r}")
    if b'"error":{' in body:
        raise WrongAnswerError(f"an error: {body[-300:]!r}")
    lines = body.splitlines()
    found = [line.removeprefix(b"data: ") for line in lines if line.startswith((b"data: {", b"{"))]
    return "".join(api.piece(json.loads(line)) for line in found)


def _compare(wish: Wish, status: int, said: str) -> None:
    if status != 200 or said != wish.text:
        raise WrongAnswerError(f"{status}, {said[:80]!r} for {wish.text[:80]!r}")


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


@dataclass(frozen=True, slots=True)
class Look:
    """What poeflask holds at one moment.

    Attributes:
        at_s: seconds since the beginning.
        memory_kb: of all its processes, what they share counted once.
        descriptors: open files of all its processes.
        at_poe: answers that the simulator is giving.
        in_flight: answers that poeflask says it is giving; None if it does not say.
    """

    at_s: float
    memory_kb: int
    descriptors: int
    at_poe: int
    in_flight: float | None


@dataclass(frozen=True, slots=True)
class House:
    """The servers under test."""

    poeflask: Server
    began_s: float

    def look(self) -> Look:
        """How things stand."""
        return Look(
            at_s=round(time.monotonic() - self.began_s, 1),
            memory_kb=self.poeflask.memory_kb(),
            descriptors=sum(map(_descriptors, self.poeflask.processes())),
            at_poe=at_poe(),
            in_flight=_in_flight(),
        )


def _descriptors(process: int) -> int:
    with suppress(OSError):
        return len(os.listdir(f"/proc/{process}/fd"))
    return 0


def at_poe() -> int:
    """How many answers the simulator is giving."""
    return int(json.loads(get(SIMULATOR, "/simulator/connections", _LIMIT_S))["open"])


def _in_flight() -> float | None:
    """What /metrics says, where there is one."""
    try:
        found = _GAUGE.findall(get(POEFLASK, "/metrics", _LIMIT_S))
    except urllib.error.HTTPError:
        return None
    return sum(map(float, found)) if found else None


@contextmanager
def house(folder: Path) -> Iterator[House]:
    """A simulator and a poeflask with two workers."""
    python = [sys.executable, "-m"]
    simulator = Server(SIMULATOR, [*python, "poeflask", "simulator", f"--port={SIMULATOR}"], {})
    environ = {
        "PORT": str(POEFLASK),
        "CONFIG_DIR": str(folder),
        "POEFLASK_WORKERS": "2",
        "POEFLASK_SIMULATOR": "off",
        "POE_BASE_URL": f"http://127.0.0.1:{SIMULATOR}",
        "POE_FILE_UPLOAD_URL": f"http://127.0.0.1:{SIMULATOR}/poe_api/file_upload_3RD_PARTY_POST",
        "POEFLASK_IDLE_TIMEOUT_S": "20",
        # One key asks more often than Poe would let it, and most bots fail on purpose.
        "POEFLASK_POE_REQUESTS_PER_MINUTE": "0",
        "POEFLASK_BREAKER_FAILURES": "0",
        "LOG_LEVEL": "error",
    }
    poeflask = Server(POEFLASK, [*python, "poeflask", "serve"], environ)
    simulator.start()
    try:
        simulator.wait()
        poeflask.start()
        try:
            poeflask.wait()
            yield House(poeflask, time.monotonic())
        finally:
            poeflask.stop()
    finally:
        simulator.stop()


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

    await asyncio.gather(watch(), *(client(number) for number in range(_AT_ONCE)))
    # A connection to Poe that is kept for reuse is no leak; its answers are what counts.
    await asyncio.sleep(_SOON_S)
    looks.append(await asyncio.to_thread(here.look))
    return looks


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
    last = looks[-1]
    found = []
    if report["wrong"]:
        found.append("Answers were wrong; the first are told above.")
    if report["paced"]["whole"] != report["paced"]["streams"]:
        found.append("Not all paced streams came whole.")
    if report["aborted"]["closed after s"] > _SOON_S:
        found.append("Poe's side of aborted streams was not closed in time.")
    if last.at_poe or last.in_flight:
        found.append(f"{last.at_poe} answers at Poe and {last.in_flight} in flight were left.")
    if report["descriptors"]["after"] > report["descriptors"]["after the streams"] + 100:
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
        ("soak", f"{report['minutes']:g} minutes, {_AT_ONCE} clients: {answers}"),
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


async def measure(arguments: argparse.Namespace, here: House) -> tuple[dict[str, Any], list[Look]]:
    """Run all; give the report and what was seen."""
    tallies = [Tally() for _ in range(3)]
    first = here.look()
    pace = await paced(arguments.streams, tallies[0])
    left = await aborted(arguments.aborts, tallies[1])
    looks = await soak(arguments.minutes, tallies[2], here, arguments.seed)
    report = {
        "minutes": arguments.minutes,
        "paced": pace,
        "aborted": left,
        "counts": dict(tallies[2].counts),
        "wrong": [what for tally in tallies for what in tally.wrong],
        "memory MiB": {
            "before": first.memory_kb // 1024,
            "most": max(look.memory_kb for look in looks) // 1024,
            "after": looks[-1].memory_kb // 1024,
        },
        "growth KiB per minute": growth_kb_per_minute(looks),
        "descriptors": {
            "before": first.descriptors,
            "after the streams": looks[0].descriptors,
            "after": looks[-1].descriptors,
        },
        "left at Poe": looks[-1].at_poe,
        "left in flight": looks[-1].in_flight,
    }
    return report, looks


def main() -> None:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--streams", type=int, default=2000)
    parser.add_argument("--aborts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the report and all looks there")
    arguments = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as folder, house(Path(folder)) as here:
        report, looks = asyncio.run(measure(arguments, here))
    if arguments.json:
        seen = [asdict(look) for look in looks]
        arguments.json.write_text(json.dumps({**report, "looks": seen}, indent=1), encoding="utf-8")
    print(table(report))
    faults = [*report["wrong"], *faults_of(report, looks)]
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
