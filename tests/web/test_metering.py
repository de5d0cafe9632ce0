"""Looking on at answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gevent
import pytest
from flask import Flask, g

from poeflask.bridge import Answer
from poeflask.core.caller import Caller
from poeflask.core.errors import ClientError, ErrorKind, PoeError
from poeflask.core.ledger_row import LedgerRow
from poeflask.core.prompt import File, Message, Prompt, Text, Tool
from poeflask.core.reply import (
    Failure,
    FileEvent,
    Finish,
    Pause,
    ReasoningDelta,
    ReplyEvent,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from poeflask.filters.chain import Wants
from poeflask.poe.catalogue import Catalogue
from poeflask.poe.models_file import ModelsFile
from poeflask.poe.shown_catalogue import ShownCatalogue
from poeflask.stores.ledger import Ledger, LedgerBounds
from poeflask.stores.memory import MemoryStore
from poeflask.stores.namespace import Namespace
from poeflask.stores.recordings import Recordings
from poeflask.web import metering as module
from poeflask.web.live import Live
from poeflask.web.metering import Metering, Watched
from poeflask.web.metrics import Metrics

NOW_S = 1_800_000_000.0
KEY = Caller(owner="0123456789abcdef", key_id="key-1", key_name="Ann")
OWN = Caller(owner="0123456789abcdef", poe_key="canary-key")
ENTRIES: list[dict[str, Any]] = [
    {
        "id": "echo",
        "metadata": {"display_name": "Echo"},
        "pricing": {"prompt": "0.00003", "completion": "0.00006"},
    }
]


def prompt(text: str = "canary-prompt", bot: str = "Echo") -> Prompt:
    """A short question with a file and a tool."""
    parts = (Text(text), File(url="https://a.example/a.png"))
    return Prompt(bot=bot, messages=(Message(role="user", parts=parts),), tools=(Tool(name="f"),))


class House:
    """A metering with all that it needs, and a clock that moves only when it is told to."""

    def __init__(self, *, ledger: bool = True) -> None:
        self.s = 0.0
        self.told: list[str] = []
        self.store = MemoryStore(clock=self.now)
        self.ledger = Ledger(self.store, worker="w", bounds=LedgerBounds(), clock=self.now)
        self.metering = Metering(
            ledger=self.ledger if ledger else None,
            recordings=Recordings(self.store, ttl_s=60, most=10, clock=self.now),
            live=Live(self.store, worker="w"),
            metrics=Metrics(),
            points_per_usd=1_000_000 / 30,
            clock=self.now,
            monotonic=lambda: self.s,
            told=lambda row, traceparent: self.told.append(row.outcome),
            close=lambda: self.told.append("closed"),
        )
        listed = Catalogue(
            lambda: ENTRIES,
            Namespace(self.store, "catalogue", on_failure="forget"),
            ttl_s=60,
            clock=self.now,
        )
        self.catalogue = ShownCatalogue(listed, ModelsFile(Path("/nowhere/models.yaml")))

    def now(self) -> float:
        return NOW_S + self.s

    def watched(
        self, caller: Caller = KEY, prompts: tuple[Prompt, ...] = (prompt(),), usage: bool = True
    ) -> Watched:
        """What the bridge is asked with."""
        return self.metering.watched(caller, prompts, Wants(usage=usage), self.catalogue)

    def rows(self) -> list[LedgerRow]:
        """What the ledger holds in the end."""
        gevent.sleep(0)
        self.metering.end_work()
        return self.ledger.rows().rows


@pytest.fixture
def house(app: Flask) -> House:
    """Everything, empty; refusals are written down."""
    made = House()
    module.install(app, made.metering)
    return made


@pytest.fixture(autouse=True)
def asked(app: Flask) -> Any:
    """Within a request for an answer."""
    with app.test_request_context(headers={"User-Agent": "curl/8"}, method="POST"):
        app.preprocess_request()
        g.began = NOW_S
        g.asked = "gpt-echo"
        yield


def see(watched: Watched, *batches: list[ReplyEvent], index: int = 0) -> None:
    """Show batches, one after the other."""
    for batch in batches:
        watched.watch.saw(index, batch)


def test_an_answer_gets_a_row(house: House) -> None:
    """With all that is known of it."""
    watched = house.watched()
    house.s = 0.5
    see(watched, [Pause()], [ReasoningDelta("hm"), Pause()])
    house.s = 2.0
    call = ToolCallDelta(position=0, call_id="c", name="f", arguments="{}")
    see(watched, [call, FileEvent(url="u", content_type="image/png", name="a")])
    usage = Usage(prompt_tokens=10, completion_tokens=5, reasoning_tokens=2, exact=True)
    see(watched, [TextDelta("hi"), usage, Finish()])
    watched.watch.ended()
    (row,) = house.rows()

    assert ("key-1", "Ann", "gpt-echo", "Echo", "curl") == (
        row.key_id,
        row.key_name,
        row.asked,
        row.bot,
        row.client,
    )
    assert (10, 5, 2, True) == (
        row.prompt_tokens,
        row.completion_tokens,
        row.reasoning_tokens,
        row.exact,
    )
    assert (NOW_S, 0.5, 2.0, "ok") == (row.time_s, row.first_token_s, row.total_s, row.outcome)
    assert (1, 1, 1, 1) == (row.tools, row.tool_calls, row.files_in, row.files_out)
    assert (20.0, True) == (row.points, row.points_estimated)


def test_tokens_are_counted_for_the_ledger_even_if_the_client_wants_none(house: House) -> None:
    """And not without a ledger, unless the client wants them."""
    assert house.watched(usage=False).wants.usage
    assert not House(ledger=False).watched(usage=False).wants.usage
    assert House(ledger=False).watched(usage=True).wants.usage


def test_several_replies_are_one_row(house: House) -> None:
    """Their tokens are added up; the row is well if all of them are."""
    watched = house.watched(prompts=(prompt(), prompt()))
    usage = Usage(prompt_tokens=10, completion_tokens=5)
    see(watched, [TextDelta("a"), usage, Finish()])
    see(watched, [TextDelta("b"), usage, Finish()], index=1)
    watched.watch.ended()
    (row,) = house.rows()

    assert (2, 20, 10, "ok") == (
        row.replies,
        row.prompt_tokens,
        row.completion_tokens,
        row.outcome,
    )


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (PoeError(ErrorKind.POE_BROKEN, "It broke."), "poe_broken"),
        (ClientError(ErrorKind.CLIENT_GONE, "It left."), "client_gone"),
    ],
)
def test_an_answer_that_breaks_off_is_estimated(
    house: House, error: ClientError | PoeError, outcome: str
) -> None:
    """Poe has been asked and has answered: that has cost something."""
    watched = house.watched()
    answer = Answer(2)
    answer.prompt_tokens = {0: lambda: 60, 1: lambda: 40}
    house.metering.opened(watched.meter, answer)
    see(watched, [TextDelta("12345")], [Failure(error)])
    watched.watch.ended()
    (row,) = house.rows()

    assert (outcome, 100, 2, False) == (
        row.outcome,
        row.prompt_tokens,
        row.completion_tokens,
        row.exact,
    )


def test_an_answer_that_never_began_cost_nothing(house: House) -> None:
    """As far as anybody knows."""
    watched = house.watched()
    answer = Answer(1)
    answer.prompt_tokens = {0: lambda: 60}
    house.metering.opened(watched.meter, answer)
    see(watched, [Failure(PoeError(ErrorKind.UNKNOWN_MODEL, "No such bot."))])
    watched.watch.ended()
    (row,) = house.rows()

    assert ("unknown_model", 0, 0, None, None) == (
        row.outcome,
        row.prompt_tokens,
        row.completion_tokens,
        row.points,
        row.first_token_s,
    )


def test_what_comes_after_the_end_changes_nothing(house: House) -> None:
    """A client may leave when all is said."""
    watched = house.watched()
    see(watched, [TextDelta("hi"), Usage(prompt_tokens=1), Finish()])
    watched.watch.ended()
    see(watched, [Failure(ClientError(ErrorKind.CLIENT_GONE, "It left."))])

    assert ["ok"] == [row.outcome for row in house.rows()]


def test_a_key_that_poe_refuses_gets_no_row(house: House) -> None:
    """Anybody can invent one and could fill the ledger with it."""
    watched = house.watched(OWN)
    see(watched, [Failure(PoeError(ErrorKind.BAD_KEY, "No."))])
    watched.watch.ended()

    assert [] == house.rows()


def test_the_log_line_says_how_it_went(house: House) -> None:
    """Who, what, how much, how soon."""
    watched = house.watched()
    house.s = 0.25
    see(watched, [TextDelta("canary-answer"), Usage(prompt_tokens=3, completion_tokens=1)])

    assert {
        "key_name": "Ann",
        "asked": "gpt-echo",
        "bot": "Echo",
        "client": "curl",
        "prompt_tokens": 3,
        "completion_tokens": 1,
        "first_token_ms": 250,
    } == g.line.facts()


def test_an_open_answer_is_live(house: House) -> None:
    """It is counted as open until it is over, and can be stopped meanwhile."""
    watched = house.watched(OWN)
    answer = Answer(1)
    house.metering.opened(watched.meter, answer)
    house.s = 3.0
    see(watched, [TextDelta("12345678")])
    house.s = 4.5
    live = watched.meter.live("w-1", house.s)

    assert answer is watched.meter.answer
    assert ("own-01234567", "Echo", 2, 1.5) == (live.key_name, live.bot, live.tokens, live.silent_s)
    assert b"poeflask_answers_open 1.0" in house.metering.metrics.text()
    watched.watch.ended()
    gevent.sleep(0)
    assert None is watched.meter.answer
    gevent.sleep(0.01)
    assert b"poeflask_answers_open 0.0" in house.metering.metrics.text()


@pytest.mark.parametrize("caller", [KEY, OWN])
def test_texts_are_recorded_only_where_that_is_switched_on(house: House, caller: Caller) -> None:
    """Else nothing of what was said is in the store, and nothing of a key ever."""
    key_id = caller.key_id or "own-01234567"
    for switched_on in (False, True):
        house.metering.recordings.switch(key_id, on=switched_on)
        watched = house.watched(caller)
        see(watched, [TextDelta("canary-answer"), Usage(prompt_tokens=1), Finish()])
        watched.watch.ended()
        house.rows()
        kept = b"".join(value for _, value in house.store.items("", limit=99))

        assert switched_on is (b"canary-answer" in kept)
        assert switched_on is (b"canary-prompt" in kept)
        assert b"canary-key" not in kept


def test_refused_requests_of_keys_given_out_here_get_a_row(app: Flask, house: House) -> None:
    """Those of others could fill the ledger; what asks no bot is no request for an answer."""
    callers = {"given-out": KEY, "own": OWN}

    def refuse(who: str) -> None:
        if who in callers:
            g.caller = callers[who]
        g.asked = "gone"
        raise ClientError(ErrorKind.INVALID_REQUEST, "No.")

    app.add_url_rule("/asks/<who>", view_func=refuse, methods=["GET", "POST"])
    client = app.test_client()
    for who in ("given-out", "own", "nobody"):
        client.post(f"/asks/{who}")
    client.get("/asks/given-out")

    assert [("invalid_request", "key-1", "gone")] == [
        (row.outcome, row.key_id, row.asked) for row in house.rows()
    ]


def test_an_answer_that_fails_its_request_has_one_row(app: Flask, house: House) -> None:
    """The refusal that its client reads is no second request."""

    def fail() -> None:
        g.caller = KEY
        watched = house.watched()
        house.metering.opened(watched.meter, Answer(1))
        error = PoeError(ErrorKind.POE_FAILED, "Broken.")
        see(watched, [Failure(error)])
        watched.watch.ended()
        raise error

    app.add_url_rule("/fails", view_func=fail, methods=["POST"])
    app.test_client().post("/fails")

    assert ["poe_failed"] == [row.outcome for row in house.rows()]


def test_times_are_told_from_when_the_request_came(house: House) -> None:
    """Its body was read and its prompt decoded before anybody looked on."""
    house.s = 2.0
    watched = house.watched()
    house.s = 3.0
    see(watched, [TextDelta("hi"), Usage(prompt_tokens=1), Finish()])
    watched.watch.ended()
    (row,) = house.rows()

    assert (3.0, 3.0) == (row.first_token_s, row.total_s)


def test_a_worker_looks_around(house: House) -> None:
    """From its beginning to its end."""
    house.metering.begin_work()
    gevent.sleep(0.01)
    house.metering.end_work()

    assert b"poeflask_open_fds 0.0" not in house.metering.metrics.text()


@pytest.mark.parametrize(
    ("ends", "outcome"),
    [
        ([Usage(prompt_tokens=1), Finish()], "ok"),
        ([Failure(PoeError(ErrorKind.POE_FAILED, "Broken."))], "poe_failed"),
    ],
)
def test_what_the_last_answer_leaves_to_be_done_is_done_before_the_worker_ends(
    house: House, ends: list[ReplyEvent], outcome: str
) -> None:
    """Its estimate, its trace and its recording, although nobody has waited for them."""
    house.metering.recordings.switch("key-1", on=True)
    watched = house.watched()
    see(watched, [TextDelta("canary-answer"), *ends])
    watched.watch.ended()
    house.metering.end_work()

    assert [outcome, "closed"] == house.told
    assert ["canary-answer"] == [one.answer for one in house.metering.recordings.page().recordings]


def test_a_long_name_is_cut(house: House) -> None:
    """Clients name models as they like."""
    g.asked = "x\x1b" * 500
    watched = house.watched(prompts=(prompt(bot="y" * 500),))

    assert (100, 100) == (len(watched.meter.about.asked), len(watched.meter.about.bot))
    assert "\x1b" not in watched.meter.about.asked
