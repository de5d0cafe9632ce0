"""What every store promises, held against each of them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from poeflask.stores.base import StoreUnavailable
from poeflask.stores.memory import MemoryStore
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


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path, clock):
    """Each store, empty."""
    if request.param == "memory":
        made = MemoryStore(max_bytes=MAX_BYTES, clock=clock)
    else:
        made = SqliteStore(tmp_path / "state" / "store.db", max_bytes=MAX_BYTES, clock=clock)
    yield made
    made.close()


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
    sums = [store.add("n", 5), store.add("n", -7), store.add("n", 2**80)]

    assert sums == [5, -2, 2**80 - 2]
    assert store.get("n") == str(2**80 - 2).encode()


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

    with pytest.raises(ValueError, match="invalid literal"):
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
