"""Gateway keys and their limits, with four workers before one simulator, counted at the latter."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anthropic
import gevent
import openai
import pytest
import requests
from anthropic import Anthropic
from gevent.pool import Pool
from openai import OpenAI

from poeflask.core.gateway_key import GatewayKey
from poeflask.embedder import MODEL
from poeflask.stores.base import Store
from poeflask.stores.gates import spent
from poeflask.stores.gateway_keys import GatewayKeys
from poeflask.stores.redis import RedisStore
from poeflask.stores.server_secret import SecretInFile, SecretInStore, ServerSecret
from poeflask.stores.sqlite import SqliteStore
from tests.live.conftest import Live, Simulator, gunicorn, running, serving
from tests.ports import free_port
from tests.stores.conftest import Server, empty_redis, running_redis  # noqa: F401 - fixtures

HELLO = [{"role": "user", "content": "Hello"}]
WORKERS = 4
LEASE_S = 3.0
SEEN_WITHIN_S = 2.0
"""So soon all workers know what the owner did."""


class Served:
    """A poeflask of four workers, and its owner's desk."""

    def __init__(
        self, url: str, store: Store, secret: ServerSecret, master: int, simulator: Simulator
    ) -> None:
        self.url = url
        self.master = master
        self.simulator = simulator
        self.store = store
        self.keys = GatewayKeys(store, secret)

    def issue(self, name: str, **limits: object) -> tuple[GatewayKey, str]:
        """A new key."""
        return self.keys.issue({"name": name, **limits})

    def ask(self, key: str, **said: Any) -> requests.Response:
        """Ask on a connection of its own, so that any worker may answer."""
        return requests.post(
            f"{self.url}/v1/chat/completions",
            headers={"Authorization": f"Bearer {key}", "Connection": "close"},
            json={"model": "Echo", "messages": HELLO, **said},
            timeout=30,
            stream=bool(said.get("stream")),
        )

    def ask_at_once(self, times: int, key: str, **said: Any) -> list[requests.Response]:
        """Ask so often in parallel; all answers."""
        return list(Pool(times).imap_unordered(lambda _: self.ask(key, **said), range(times)))

    def asked(self) -> int:
        """How many queries have come to Poe."""
        return len(self.simulator.queries())

    def used(self, key: GatewayKey) -> dict[str, int]:
        """How much of the key's limits is used."""
        return {name: one for name, (one, _) in spent(self.store, key, time.time()).items()}

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        return [
            int(one)
            for one in Path(f"/proc/{self.master}/task/{self.master}/children").read_text().split()
        ]


@contextmanager
def paid(
    simulator: Simulator, folder: Path, workers: int, **settings: str
) -> Iterator[tuple[str, int]]:
    """A poeflask whose gateway keys one key of Poe's pays for: its address, its process."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [*gunicorn(port)[:-1], "-w", str(workers), "tests.live.short_leases:app"]
    environment = {
        "POE_BASE_URL": simulator.url,
        "POE_FILE_UPLOAD_URL": f"{simulator.url}/poe_api/file_upload_3RD_PARTY_POST",
        "POEFLASK_SIMULATOR": "off",
        "CONFIG_DIR": str(folder),
        "LEASE_S": str(LEASE_S),
        "POE_API_KEYS": "the-key-that-pays",
        "POEFLASK_BREAKER_FAILURES": "0",
        **settings,
    }
    with running(command, f"{url}/healthz", folder / "log", environment) as process:
        yield url, process.pid


@pytest.fixture(scope="module")
def served(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Four workers that share one store, paid for by one key of Poe's."""
    folder = tmp_path_factory.mktemp("keys")
    with paid(simulator, folder, WORKERS) as (url, master):
        store = SqliteStore(folder / "store.db")
        yield Served(url, store, SecretInFile(folder / "secret"), master, simulator)
        store.close()


@pytest.fixture(autouse=True)
def _counted_anew(simulator: Simulator) -> None:
    simulator.reset()


def eventually(fits: Callable[[], bool], within_s: float = 10.0) -> bool:
    """Whether it becomes true in time."""
    until_s = time.monotonic() + within_s
    while not fits():
        if time.monotonic() > until_s:
            return False
        gevent.sleep(0.05)
    return True


def statuses(answers: list[requests.Response]) -> Counter[int]:
    """How often which status was answered."""
    return Counter(answer.status_code for answer in answers)


