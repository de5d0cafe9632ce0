"""Keys, bots and arrivals that fail or crowd, with a simulator behind a socket."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import openai
import pytest
import requests
from click.testing import CliRunner
from openai import OpenAI
from openai.types.chat import ChatCompletion

from poeflask.app import create_app
from poeflask.bridge import Answer
from poeflask.commands.poe_keys import poe_keys
from poeflask.core.caller import Caller
from poeflask.core.errors import ErrorKind, PoeflaskError
from poeflask.core.prompt import Message, Prompt, Text
from poeflask.core.reply import Failure, TextDelta
from poeflask.filters.chain import Wants
from poeflask.setting_values import KeyOfPoe
from poeflask.settings import Settings
from poeflask.web.services import Services
from tests.live.conftest import Live, Simulator, serving

POOL = Caller(owner="somebody")
HELLO = [{"role": "user", "content": "Hello"}]


MADE: list[Services] = []
"""What the test that runs has made."""


@pytest.fixture(autouse=True)
def nothing_is_left(simulator: Simulator) -> Iterator[None]:
    """The simulator has forgotten all, and what was made is closed."""
    simulator.reset()
    yield
    while MADE:
        MADE.pop().store.close()


def services(simulator: Simulator, folder: Path, *keys: str, **chosen: object) -> Services:
    """What stands behind the routes, with these keys in the pool."""
    settings = Settings(
        poe_base_url=simulator.url,
        poe_api_keys=tuple(KeyOfPoe(key, key, 1) for key in keys),
        state_dir=folder,
        simulator="off",
        log_level="error",
        workers=1,
        **{"retry_wait_max_s": 0.1, **chosen},  # type: ignore[arg-type]
    )
    made: Services = create_app(settings).extensions["poeflask"]
    MADE.append(made)
    return made


def asked(here: Services, bot: str = "Echo", words: str = "Hello") -> Answer:
    """An answer for which the pool pays."""
    prompt = Prompt(bot=bot, messages=(Message("user", (Text(words),)),))
    return here.upstream_for(POOL).bridge.open(prompt, POOL, Wants())


def said(answer: Answer) -> str:
    """All its text.

    Raises:
        PoeflaskError: it failed.
    """
    text = ""
    while not answer.is_over():
        for event in answer.next(10) or ():
            if isinstance(event, Failure):
                raise event.error
            text += event.text if isinstance(event, TextDelta) else ""
    return text


def states(here: Services) -> dict[str, str]:
    """How the keys are."""
    return {key.name: key.state for key in here.poe_keys.status()}


def test_every_fault_of_a_key_leads_to_the_next(simulator: Simulator, tmp_path: Path) -> None:
    """Before the first word, within one answer; each rests as its fault demands."""
    keys = ("dead-1", "poor-1", "tired-1", "busy-1", "well")
    here = services(simulator, tmp_path, *keys)

    assert ["Hello"] * 5 == [said(asked(here)) for _ in range(5)]
    assert states(here) == {
        "dead-1": "dead",
        "poor-1": "no_points",
        "tired-1": "cooling",
        "busy-1": "ok",
        "well": "ok",
    }
    points = {key.name: key.balance for key in here.poe_keys.status(with_balance=True)}
    assert (0, None) == (points["poor-1"].points, points["dead-1"])  # type: ignore[union-attr]


def test_a_restarted_worker_and_the_command_know_the_keys_states(
    simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stand in the store; the command can revive a key, and shows none."""
    here = services(simulator, tmp_path, "dead-secret", "well")
    said(asked(here))
    said(asked(here))
    monkeypatch.setenv("CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("POE_BASE_URL", simulator.url)
    monkeypatch.setenv("POE_API_KEYS", "first:dead-secret,second:well*2")
    shown = CliRunner().invoke(poe_keys, [])
    revived = CliRunner().invoke(poe_keys, ["--offline", "--revive", "first"])

    assert [["first", "dead"], ["second", "ok"]] == [
        line.split()[:2] for line in shown.output.splitlines()[1:]
    ]
    assert "dead-secret" not in shown.output
    assert "999," in shown.output
    assert [["first", "ok"], ["second", "ok"]] == [
        line.split()[:2] for line in revived.output.splitlines()[1:]
    ]


def test_answers_are_spread_over_the_keys(simulator: Simulator, tmp_path: Path) -> None:
    """By what each has open."""
    here = services(simulator, tmp_path, "well-1", "well-2", "well-3")
    answers = [asked(here, words=str(number)) for number in range(12)]
    for answer in answers:
        said(answer)
    used = [str(query["key"]) for query in simulator.queries()]

    assert [4, 4, 4] == sorted(used.count(key) for key in set(used))


def test_an_outage_opens_the_circuit_and_one_probe_closes_it(
    simulator: Simulator, tmp_path: Path
) -> None:
    """While it is open nobody asks Poe; when its time is over, one does."""
    here = services(simulator, tmp_path, "well", tries=1, breaker_failures=3)
    breakers = here.upstream_for(POOL).bridge.ways.breakers
    assert breakers is not None
    now_s = time.time()
    breakers._clock = lambda: now_s
    requests.post(f"{simulator.url}/simulator/outage?bot=Echo&seconds=60", timeout=5)
    kinds = []
    for _ in range(6):
        with pytest.raises(PoeflaskError) as caught:
            said(asked(here))
        kinds.append(caught.value.retry_after_s is not None)
    assert [False] * 3 + [True] * 3 == kinds
    assert 3 == len(simulator.queries())

    now_s += 31
    requests.post(f"{simulator.url}/simulator/outage?bot=Echo&seconds=0", timeout=5)
    storm = [asked(here, words="again") for _ in range(10)]
    outcomes = [outcome(answer) for answer in storm]

    assert ["again"] + ["poe_unavailable"] * 9 == sorted(outcomes)
    assert 4 == len(simulator.queries())
    assert "Hello" == said(asked(here))


def outcome(answer: Answer) -> str:
    """What an answer said, or the kind of its failure."""
    try:
        return said(answer)
    except PoeflaskError as error:
        return error.kind.value


def test_a_key_sends_no_more_than_its_pace(simulator: Simulator, tmp_path: Path) -> None:
    """Further questions are refused if they would wait too long; another key has its own pace."""
    here = services(
        simulator, tmp_path, "well-1", "well-2", poe_requests_per_minute=4, queue_wait_s=1.0
    )
    outcomes = [outcome(asked(here)) for _ in range(10)]

    assert ["Hello"] * 8 + [ErrorKind.TOO_MANY_REQUESTS.value] * 2 == outcomes


@pytest.fixture(scope="module")
def narrow(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A poeflask that gives two answers at once and leaves bots alone after two failures."""
    with serving(
        simulator,
        tmp_path_factory.mktemp("narrow"),
        POEFLASK_MAX_ANSWERS="2",
        POEFLASK_BREAKER_FAILURES="2",
        POEFLASK_TRIES="1",
    ) as served:
        yield served


def sdk(live: Live, key: str = "any-key") -> OpenAI:
    """The official SDK, with no retries of its own."""
    return OpenAI(base_url=f"{live.url}/v1", api_key=key, max_retries=0, timeout=20)


def once_there_is_room(ask: Callable[[], ChatCompletion]) -> ChatCompletion:
    """The answer, asked for until none of the others is in its way."""
    with gevent.Timeout(30):
        while True:
            try:
                return ask()
            except openai.InternalServerError:
                gevent.sleep(0.05)


def test_a_full_worker_refuses_with_the_time_to_come_again(narrow: Live) -> None:
    """And gives answers again once others have left."""
    with sdk(narrow) as client:
        ask = client.chat.completions.create
        running = [ask(model="Silent-Middle", messages=HELLO, stream=True) for _ in range(2)]
        for stream in running:
            next(iter(stream))
        with pytest.raises(openai.InternalServerError) as caught:
            ask(model="Echo", messages=HELLO)
        for stream in running:
            stream.close()
        after = once_there_is_room(lambda: ask(model="Echo", messages=HELLO))

    assert (503, "1") == (caught.value.status_code, caught.value.response.headers["retry-after"])
    assert "Hello" == after.choices[0].message.content


def test_a_bot_that_is_left_alone_is_refused_with_the_time_to_come_again(narrow: Live) -> None:
    """At once, and only for the key with which it failed."""
    with sdk(narrow, "one") as client, sdk(narrow, "other") as another:
        statuses = []
        for who in (client, client, client, another):
            with pytest.raises(openai.APIStatusError) as caught:
                who.chat.completions.create(model="Http-500", messages=HELLO)
            statuses.append(
                (caught.value.status_code, "retry-after" in caught.value.response.headers)
            )

    assert [(500, False), (500, False), (503, True), (500, False)] == statuses


def test_a_client_may_give_its_answer_less_time(live: Live) -> None:
    """In a header; what is no time is refused."""
    body = {"model": "Silent-Start", "messages": HELLO}
    key = {"Authorization": "Bearer any"}
    url = f"{live.url}/v1/chat/completions"
    late, wrong = (
        requests.post(url, json=body, headers={**key, "x-poeflask-timeout": said_s}, timeout=10)
        for said_s in ("0.3", "soon")
    )

    assert (504, 400) == (late.status_code, wrong.status_code)
    assert "0.3 seconds" in late.json()["error"]["message"]


def test_a_fallback_of_models_yaml_answers_and_is_named(
    simulator: Simulator, tmp_path: Path
) -> None:
    """The first one that works; the client reads the model that it asked for."""
    models = "models:\n  Http-503:\n    fallback: [Http-500, Echo]\n"
    (tmp_path / "models.yaml").write_text(models)
    with serving(simulator, tmp_path, POEFLASK_TRIES="1") as served, sdk(served) as client:
        got = client.chat.completions.with_raw_response.create(model="Http-503", messages=HELLO)

    assert "Echo" == got.headers["x-poeflask-fallback"]
    assert ("Http-503", "Hello") == (
        got.parse().model,
        got.parse().choices[0].message.content,
    )
