"""What gateway keys may take: reserved, settled, given back."""

import math
from contextlib import closing
from datetime import UTC, datetime

import gevent
import pytest
from flask import Flask, Response, g
from gevent.threadpool import ThreadPool
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from poeflask.core.errors import ClientError, ErrorKind, OwnError
from poeflask.core.gateway_key import GatewayKey
from poeflask.core.prompt import Limits as PromptLimits
from poeflask.core.prompt import Message, Prompt, Text
from poeflask.core.quota import Amount
from poeflask.core.reply import Finish, TextDelta, Usage
from poeflask.stores import gates
from poeflask.stores.base import StoreUnavailable
from poeflask.stores.gates import spent
from poeflask.stores.memory import MemoryStore
from poeflask.stores.redis import RedisStore
from poeflask.stores.sqlite import SqliteStore
from poeflask.web import limits as limits_module
from poeflask.web.grants import Wish
from poeflask.web.limits import Limits
from tests.stores.conftest import empty_redis, running_redis  # noqa: F401 - they are fixtures

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
POINTS_PER_USD = 100_000
PRICING = {"prompt": "0.000001", "completion": "0.00001"}
"""A tenth of a point for each token that is read, a whole one for each that is said."""


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self):
        self.now_s = NOON

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    """The time of the store and of all workers."""
    return Clock()


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store(request, tmp_path, clock):
    """What all workers share."""
    if request.param == "memory":
        made = MemoryStore(clock=clock)
    elif request.param == "sqlite":
        made = SqliteStore(tmp_path / "store.db", clock=clock)
    else:
        made = RedisStore(request.getfixturevalue("empty_redis").url, clock=clock)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _in_a_request(app):
    """Within a request."""
    with app.test_request_context():
        yield


MADE: list[Limits] = []
"""The workers of the test that runs."""


@pytest.fixture(autouse=True)
def _nothing_goes_on():
    """What a test leaves unanswered would else be renewed in the Redis of those that follow."""
    yield
    keepers = [worker._keeper for worker in MADE if worker._keeper is not None]
    # Those of other threads have ended with them.
    gevent.killall([one for one in keepers if one.parent is gevent.get_hub()], timeout=10)
    MADE.clear()


@pytest.fixture
def worker(store, clock):
    """A worker's limits; answers of which nothing is said may have 100 tokens."""
    return worker_of(store, clock)


def worker_of(store, clock):
    """A further worker."""
    numbers = iter(range(10**6))
    name = object.__hash__(numbers)
    made = Limits(
        store,
        clock=clock,
        new_id=lambda prefix: f"{prefix}{name}-{next(numbers)}",
        answer_tokens=100,
        points_per_usd=POINTS_PER_USD,
        sleep=lambda _seconds: None,
        spawn=lambda work: work(),
    )
    MADE.append(made)
    return made


def key_of(**limits):
    """A key of these limits."""
    return GatewayKey(id="0a1b2c3d4e5f", name="Anna", created_s=0.0).changed(limits)


def admit(worker, key, prompt_tokens=10, max_tokens=None, n=1, pricing=None):
    """A grant for n answers."""
    wishes = [Wish(prompt_tokens, max_tokens)] * n
    return worker.admit(key, wishes, bot="Bot", pricing=pricing)


def refused(worker, key, *wish, **wishes):
    """How it was refused."""
    with pytest.raises(ClientError) as caught:
        admit(worker, key, *wish, **wishes)
    return caught.value


def answered(grant, *events, index=0):
    """The answer comes and ends; what it took is settled."""
    grant.saw(index, [*events, Finish()])
    grant.ended()


def used(store, key, clock):
    """How much of each limit is used."""
    return {name: one for name, (one, _) in spent(store, key, clock()).items()}


def usage(prompt, completion):
    """Tokens as counted."""
    return Usage(prompt_tokens=prompt, completion_tokens=completion)


def test_a_key_without_limits_asks_the_store_nothing(clock):
    """Its answers cost nothing more."""
    worker = worker_of(None, clock)

    assert admit(worker, key_of()) is None


def test_requests_are_counted_in_any_minute(worker, store, clock):
    """The sentence says whose limit it is and when to come again, to the second."""
    key = key_of(requests_per_minute=2)
    admit(worker, key)
    clock.now_s += 20
    admit(worker, key)
    error = refused(worker, key)
    clock.now_s += 39.9
    too_soon = refused(worker, key)
    clock.now_s += 0.1

    assert (ErrorKind.TOO_MANY_REQUESTS, 40.0) == (error.kind, error.retry_after_s)
    assert "The key 'Anna' has 2 requests per minute; ask again in 40 s." == error.message
    assert math.isclose(0.1, too_soon.retry_after_s, abs_tol=1e-6)
    admit(worker, key)