def test_openai_s_client_sees_the_limits(served: Served) -> None:
    """Its answers tell what is left; the third one is refused, with the time to wait."""
    _, text = served.issue("sdk", requests_per_minute=2, tokens_per_minute=5000)
    with OpenAI(base_url=f"{served.url}/v1", api_key=text, max_retries=0) as client:
        first = client.chat.completions.with_raw_response.create(model="Echo", messages=HELLO)
        chunks = list(client.chat.completions.create(model="Echo", messages=HELLO, stream=True))
        with pytest.raises(openai.RateLimitError) as caught:
            client.chat.completions.create(model="Echo", messages=HELLO)
    told = caught.value.response.headers

    assert "Hello" in (first.parse().choices[0].message.content or "")
    assert ("2", "1", "1m0s", "5000") == (
        first.headers["x-ratelimit-limit-requests"],
        first.headers["x-ratelimit-remaining-requests"],
        first.headers["x-ratelimit-reset-requests"],
        first.headers["x-ratelimit-limit-tokens"],
    )
    assert all(chunk.usage is None for chunk in chunks)
    assert (True, "0", "rate_limit_exceeded", "true") == (
        0 < int(told["retry-after"]) <= 60,
        told["x-ratelimit-remaining-requests"],
        caught.value.code,
        told["x-should-retry"],
    )
    assert 2 == served.asked()


def test_anthropic_s_client_sees_the_limits(served: Served) -> None:
    """In its own words; a spent budget is nothing that it tries again."""
    _, text = served.issue("sdk", requests_per_minute=50, tokens_per_day=40)
    with Anthropic(base_url=served.url, api_key=text, max_retries=2) as client:
        first = client.messages.with_raw_response.create(
            model="Echo", messages=HELLO, max_tokens=20
        )
        with pytest.raises(anthropic.APIStatusError) as caught:
            ask_often(client)

    assert ("50", "49", "40") == (
        first.headers["anthropic-ratelimit-requests-limit"],
        first.headers["anthropic-ratelimit-requests-remaining"],
        first.headers["anthropic-ratelimit-tokens-limit"],
    )
    assert first.headers["anthropic-ratelimit-tokens-reset"].endswith("T00:00:00Z")
    assert (402, "false") == (
        caught.value.status_code,
        caught.value.response.headers["x-should-retry"],
    )
    assert "40 tokens per day" in caught.value.message


def ask_often(client: Anthropic) -> None:
    """Spend more than a small budget."""
    for _ in range(20):
        client.messages.create(model="Echo", messages=HELLO, max_tokens=20)


def test_parallel_requests_never_exceed_those_of_a_minute(served: Served) -> None:
    """Counted at Poe; what is refused takes nothing away."""
    key, text = served.issue("rpm", requests_per_minute=20)
    answers = served.ask_at_once(64, text)

    assert {200: 20, 429: 44} == statuses(answers)
    assert 20 == served.asked()
    assert {"requests_per_minute": 20} == served.used(key)


def test_hosts_that_share_a_redis_hold_limits_together(
    simulator: Simulator,
    tmp_path: Path,
    empty_redis: Server,  # noqa: F811 - the fixture that is imported
) -> None:
    """Two of them, each with a folder of its own; the secret is the store's."""
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    url = {"POEFLASK_STORE_URL": empty_redis.url}
    store = RedisStore(empty_redis.url)
    with paid(simulator, folders[0], 2, **url) as one, paid(simulator, folders[1], 2, **url) as two:
        hosts = [
            Served(url, store, SecretInStore(store), master, simulator)
            for url, master in (one, two)
        ]
        key, text = hosts[0].issue("both", requests_per_minute=20)
        told = Pool(2).map(lambda host: statuses(host.ask_at_once(32, text)), hosts)
        hosts[0].keys.revoke(key.id)
        gevent.sleep(SEEN_WITHIN_S)
        after = [host.ask(text).status_code for host in hosts]
    used = hosts[0].used(key)["requests_per_minute"]
    store.close()

    assert {200: 20, 429: 44} == sum(told, Counter())
    assert (20, 20) == (len(simulator.queries()), used)
    assert [401, 401] == after


def test_parallel_streams_never_exceed_those_at_a_time(served: Served) -> None:
    """Counted at Poe while they run; when they are over, others come in."""
    _, text = served.issue("streams", concurrent=5)
    most = 0
    said = {"model": "Slow-Talker", "stream": True, "words": 15, "interval_ms": 80}
    asking = gevent.spawn(
        lambda: Pool(40).map(lambda _: statuses_of_streams(served, text, said), range(40))
    )
    while not asking.ready():
        most = max(most, served.simulator.connections().get("Slow-Talker", {}).get("open", 0))
        gevent.sleep(0.02)
    told = Counter(asking.get())

    assert 5 == most
    assert {200, 429} == set(told)
    assert told[200] >= 5
    assert eventually(lambda: statuses_of_streams(served, text, said) == 200)


def statuses_of_streams(served: Served, key: str, said: dict[str, Any]) -> int:
    """Read a stream to its end; its status."""
    with served.ask(key, **said) as answer:
        assert answer.status_code != 200 or b"[DONE]" in answer.content
        return answer.status_code


