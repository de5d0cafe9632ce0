"""Who answers whom."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from poeflask.core.caller import Caller
from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.prompt import File, Message, Prompt, Text
from poeflask.core.reply import Failure, ReplyEvent, TextDelta
from poeflask.core.tokens import TokenCounter
from poeflask.counting import Counting
from poeflask.filters.chain import Wants
from poeflask.setting_values import KeyOfPoe
from poeflask.settings import Settings
from poeflask.stores import open_contents, open_store
from poeflask.stores.kept_files import Bounds, KeptFiles
from poeflask.threads import Threads
from poeflask.upstreams import DEMO_KEY, Upstreams
from poeflask.vocabulary import o200k

AWAY = "http://127.0.0.1:1"
NOW_S = 1_800_000_000.0
DEMO = Caller(owner="anybody", poe_key=DEMO_KEY)
BRINGS_NONE = Caller(owner="somebody", key_id="key-1", key_name="Ann")
LIMIT_S = 20.0

Make = Callable[..., Upstreams]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes the upstreams of one worker, whose real Poe is away."""
    with ExitStack() as opened:

        def made(**chosen: Any) -> Upstreams:
            settings = Settings(
                **{"poe_base_url": AWAY, "tries": 1, "store_url": "memory", **chosen},
                state_dir=tmp_path,
            )
            store = open_store(settings.store_url, tmp_path)
            opened.callback(store.close)
            contents = open_contents(settings.store_url, tmp_path, max_bytes=10**6)
            numbers = count()

            def new_id(prefix: str) -> str:
                return f"{prefix}{next(numbers)}"

            bounds = Bounds(bytes=10**6, ttl_s=60)
            kept = KeptFiles(store, contents, bounds=bounds, clock=lambda: NOW_S, new_id=new_id)
            threads = Threads()
            counting = Counting(TokenCounter(o200k.load), threads)
            return Upstreams(
                settings, store, kept, threads, counting, clock=lambda: NOW_S, new_id=new_id
            )

        yield made


def answered(
    upstreams: Upstreams, caller: Caller, *parts: Text | File, bot: str = "Echo"
) -> list[ReplyEvent]:
    """What a bot says."""
    prompt = Prompt(bot=bot, messages=(Message("user", parts),))
    answer = upstreams.upstream_for(caller).bridge.open(prompt, caller, Wants())
    events: list[ReplyEvent] = []
    while not answer.is_over():
        events += answer.next(LIMIT_S) or ()
    answer.close()
    return events


def text_of(events: list[ReplyEvent]) -> str:
    """All its words."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def fault_of(events: list[ReplyEvent]) -> ErrorKind:
    """Why it failed."""
    (failure,) = [event for event in events if isinstance(event, Failure)]
    return failure.error.kind


PAYING = KeyOfPoe("home", "a-key", 1)
AS_DEMO = KeyOfPoe("demo", DEMO_KEY, 1)


@pytest.mark.parametrize(
    ("caller", "chosen", "is_simulated"),
    [
        (DEMO, {}, True),
        (DEMO, {"poe_api_keys": (PAYING,)}, True),
        (BRINGS_NONE, {}, True),
        (BRINGS_NONE, {"poe_api_key": (AS_DEMO,)}, True),
        (BRINGS_NONE, {"poe_api_keys": (PAYING,)}, False),
        (BRINGS_NONE, {"poe_api_keys": (PAYING, AS_DEMO)}, False),
        (Caller(owner="other", poe_key="other"), {}, False),
        (DEMO, {"simulator": "off"}, False),
    ],
)
def test_the_simulator_answers_where_only_its_key_would_pay(
    make: Make, caller: Caller, chosen: dict[str, Any], is_simulated: bool
) -> None:
    """Nobody's real key is ever shown to it, and nobody else's question."""
    upstreams = make(**{"simulator": "on", **chosen})
    real = upstreams.upstream_for(Caller(owner="owner", poe_key="real"))

    assert is_simulated == (real is not upstreams.upstream_for(caller))


def test_the_simulator_answers(make: Make) -> None:
    """Also those whose key of this service it pays for."""
    upstreams = make(simulator="on", poe_api_key=(AS_DEMO,))

    assert "hi" == text_of(answered(upstreams, DEMO, Text("hi")))
    assert "hi" == text_of(answered(upstreams, BRINGS_NONE, Text("hi")))
    assert upstreams.upstream_for(DEMO) is upstreams.upstream_for(BRINGS_NONE)


def test_what_is_known_of_the_bots(make: Make) -> None:
    """Where the real Poe's list is missing, the simulator's bots are known, if there are any."""
    assert "simulated" == make(simulator="on").catalogue_state()
    assert "missing" == make(simulator="off").catalogue_state()


def test_a_poe_that_is_away_is_told(make: Make) -> None:
    """And leaves no connection behind."""
    upstreams = make(simulator="off", connect_timeout_s=1)
    caller = Caller(owner="other", poe_key="other")

    with pytest.raises(PoeError, match="could not be reached"):
        upstreams.usage_history("a-key", limit=1, after="")
    assert ErrorKind.POE_UNREACHABLE == fault_of(answered(upstreams, caller, Text("hi")))
    assert (0, 0) == upstreams.connections()


def test_workers_have_the_files_of_each_others_simulators(make: Make) -> None:
    """What one was given or has painted the others read and show."""
    workers = [make(simulator="on", store_url="sqlite") for _ in range(2)]
    file = File(base64="aGVsbG8=", content_type="text/plain", name="a.txt")
    read = [text_of(answered(worker, DEMO, file, bot="Reader")) for worker in workers]
    painted = text_of(answered(workers[0], DEMO, Text("a cat"), bot="Painter"))
    (link,) = re.findall(r"\((http[^)]+)\)", painted)
    content, kind = workers[1].upstream_for(DEMO).fetch(link)

    assert ["a.txt (text/plain) says:\nhello"] * 2 == [said.strip() for said in read]
    assert (b"\x89PNG", "image/png") == (content[:4], kind)