def test_each_answer_counts(worker, store, clock):
    """Several at once are so many requests; more than there ever are need not come again."""
    key = key_of(requests_per_minute=5)
    admit(worker, key, n=3)
    later = refused(worker, key, n=3)
    never = refused(worker, key, n=6)

    assert {"requests_per_minute": 3} == used(store, key, clock)
    assert (True, False) == (later.may_succeed_later, never.may_succeed_later)


def test_what_is_refused_takes_nothing(worker, store, clock):
    """Of no limit, whichever refuses."""
    key = key_of(requests_per_minute=9, tokens_per_minute=500, tokens_per_day=1000, concurrent=2)
    admit(worker, key, 10, 300)
    before = used(store, key, clock)
    tokens = refused(worker, key, 10, 300)
    places = refused(worker, key, 1, 1, n=2)

    assert before == used(store, key, clock)
    assert "500 tokens per minute" in tokens.message
    assert "2 answers at a time" in places.message
    admit(worker, key, 10, 100)


def test_what_an_answer_took_is_put_in_the_place_of_its_reserve(worker, store, clock):
    """For all limits; later answers find room."""
    key = key_of(
        tokens_per_minute=200, tokens_per_day=2000, tokens_per_month=3000, points_per_day=300
    )
    grant = admit(worker, key, 20, 150, pricing=PRICING)
    reserved = used(store, key, clock)
    clock.now_s += 5
    answered(grant, TextDelta("x"), usage(20, 8))

    assert {
        "tokens_per_minute": 170,
        "tokens_per_day": 170,
        "tokens_per_month": 170,
        "points_per_day": 152_000,
    } == reserved
    assert {
        "tokens_per_minute": 28,
        "tokens_per_day": 28,
        "tokens_per_month": 28,
        "points_per_day": 10_000,
    } == used(store, key, clock)


def test_an_answer_that_took_more_than_was_reserved_counts_in_full(worker, store, clock):
    """A provider may count thoughts that nobody saw; the next one waits for it."""
    key = key_of(tokens_per_minute=200, tokens_per_day=10_000)
    answered(admit(worker, key, 20, 50), TextDelta("x"), usage(20, 900))

    assert {"tokens_per_minute": 920, "tokens_per_day": 920} == used(store, key, clock)
    assert 60.0 == refused(worker, key, 20, 50).retry_after_s


def test_an_answer_ends_at_what_was_reserved(worker):
    """So that no limit is passed; the client's own wish stays if it is less."""
    key = key_of(tokens_per_minute=1000)
    prompts = [Prompt(bot="B", messages=(Message("user", (Text("x"),)),))] * 2
    wished = [Prompt(bot="B", messages=(), limits=PromptLimits(max_tokens=7, stop=("s",)))]
    bounded = admit(worker, key, 10, n=2).bounded(prompts)

    assert [100, 100] == [prompt.limits.max_tokens for prompt in bounded]
    assert wished == list(admit(worker, key, 10, 7).bounded(wished))
    of_requests = admit(worker, key_of(requests_per_minute=9), 10)
    assert tuple(prompts[:1]) == of_requests.bounded(prompts[:1])
    unpriced = admit(worker, key_of(points_per_day=9), 10, pricing={})
    assert tuple(prompts[:1]) == unpriced.bounded(prompts[:1])


def test_who_asks_for_more_than_there_ever_is_gets_what_there_is(worker, store, clock):
    """A client that always says 32,000 can be served; a prompt that fills all cannot."""
    key = key_of(tokens_per_minute=500)
    grant = admit(worker, key, 100, 32_000)
    error = refused(worker, key, 500, 10)

    assert (400, 500) == (grant.share, used(store, key, clock)["tokens_per_minute"])
    assert not error.may_succeed_later
    assert "more than the key 'Anna' may ever ask at once" in error.message


def test_one_who_says_nothing_is_content_with_half_of_a_minute_s_rest(worker, clock):
    """And waits if there is less; one who says how much he wants waits for that."""
    key = key_of(tokens_per_minute=200)
    first = admit(worker, key, 10)
    wishes = refused(worker, key, 10, 100)
    second = admit(worker, key, 10)
    third = refused(worker, key, 10)

    assert (100, 80) == (first.share, second.share)
    assert [60.0, 60.0] == [wishes.retry_after_s, third.retry_after_s]