def test_parallel_answers_never_have_more_tokens_than_there_are(served: Served) -> None:
    """Of a minute and of a day, whether the client says how long they may be or not."""
    minute, of_minute = served.issue("tpm", tokens_per_minute=900)
    day, of_day = served.issue("tpd", tokens_per_day=700)
    said = {"model": "Slow-Talker", "words": 300, "interval_ms": 0}
    answers = {
        name: served.ask_at_once(12, text, **said, **wish)
        for name, text, wish in (("minute", of_minute, {"max_tokens": 100}), ("day", of_day, {}))
    }
    tokens = {
        name: sum(one.json()["usage"]["total_tokens"] for one in given if one.status_code == 200)
        for name, given in answers.items()
    }

    assert 100 < tokens["minute"] <= 900
    assert 100 < tokens["day"] <= 700
    assert eventually(
        lambda: (
            (tokens["minute"], tokens["day"])
            == (served.used(minute)["tokens_per_minute"], served.used(day)["tokens_per_day"])
        )
    )


def test_what_is_refused_takes_nothing_away(served: Served) -> None:
    """While one stream runs, all others are refused; after it, all but one are still there."""
    _, text = served.issue("both", requests_per_minute=3, concurrent=1)
    with served.ask(
        text, model="Slow-Talker", stream=True, words=100, interval_ms=50
    ) as running_one:
        lines = running_one.iter_lines()
        next(lines)
        refused = served.ask_at_once(8, text)
    assert {429: 8} == statuses(refused)
    assert eventually(lambda: served.ask(text).status_code == 200)
    gevent.sleep(0.2)

    assert [200, 429] == [served.ask(text).status_code for _ in range(2)]
    assert 3 == served.asked()


def test_all_workers_see_within_two_seconds_what_the_owner_does(served: Served) -> None:
    """Keys that are switched off, rotated, revoked."""
    keys = [served.issue(name) for name in ("off", "rotated", "revoked")]
    before = [statuses(served.ask_at_once(24, text)) for _, text in keys]
    served.keys.change(keys[0][0].id, {"disabled": True})
    rotated = served.keys.rotate(keys[1][0].id)
    served.keys.revoke(keys[2][0].id)
    gevent.sleep(SEEN_WITHIN_S)
    # More with keys that are not known would be held back, if one worker happens to get them all.
    after = [statuses(served.ask_at_once(8, text)) for _, text in keys]

    assert [{200: 24}] * 3 == before
    assert [{403: 8}, {401: 8}, {401: 8}] == after
    assert rotated is not None
    assert {200: 24} == statuses(served.ask_at_once(24, rotated[1]))


def test_a_client_that_leaves_gives_its_place_back(served: Served) -> None:
    """What it has seen of the answer stays counted."""
    key, text = served.issue("gone", concurrent=1, tokens_per_day=5000)
    with served.ask(text, model="Slow-Talker", stream=True, words=1000, interval_ms=20) as answer:
        lines = answer.iter_lines()
        next(lines)
        assert 429 == served.ask(text).status_code

    assert eventually(lambda: served.ask(text, max_tokens=20).status_code == 200)
    assert eventually(lambda: 8 < served.used(key)["tokens_per_day"] < 500)


def test_the_place_of_a_killed_worker_comes_free(served: Served) -> None:
    """When its lease ends, and no sooner."""
    _, text = served.issue("killed", concurrent=1)
    answer = served.ask(text, model="Slow-Talker", stream=True, words=1000, interval_ms=20)
    lines = answer.iter_lines()
    next(lines)
    killed = next(worker for worker in served.workers() if kills_the_stream(worker, lines))
    killed_s = time.monotonic()
    assert eventually(lambda: is_up(served), 30)
    held = served.ask(text).status_code if time.monotonic() - killed_s < LEASE_S / 3 else 429
    assert eventually(lambda: served.ask(text).status_code == 200, LEASE_S + 2)
    answer.close()

    assert (429, False) == (held, killed in served.workers())


def kills_the_stream(worker: int, lines: Iterator[bytes]) -> bool:
    """Whether the stream breaks off when this worker is killed."""
    os.kill(worker, signal.SIGKILL)
    until_s = time.monotonic() + 0.5
    try:
        while time.monotonic() < until_s:
            next(lines)
    except requests.RequestException:
        return True
    return False


def is_up(served: Served) -> bool:
    """Whether a worker answers."""
    try:
        return requests.get(f"{served.url}/healthz", timeout=2).ok
    except requests.RequestException:
        return False


