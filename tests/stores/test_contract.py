"""What every store promises, held against each of them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from poeflask.stores.base import (
    MAX_NUMBER,
    Lease,
    Put,
    StoreUnavailable,
    Taken,
    Total,
    Window,
)
from poeflask.stores.memory import MemoryStore
from poeflask.stores.redis import RedisStore
from poeflask.stores.sqlite import SqliteStore

MAX_BYTES = 2**20


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self):
        self.now_s = 1_800_000_000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    """The time of the store under test."""
    return Clock()


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store(request, tmp_path, clock):
    """Each store, empty."""
    made = STORES[request.param](request, tmp_path, clock)
    yield made
    made.close()


def memory(request, tmp_path, clock):
    """The store in memory."""
    return MemoryStore(max_bytes=MAX_BYTES, clock=clock)


def sqlite(request, tmp_path, clock):
    """The store in a file."""
    return SqliteStore(tmp_path / "state" / "store.db", max_bytes=MAX_BYTES, clock=clock)


def redis(request, tmp_path, clock):
    """The store in a Redis that has no more room than the others."""
    server = request.getfixturevalue("empty_redis")
    made = RedisStore(server.url, clock=clock)
    made.get("k")
    with server.client() as client:
        used = client.info("memory")["used_memory"]
        client.config_set("maxmemory", used + MAX_BYTES)
    return made


STORES = {"memory": memory, "sqlite": sqlite, "redis": redis}


def test_what_is_put_is_got(store):
    """A value comes back byte by byte; the last one put counts."""
    store.put("k", b"one")
    store.put("k", b"\x00\xff")

    assert store.get("k") == b"\x00\xff"
    assert store.get("other") is None


def test_what_is_deleted_is_gone(store):
    """Deleting what is not there is no mistake."""
    store.put("k", b"one")
    store.delete("k")
    store.delete("k")

    assert store.get("k") is None


def test_a_closed_store_can_be_used_again(store):
    """Closing lets go of files, not of what is kept."""
    store.put("k", b"one")
    store.close()
    store.close()

    assert store.get("k") == b"one"


def test_what_has_ended_is_gone_at_its_very_second(store, clock):
    """A value lives for less than its time, never longer, swept or not."""
    store.put("k", b"one", ttl_s=10)
    clock.now_s += 9.5
    before = store.get("k")
    clock.now_s += 0.5

    assert (before, store.get("k")) == (b"one", None)
    assert list(store.keys("")) == []


def test_a_new_value_has_its_own_end(store, clock):
    """Putting without a time takes the old end away."""
    store.put("k", b"one", ttl_s=10)
    store.put("k", b"two")
    clock.now_s += 1000

    assert store.get("k") == b"two"


def test_numbers_are_added(store):
    """A number begins at 0, may fall below, and is kept in digits."""
    sums = [store.add("n", 5), store.add("n", -7), store.add("n", 2**52)]

    assert sums == [5, -2, 2**52 - 2]
    assert store.get("n") == str(2**52 - 2).encode()


def test_a_sum_that_is_too_large_changes_nothing(store):
    """Beyond what every store counts exactly, nothing is added."""
    store.add("n", MAX_NUMBER)

    with pytest.raises(ValueError, match="a number may be up to"):
        store.add("n", 1)
    assert store.add("n", -1) == MAX_NUMBER - 1


def test_the_first_addition_sets_the_end(store, clock):
    """A window of time does not move with what is counted in it."""
    store.add("n", 1, ttl_s=10)
    clock.now_s += 6
    within = store.add("n", 1, ttl_s=10)
    clock.now_s += 6

    assert (within, store.add("n", 1, ttl_s=10)) == (2, 1)


def test_adding_to_what_is_no_number_changes_nothing(store):
    """Text cannot be added to."""
    store.put("k", b"one")

    with pytest.raises(ValueError, match="is no number"):
        store.add("k", 1)
    assert store.get("k") == b"one"
    store.put("k", b"1")
    assert store.add("k", 1) == 2


def test_keys_are_found_by_their_beginning(store):
    """Only what begins so, in order; signs that mean something to a search mean nothing here."""
    for key in ["b:2", "a:%", "a:_x", "b:1", "a", "a:", "", "a;"]:
        store.put(key, b"")

    assert list(store.keys("a:")) == ["a:", "a:%", "a:_x"]
    assert list(store.keys("b:")) == ["b:1", "b:2"]
    assert list(store.keys("")) == ["", "a", "a:", "a:%", "a:_x", "a;", "b:1", "b:2"]


def test_many_keys_are_all_found(store):
    """However many there are, none is lost or doubled; they may be deleted on the way."""
    names = [f"k{number:04}" for number in range(700)]
    for name in names:
        store.put(name, b"")
    found = []
    for key in store.keys("k"):
        found.append(key)
        store.delete(key)

    assert found == names
    assert list(store.keys("k")) == []


def test_a_full_store_lets_go_of_what_ends_soonest(store):
    """There is always room for what has an end; what has none stays."""
    store.put("for good", b"kept")
    for number in range(60):
        store.put(f"k{number:02}", bytes(65536), ttl_s=100 + number)

    assert store.get("k59") == bytes(65536)
    assert store.get("k00") is None
    assert store.get("for good") == b"kept"


def test_a_full_store_does_not_forget_what_was_claimed(store):
    """Nobody gets a limit anew by filling the store, however soon the claim ends."""
    claims = [Window("w", 3, 3, 60), Total("t", 3, 3, 60), Lease("l", "a", 1, 60)]
    store.take(claims)
    for number in range(60):
        store.put(f"k{number:02}", bytes(65536), ttl_s=100 + number)
    again = [store.take([claim]).refused for claim in claims[:2]]

    assert again == [0, 0]
    assert store.take([Lease("l", "b", 1, 60)]).refused == 0
    assert store.get("k59") == bytes(65536)


def test_a_store_full_of_what_must_stay_says_so(store):
    """Nothing that has no end is dropped to make room."""
    for number in range(10):
        store.put(f"k{number:02}", bytes(65536))

    with pytest.raises(StoreUnavailable):
        store.put("too much", bytes(MAX_BYTES))
    assert store.get("k00") == bytes(65536)


KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
STEPS = st.one_of(
    st.tuples(st.just("put"), KEYS, st.sampled_from([None, 1, 3])),
    st.tuples(st.just("delete"), KEYS, st.none()),
    st.tuples(st.just("wait"), st.just(""), st.integers(1, 3)),
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(STEPS, max_size=12), prefix=KEYS)
def test_a_store_is_a_dict_whose_values_end(store, clock, steps, prefix):
    """Whatever is done in whatever order, a store holds what a plain dict with ends would."""
    for key in list(store.keys("")):
        store.delete(key)
    model = {}
    for number, (verb, key, much) in enumerate(steps):
        value = str(number).encode()
        if verb == "put":
            store.put(key, value, ttl_s=much)
            model[key] = (value, float("inf") if much is None else clock.now_s + much)
        elif verb == "delete":
            store.delete(key)
            model.pop(key, None)
        else:
            clock.now_s += much
    living = {key: value for key, (value, end_s) in model.items() if end_s > clock.now_s}

    assert {key: store.get(key) for key in model} == {key: living.get(key) for key in model}
    assert list(store.keys(prefix)) == sorted(key for key in living if key.startswith(prefix))


def test_what_is_written_together_is_kept_together(store, clock):
    """Puts and deletions, in their order; the last one of a key counts."""
    store.put("old", b"1")
    store.write(
        [
            Put("old", None),
            Put("a", b"1"),
            Put("a", b"2", ttl_s=5),
            Put("b", b""),
            Put("gone", b"3"),
            Put("gone", None),
        ]
    )
    store.write([])
    before = store.items("", limit=9)
    clock.now_s += 5

    assert before == [("a", b"2"), ("b", b"")]
    assert store.items("", limit=9) == [("b", b"")]


def test_of_a_batch_that_does_not_fit_nothing_is_written(store):
    """Neither what is to be kept nor what is to be forgotten."""
    store.put("old", b"1")

    with pytest.raises(StoreUnavailable):
        store.write([Put("old", None), Put("a", b"2"), Put("b", bytes(2 * MAX_BYTES))])
    assert store.items("", limit=9) == [("old", b"1")]


def test_items_come_in_pages(store):
    """Each page goes on strictly behind the key that the last one ended with."""
    for key in ["a:", "a:1", "a:2", "a:3", "a;", "a:\U0010ffff", "b"]:
        store.put(key, key.encode())

    assert store.items("a:", limit=2) == [("a:1", b"a:1"), ("a:2", b"a:2")]
    assert store.items("a:", after="2", limit=1) == [("a:3", b"a:3")]
    assert [key for key, _ in store.items("a:", after="25", limit=9)] == ["a:3", "a:\U0010ffff"]
    assert store.items("a:", after="\U0010ffff", limit=9) == []
    assert [key for key, _ in store.items("", limit=2)] == ["a:", "a:1"]


def test_items_that_have_ended_do_not_fill_a_page(store, clock):
    """A page has as many as were asked for, if there are so many that live."""
    for number in range(40):
        store.put(f"k{number:02}", b"", ttl_s=1 if number % 2 else None)
    clock.now_s += 1

    assert [key for key, _ in store.items("k", limit=3)] == ["k00", "k02", "k04"]


def test_a_window_grants_up_to_its_limit(store):
    """And not one more; what is refused is not counted."""
    claim = Window("w", 2, 5, 60)
    taken = [store.take([claim]) for _ in range(3)]

    assert taken == [Taken(None, (2,)), Taken(None, (4,)), Taken(0, (4,), 60.0)]
    assert store.take([Window("w", 1, 5, 60)]) == Taken(None, (5,))


def test_a_window_grants_again_when_it_said(store, clock):
    """The wait is neither too short nor longer than it must be, as long as nobody else takes."""
    store.take([Window("w", 3, 5, 60)])
    clock.now_s += 20
    store.take([Window("w", 2, 5, 60)])
    clock.now_s += 10
    refused = store.take([Window("w", 4, 5, 60)])
    clock.now_s += refused.wait_s - 0.01
    too_soon = store.take([Window("w", 4, 5, 60)])
    clock.now_s += 0.01

    assert (refused, too_soon.refused) == (Taken(0, (5,), 50.0), 0)
    assert store.take([Window("w", 4, 5, 60)]) == Taken(None, (4,))


def test_a_window_is_settled_without_asking(store, clock):
    """What was used counts in any case; what was not used is given back, if it still counts."""
    store.take([Window("w", 100, 100, 60)])
    more = store.take([Window("w", 50, None, 60)])
    refused = store.take([Window("w", 0, 100, 60)])
    less = store.take([Window("w", -120, None, 60)])
    late = store.take([Window("w", -10, None, 60, age_s=60)])
    none = store.take([Window("w", -1000, 100, 60, age_s=59)])

    assert more == Taken(None, (150,))
    assert refused == Taken(0, (150,), 60.0)
    assert [less, late, none] == [Taken(None, (30,)), Taken(None, (30,)), Taken(None, (0,))]


def test_a_clock_that_was_set_back_keeps_nobody_out_for_longer_than_a_window(store, clock):
    """What seems to lie in the future counts from now on, also if all that asks is refused."""
    claims = [Window("w", 5, 5, 60), Total("t", 5, 5, 60), Lease("l", "one", 1, 60)]
    others = [Window("w", 5, 5, 60), Total("t", 5, 5, 60), Lease("l", "two", 1, 60)]
    for claim in claims:
        store.take([claim])
    clock.now_s -= 86_400
    refused = [store.take([claim]) for claim in others]
    clock.now_s += 30
    again = [store.take([claim]) for claim in others]
    clock.now_s += 30

    assert [60.0, 60.0, 60.0] == [taken.wait_s for taken in refused]
    assert [30.0, 30.0, 30.0] == [taken.wait_s for taken in again]
    assert [None, None, None] == [store.take([claim]).refused for claim in others]


def test_a_total_counts_until_its_end(store, clock):
    """Its end is set by the first taking; it is the same number that `add` and `get` know."""
    first = store.take([Total("t", 6, 10, 100)])
    clock.now_s += 40
    refused = store.take([Total("t", 5, 10, 100)])
    second = store.take([Total("t", 4, 10, 100)])
    clock.now_s += 59
    number = store.get("t"), store.add("t", 1)
    clock.now_s += 1

    assert [first, refused, second] == [Taken(None, (6,)), Taken(0, (6,), 60.0), Taken(None, (10,))]
    assert number == (b"10", 11)
    assert store.take([Total("t", 5, 10, 100)]) == Taken(None, (5,))


def test_a_total_is_settled_without_asking(store):
    """It may go over its limit, never below 0."""
    over = store.take([Total("t", 12, None, 100)])
    asked = store.take([Total("t", 0, 10, 100)])
    below = store.take([Total("t", -20, 10, 100)])

    assert (over, asked.refused, asked.used, below) == (
        Taken(None, (12,)),
        0,
        (12,),
        Taken(None, (0,)),
    )


def test_places_are_held_until_they_are_given_back_or_end(store, clock):
    """The same holder keeps its place; giving back what nobody holds is no mistake."""
    held = [store.take([Lease("l", name, 2, 60)]) for name in ["a b", "ü", "a b"]]
    clock.now_s += 10
    full = store.take([Lease("l", "c", 2, 60)])
    renewed = store.take([Lease("l", "a b", 2, 60)])
    store.give_back("l", "ü")
    store.give_back("l", "ü")
    store.give_back("other", "ü")
    free = store.take([Lease("l", "c", 2, 20)])
    clock.now_s += 20
    ended = store.take([Lease("l", "d", 2, 60)])

    assert held == [Taken(None, (1,)), Taken(None, (2,)), Taken(None, (2,))]
    assert full == Taken(0, (2,), 50.0)
    assert [renewed, free, ended] == [Taken(None, (2,))] * 3
    store.give_back("l", "a b")
    store.give_back("l", "d")
    assert store.get("l") is None


def test_a_lowered_limit_waits_for_so_many_places(store, clock):
    """Whoever holds a place keeps it; a new one comes when enough have ended."""
    for number in range(3):
        store.take([Lease("l", f"h{number}", 3, 10 + number)])
    wanted = store.take([Lease("l", "new", 2, 60)])
    kept = store.take([Lease("l", "h2", 2, 12)])

    assert wanted == Taken(0, (3,), 11.0)
    assert kept == Taken(None, (3,))
    assert store.take([Lease("l", "new", 0, 60)]) == Taken(0, (3,), 60.0)
    assert store.take([Lease("l", "new", None, 60)]) == Taken(None, (4,))


def test_claims_are_granted_all_or_none(store):
    """The one that must be waited for longest is named; nothing of the others is taken."""
    claims = [
        Window("w", 1, 10, 60),
        Window("m", 3, 2, 30),
        Total("t", 11, 10, 86_400),
        Lease("l", "a", 1, 5),
    ]
    refused = store.take(claims)
    granted = store.take([claims[0], claims[3]])

    assert refused == Taken(2, (0, 0, 0, 0), 86_400.0)
    assert granted == Taken(None, (1, 1))
    assert store.take([]) == Taken(None, ())


def test_one_key_is_for_one_claim(store):
    """Two claims on one key, or on something else that is kept there, are a mistake."""
    store.put("k", b"something")
    store.take([Window("w", 1, None, 60)])

    with pytest.raises(ValueError, match="two claims have the same key"):
        store.take([Window("w", 1, 1, 60), Total("w", 1, 1, 60)])
    for claim in [Window("k", 1, 1, 60), Lease("k", "a", 1, 60), Total("k", 1, 1, 60)]:
        with pytest.raises(ValueError, match="is no"):
            store.take([claim])
    with pytest.raises(ValueError, match="is no lease"):
        store.give_back("w", "a")
    assert store.items("", limit=9)[0] == ("k", b"something")
    assert store.take([Window("w", 0, None, 60)]) == Taken(None, (1,))


EIGHTHS = st.integers(0, 60 * 8).map(lambda eighths: eighths / 8)
TAKINGS = st.lists(st.tuples(EIGHTHS, st.integers(0, 6), st.booleans()), min_size=1, max_size=60)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(takings=TAKINGS, limit=st.integers(1, 12), calm=st.sampled_from([1, 10, 60]))
def test_no_stretch_of_time_holds_more_than_the_limit(store, clock, takings, limit, calm):
    """Against a plain list of what was taken when, whoever gives back whatever he took."""
    store.delete("w")
    window_s = 20.0
    clock.now_s += 100
    log = []
    for pause_s, amount, gives_back in takings:
        clock.now_s += pause_s / calm
        claim = Window("w", amount, limit, window_s)
        taken = store.take([claim])
        within = sum(much for time_s, much in log if time_s > clock.now_s - window_s)
        assert taken.used[0] >= within
        if taken.refused is None:
            log.append((clock.now_s, amount))
        else:
            assert within + amount > limit or taken.wait_s <= window_s / 20
            assert 0 <= taken.wait_s <= window_s
        if gives_back and log:
            time_s, much = log[0]
            age_s = clock.now_s - time_s
            store.take([Window("w", -(much // 2), None, window_s, age_s=age_s)])
            log[0] = (time_s, much - much // 2)
    for start_s, _ in log:
        in_stretch = sum(much for time_s, much in log if 0 <= time_s - start_s < window_s)
        assert in_stretch <= limit