def test_a_budget_is_used_to_its_edge(worker, store, clock):
    """The last answer gets what is left; then it is spent until the day ends."""
    key = key_of(tokens_per_day=150)
    first = admit(worker, key, 20, 80)
    second = admit(worker, key, 20, 80)
    meanwhile = refused(worker, key, 1, 1)
    answered(first, TextDelta("x"), usage(20, 80))
    answered(second, TextDelta("x"), usage(20, 30))
    error = refused(worker, key, 1, 1)

    assert (80, 30) == (first.share, second.share)
    assert {"tokens_per_day": 150} == used(store, key, clock)
    assert (ErrorKind.TOO_MANY_REQUESTS, True) == (meanwhile.kind, meanwhile.may_succeed_later)
    assert "reserved for answers that are being given" in meanwhile.message
    assert (ErrorKind.BUDGET_SPENT, 12 * 3600.0) == (error.kind, error.retry_after_s)
    assert not error.may_succeed_later
    assert "150 tokens per day (UTC)" in error.message
    assert "in 12 h" in error.message


def test_the_last_token_of_a_budget_can_be_had(worker):
    """One prompt token and one of the answer are two, not three."""
    key = key_of(tokens_per_day=10)
    answered(admit(worker, key, 7, 1), TextDelta("x"), usage(7, 1))

    assert ErrorKind.BUDGET_SPENT == refused(worker, key, 2, 1).kind
    last = admit(worker, key, 1, 1)
    answered(last, TextDelta("x"), usage(1, 1))
    assert 1 == last.share
    assert ErrorKind.BUDGET_SPENT == refused(worker, key, 0, 1).kind


def test_days_and_months_begin_anew_at_midnight_utc(worker, store, clock):
    """What began before is counted where it began."""
    key = key_of(tokens_per_day=100, tokens_per_month=150)
    clock.now_s = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC).timestamp()
    answered(admit(worker, key, 10, 40), TextDelta("x"), usage(10, 40))
    grant = admit(worker, key, 10, 40)
    clock.now_s += 1
    over_night = admit(worker, key, 10, 90)
    answered(grant, TextDelta("x"), usage(10, 20))
    clock.now_s -= 1
    old = used(store, key, clock)
    clock.now_s += 1

    assert 90 == over_night.share
    assert {"tokens_per_day": 80, "tokens_per_month": 80} == old
    assert {"tokens_per_day": 100, "tokens_per_month": 100} == used(store, key, clock)


def test_points_are_estimated_by_the_price(worker, store, clock):
    """In thousandths; the answer is cut to what the budget pays for."""
    key = key_of(points_per_day=50)
    grant = admit(worker, key, 100, 500, pricing=PRICING)
    answered(grant, TextDelta("x"), usage(100, 39))

    assert 40 == grant.share
    assert {"points_per_day": 49_000} == used(store, key, clock)
    assert ErrorKind.BUDGET_SPENT == refused(worker, key, 10, 1, pricing=PRICING).kind


def test_a_bot_of_unknown_price_costs_no_points_and_is_told_once(worker, store, clock, log):
    """Nobody is kept out by a price that is not known."""
    key = key_of(points_per_day=1)
    for _ in range(2):
        answered(admit(worker, key, pricing={}), TextDelta("x"), usage(9, 9))

    assert {"points_per_day": 0} == used(store, key, clock)
    assert [{"event": "price_unknown", "log_level": "warning"}] == [
        {name: entry[name] for name in ("event", "log_level")} for entry in log
    ]


def test_places_come_free_when_answers_end(worker, clock):
    """However many answers one request has; the client is told to come again soon."""
    key = key_of(concurrent=3)
    two = admit(worker, key, n=2)
    one = admit(worker, key)
    error = refused(worker, key)
    answered(one)
    free = admit(worker, key)
    many = refused(worker, key, n=4)
    answered(free)
    answered(two)

    assert (1.0, True) == (error.retry_after_s, error.may_succeed_later)
    assert not many.may_succeed_later
    admit(worker, key, n=3)


@pytest.fixture
def renewed(monkeypatch):
    """Waits until all places have been renewed that are held when it is called."""
    rounds = []

    def soon():
        rounds.append(None)
        return 0.01

    def wait():
        # The round that is under way may have begun before.
        wanted = len(rounds) + 2
        with gevent.Timeout(30):
            while len(rounds) < wanted:
                gevent.sleep(0.002)

    monkeypatch.setattr(limits_module, "renewal_s", soon)
    return wait