def test_a_key_sees_and_asks_only_what_it_may(served: Served) -> None:
    """Neither another bot by whatever name, nor any other model."""
    _, text = served.issue("some", models=["ech?", "Mirror"])
    bearer = {"Authorization": f"Bearer {text}"}
    listed = requests.get(f"{served.url}/v1/models", headers=bearer, timeout=10).json()["data"]
    hidden = requests.get(f"{served.url}/v1/models/Counter", headers=bearer, timeout=10)
    tags = requests.get(f"{served.url}/api/tags", headers=bearer, timeout=10).json()["models"]
    gemini = requests.get(f"{served.url}/v1beta/models", headers=bearer, timeout=10).json()
    forbidden = served.ask(text, model="counter")
    vectors = requests.post(
        f"{served.url}/v1/embeddings",
        headers=bearer,
        json={"model": MODEL, "input": "x"},
        timeout=30,
    )

    assert {"echo", "mirror"} == {model["id"].lower() for model in listed}
    assert (2, 2, 404) == (len(tags), len(gemini["models"]), hidden.status_code)
    assert (403, "model_not_allowed", 403) == (
        forbidden.status_code,
        forbidden.json()["error"]["code"],
        vectors.status_code,
    )
    assert [200, 200] == [served.ask(text, model=name).status_code for name in ("ECHO", "mirror")]


def test_vectors_count_as_requests_and_tokens(served: Served) -> None:
    """They are made here, and cost no points."""
    key, text = served.issue(
        "vectors", requests_per_minute=2, tokens_per_minute=1000, points_per_day=1
    )
    answers = [
        requests.post(
            f"{served.url}{path}",
            headers={"Authorization": f"Bearer {text}"},
            json={"model": MODEL, field: "Hello there, bridge!"},
            timeout=30,
        )
        for path, field in (
            ("/v1/embeddings", "input"),
            ("/api/embed", "input"),
            ("/api/embeddings", "prompt"),
        )
    ]
    tokens = answers[0].json()["usage"]["total_tokens"]

    assert [200, 200, 429] == [answer.status_code for answer in answers]
    assert eventually(
        lambda: (
            {"requests_per_minute": 2, "tokens_per_minute": 2 * tokens, "points_per_day": 0}
            == served.used(key)
        )
    )


def test_what_belongs_to_a_key_stays_its_own(served: Served) -> None:
    """When it is rotated, and before other keys."""
    key, text = served.issue("owner")
    _, other = served.issue("other")
    with OpenAI(base_url=f"{served.url}/v1", api_key=text, max_retries=0) as client:
        file = client.files.create(file=("a.txt", b"abc"), purpose="assistants")
    rotated = served.keys.rotate(key.id)
    assert rotated is not None
    gevent.sleep(SEEN_WITHIN_S)
    url = f"{served.url}/v1/files/{file.id}"
    codes = [
        requests.get(url, headers={"Authorization": f"Bearer {one}"}, timeout=10).status_code
        for one in (rotated[1], other, key.id)
    ]

    assert [200, 404, 404] == codes


def test_points_are_counted_by_poe_s_prices(served: Served) -> None:
    """A thousandth of a cent for each token is read, two for each that is said."""
    key, text = served.issue("points", points_per_day=100)
    usage = served.ask(text).json()["usage"]
    points = (usage["prompt_tokens"] * 1e-6 + usage["completion_tokens"] * 2e-6) * 33_333
    told = served.ask(text, max_tokens=2_000_000).headers

    assert eventually(lambda: served.used(key)["points_per_day"] >= 2 * int(points * 1000))
    assert "x-ratelimit-limit-tokens" not in told


def test_poe_s_own_keys_pass_and_unknown_ones_do_not(served: Served) -> None:
    """Without limits, without headers."""
    answer = served.ask("a-key-of-poe")
    unknown = served.ask("pf-" + "0" * 12 + "-" + "0" * 48)

    assert (200, 401) == (answer.status_code, unknown.status_code)
    assert not [name for name in answer.headers if "ratelimit" in name]
    assert "invalid_api_key" == unknown.json()["error"]["code"]


def test_a_key_can_be_tried_without_an_account(simulator: Simulator, tmp_path: Path) -> None:
    """Issued by the command, answered by the simulator of the process; no key of Poe's is taken."""
    environment = {**os.environ, "CONFIG_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "poeflask", "keys", "issue", "Anna", "--json"]
    issued = subprocess.run(command, env=environment, capture_output=True, check=True).stdout
    text = json.loads(issued)["key"]
    settings = {"POEFLASK_SIMULATOR": "on", "POEFLASK_KEYS": "keys"}
    with serving(simulator, tmp_path, **settings) as live:
        codes = [asked(live, key) for key in (text, "demo", "a-key-of-poe")]

    assert [200, 401, 401] == codes
    assert [] == simulator.queries()
    assert text not in live.log.read_text()


def asked(live: Live, key: str) -> int:
    """The status of an answer to this key."""
    return requests.post(
        f"{live.url}/v1/chat/completions",
        headers={"Authorization": f"Bearer {key}"},
        json={"model": "Echo", "messages": HELLO},
        timeout=30,
    ).status_code