def test_the_places_of_a_worker_that_died_come_free(worker, store, clock, renewed):
    """Those of one that lives are kept, however long its answers take."""
    key = key_of(concurrent=1)
    answered(admit(worker, key))
    # Whoever renews has nothing to do for a while, and ends.
    worker._keeper.join(timeout=30)
    grant = admit(worker, key)
    for _ in range(4):
        clock.now_s += 0.3 * gates.LEASE_S
        renewed()
    kept = refused(worker_of(store, clock), key)
    # As good as dead: it renews nothing any more.
    worker._holding.clear()
    worker._keeper.join(timeout=30)
    clock.now_s += 1.1 * gates.LEASE_S
    admit(worker_of(store, clock), key)

    assert "1 answer at a time" in kept.message
    answered(grant)


def test_a_place_that_is_given_back_while_it_is_renewed_is_free(clock, renewed):
    """With a store on another machine, what is given back may come there before the renewal."""

    class Distant(MemoryStore):
        meanwhile = None

        def take(self, claims):
            meanwhile, self.meanwhile = self.meanwhile, None
            if meanwhile is not None:
                meanwhile()
            return super().take(claims)

    store = Distant(clock=clock)
    worker, key = worker_of(store, clock), key_of(concurrent=2)
    grant = admit(worker, key, n=2)
    store.meanwhile = lambda: answered(grant)
    worker._keeper.join(timeout=30)

    assert None is store.meanwhile
    admit(worker, key, n=2)


class Ailing(MemoryStore):
    """A store that is away for so many takings."""

    away = 0

    def take(self, claims):
        if self.away:
            self.away -= 1
            raise StoreUnavailable("away")
        return super().take(claims)


class Forgetful(MemoryStore):
    """A store that is away for so many places that are given back."""

    away = 0

    def give_back(self, key, holder):
        if self.away:
            self.away -= 1
            raise StoreUnavailable("away")
        super().give_back(key, holder)


def test_nobody_with_a_limit_is_admitted_by_a_store_that_is_away(clock):
    """What cannot be counted is refused, for a fault of ours."""
    store = Ailing(clock=clock)
    store.away = 1
    with pytest.raises(OwnError) as caught:
        admit(worker_of(store, clock), key_of(requests_per_minute=1))

    assert ErrorKind.BUSY == caught.value.kind


@pytest.mark.parametrize(
    "limits", [{"tokens_per_minute": 100}, {"concurrent": 1}, {"tokens_per_day": 60}]
)
def test_what_another_worker_gives_back_meanwhile_lets_one_in(store, clock, limits):
    """Whoever asks again at once may come to a worker that has not given the answer before."""
    giving, asked = worker_of(store, clock), worker_of(store, clock)
    grant = admit(giving, key_of(**limits), 10, 50)
    asked._sleep = lambda _seconds: answered(grant, TextDelta("x"), usage(10, 1))

    assert admit(asked, key_of(**limits), 10, 45) is not None


def test_spent_requests_are_not_waited_for(worker):
    """No answer gives one back."""
    key = key_of(requests_per_minute=1)
    admit(worker, key)
    worker._sleep = pytest.fail

    with pytest.raises(ClientError, match="1 request per minute"):
        admit(worker, key)


@pytest.mark.parametrize("kind", [Ailing, Forgetful])
def test_settling_is_tried_again(clock, kind):
    """A moment's trouble of the store costs the caller nothing, and nothing counts twice."""
    store = kind(clock=clock)
    worker, key = worker_of(store, clock), key_of(tokens_per_day=100, concurrent=1)
    grant = admit(worker, key, 10, 50)
    store.away = 2
    answered(grant, TextDelta("x"), usage(10, 1))

    assert {"tokens_per_day": 11} == used(store, key, clock)
    assert grant.settled.is_set()
    admit(worker, key, 1, 1)


def test_headers_tell_the_limit_that_leaves_least(worker, app, clock):
    """In the words of the API that was asked, also when it was refused."""
    key = key_of(requests_per_minute=2, tokens_per_minute=1000, tokens_per_day=300)
    admit(worker, key, 50, 200)
    granted = dict(g.gauges)
    refused(worker, key, 150, 200)

    assert (2, 1, 60.0) == (
        granted["requests"].limit,
        granted["requests"].remaining,
        granted["requests"].reset_s,
    )
    assert (300, 50, 43_200.0) == (
        granted["tokens"].limit,
        granted["tokens"].remaining,
        granted["tokens"].reset_s,
    )
    assert (1, 50) == (g.gauges["requests"].remaining, g.gauges["tokens"].remaining)


RESETS = ("x-ratelimit-reset-requests", "anthropic-ratelimit-requests-reset")


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/v1/chat/completions", "x-ratelimit-remaining-requests"),
        ("/v1/messages", "anthropic-ratelimit-requests-remaining"),
    ],
)
def test_the_app_tells_limits_and_of_none_nothing(worker, path, header):
    """Only of a key that has some."""
    app = Flask("telling")
    limits_module.install(app)
    keys = {"limited": key_of(requests_per_minute=5), "free": key_of()}

    def view(name):
        admit(worker, keys[name])
        return Response("")

    app.add_url_rule(f"{path}/<name>", view_func=view)
    limited = app.test_client().get(f"{path}/limited").headers
    free = app.test_client().get(f"{path}/free").headers

    assert "4" == limited[header]
    assert {"1m0s", "2026-11-22T12:01:00Z"} & {limited.get(name) for name in RESETS}
    assert not [name for name in free.keys() if "ratelimit" in name]  # noqa: SIM118 - no dict


def test_parallel_workers_never_admit_more_than_the_limit(tmp_path, app):
    """Eight threads with stores of their own on one file."""
    key = key_of(requests_per_minute=40, tokens_per_day=1000, concurrent=30)

    def work(_number):
        admitted = 0
        with app.test_request_context(), closing(SqliteStore(tmp_path / "shared.db")) as store:
            worker = worker_of(store, lambda: NOON)
            for _ in range(20):
                try:
                    worker.admit(key, [Wish(10, 20)], bot="B", pricing=None)
                    admitted += 1
                except ClientError:
                    continue
        return admitted

    admitted = sum(ThreadPool(8).map(work, range(8)))

    assert 30 == admitted


STEPS = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.one_of(st.none(), st.integers(0, 60)),
        st.integers(1, 3),
        st.one_of(st.none(), st.integers(0, 30)),
        st.sampled_from([0, 1, 20]),
    ),
    max_size=12,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_no_answers_together_take_more_than_there_is(steps, app):
    """Whoever asks for whatever and takes whatever up to what was reserved."""
    clock = Clock()
    store = MemoryStore(clock=clock)
    worker = worker_of(store, clock)
    key = key_of(requests_per_minute=6, tokens_per_minute=200, tokens_per_day=450)
    log = []
    for prompt, wished, n, said, pause_s in steps:
        clock.now_s += pause_s
        try:
            grant = admit(worker, key, prompt, wished, n)
        except ClientError:
            continue
        most = grant.share if wished is None else min(wished, grant.share)
        took = prompt * n + (most if said is None else min(said, most)) * n
        if said is not None:
            grant.settle(Amount(requests=n, tokens=took))
        log.append((clock.now_s, n, took))
    for time_s, _, _ in log:
        minute = [(n, took) for at_s, n, took in log if time_s - 60 < at_s <= time_s]
        assert sum(n for n, _ in minute) <= 6
        assert sum(took for _, took in minute) <= 200
    assert sum(took for _, _, took in log) <= 450


def test_who_asks_again_at_once_finds_what_the_answer_before_gave_back(store, clock):
    """An answer that has just ended may not be settled yet; the store is waited for."""
    limits = Limits(
        store,
        clock=clock,
        new_id=lambda prefix: f"{prefix}1",
        answer_tokens=100,
        points_per_usd=POINTS_PER_USD,
    )
    key = key_of(tokens_per_minute=100)
    for _ in range(3):
        answered(admit(limits, key, 10), TextDelta("x"), usage(10, 2))

    assert {"tokens_per_minute": 100} == used(store, key, clock)
    gevent.sleep(0.05)
    assert {"tokens_per_minute": 36} == used(store, key, clock)


def test_nobody_waits_long_for_what_cannot_be_settled(store, clock, monkeypatch):
    """The store is away: what is reserved stays so, and others are refused as ever."""
    monkeypatch.setattr(limits_module, "_LONGEST_SETTLING_S", 0.05)
    limits = Limits(
        store,
        clock=clock,
        new_id=lambda prefix: f"{prefix}1",
        answer_tokens=100,
        points_per_usd=POINTS_PER_USD,
        spawn=lambda work: None,
    )
    key = key_of(tokens_per_minute=100)
    answered(admit(limits, key, 10), TextDelta("x"), usage(10, 2))

    assert ErrorKind.TOO_MANY_REQUESTS == refused(limits, key, 10).kind
