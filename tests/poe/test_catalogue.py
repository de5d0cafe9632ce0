"""Tests of Poe's list of bots: what its entries mean, and when it is fetched."""

import gevent
import pytest
from gevent.event import Event

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.profile import Parameter, Profile
from poeflask.poe import catalogue
from poeflask.poe.catalogue import BACK_OFF_S, STORE_KEY, Bot, Catalogue, read_bots
from poeflask.stores.memory import MemoryStore
from poeflask.stores.namespace import Namespace

ENTRY = {
    "id": "gpt-x",
    "object": "model",
    "created": 1_760_000_000_123,
    "description": "Thinks.",
    "owned_by": "OpenAI",
    "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
    "supported_features": ["web_search", "tools"],
    "pricing": {"prompt": "0.0000022", "request": None},
    "context_window": {"context_length": 1000, "max_output_tokens": 200},
    "context_length": 900,
    "metadata": {"display_name": "GPT-X"},
    "reasoning": {"budget": None, "required": False, "supports_reasoning_effort": True},
    "parameters": [
        {
            "name": "effort",
            "schema": {"enum": ["low", "high"]},
            "default_value": "low",
            "description": "How much.",
        }
    ],
}
AWAY = PoeError(ErrorKind.POE_UNREACHABLE, "Poe is away")


def shared():
    """A corner of a store that all catalogues of a test share."""
    return Namespace(MemoryStore(), "catalogue", on_failure="forget")


class Poe:
    """Gives its entries, or fails; counts how often it was asked."""

    def __init__(self, *ids):
        self.entries = [{"id": name} for name in ids]
        self.error = None
        self.asked = 0
        self.open = Event()
        self.open.set()

    def __call__(self):
        """The entries."""
        self.asked += 1
        self.open.wait()
        if self.error:
            raise self.error
        return self.entries


class Clock:
    """Stands still until it is set."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        """The time."""
        return self.now


@pytest.fixture
def clock():
    """A clock in our hands."""
    return Clock()


def make(poe, clock, store=None):
    """A catalogue that keeps its list for a minute."""
    store = shared() if store is None else store
    return Catalogue(poe, store, ttl_s=60, clock=clock)


def ids(bots):
    """Their ids."""
    return [bot.id for bot in bots]


# Entries


def test_an_entry_is_read_whole():
    """Times are in milliseconds there, the handle is the shown name."""
    (got,) = read_bots([ENTRY])

    parameter = Parameter(
        name="effort",
        schema={"enum": ["low", "high"]},
        default="low",
        description="How much.",
    )
    assert got == Bot(
        id="gpt-x",
        handle="GPT-X",
        created_s=1_760_000_000,
        owned_by="OpenAI",
        description="Thinks.",
        input_modalities=("text", "image"),
        output_modalities=("text",),
        context_tokens=1000,
        max_output_tokens=200,
        features=("web_search", "tools"),
        parameters=(parameter,),
        pricing={"prompt": "0.0000022", "request": None},
        reasoning={"budget": None, "required": False, "supports_reasoning_effort": True},
        entry=ENTRY,
    )
    assert got.profile == Profile(
        bot="GPT-X",
        native_tools=True,
        parameters={"effort": parameter},
        input_modalities=("text", "image"),
        output_modalities=("text",),
        context_tokens=1000,
        max_output_tokens=200,
    )


def test_an_entry_may_say_nothing():
    """All but the id may be missing, null or of a wrong type."""
    for value in (None, 5, "x", [], {}):
        entry = dict.fromkeys(ENTRY, value) | {"id": "Name"}
        (got,) = read_bots([entry])

        assert (got.id, got.handle, got.input_modalities) == ("name", "Name", ("text",))
        assert Profile(bot="Name", context_tokens=got.context_tokens) == got.profile


def test_entries_without_a_name_are_left_out():
    """The rest stays in its order, each bot once."""
    got = read_bots([None, {}, {"id": ""}, {"id": 5}, {"id": "b"}, {"id": "A"}, {"id": "a"}])

    assert ids(got) == ["b", "a"]


def test_times_in_seconds_are_understood_too():
    """As the API that Poe copies counts them."""
    assert read_bots([{"id": "a", "created": 1_760_000_000}])[0].created_s == 1_760_000_000


def test_a_bot_does_not_show_all_that_was_said_of_it():
    """Its repr is for a log line."""
    assert "entry" not in repr(read_bots([ENTRY])[0])


# When the list is fetched


def test_the_list_is_fetched_once_a_lifetime(clock):
    """Within it, nobody asks Poe again."""
    poe = Poe("a", "b")
    bots = make(poe, clock)
    clock.now += 59

    assert ["a", "b"] == ids(bots.bots()) == ids(bots.bots())
    assert bots.find("A").id == "a"
    assert poe.asked == 1


def test_an_old_list_is_served_while_a_new_one_comes(clock):
    """Nobody waits for it, and only one asks."""
    poe = Poe("old")
    bots = make(poe, clock)
    bots.bots()
    clock.now += 61
    poe.entries = [{"id": "new"}]
    poe.open.clear()

    assert [ids(bots.bots()) for _ in range(3)] == [["old"]] * 3
    gevent.sleep(0)
    poe.open.set()
    gevent.sleep(0)
    gevent.sleep(0)
    assert ids(bots.bots()) == ["new"]
    assert poe.asked == 2


def test_many_that_wait_for_the_first_list_ask_once(clock):
    """All get the same list."""
    poe = Poe("a")
    poe.open.clear()
    bots = make(poe, clock)
    readers = [gevent.spawn(bots.bots) for _ in range(5)]
    gevent.sleep(0)
    poe.open.set()
    gevent.joinall(readers, timeout=2)

    assert [ids(reader.value) for reader in readers] == [["a"]] * 5
    assert poe.asked == 1


def test_an_old_list_is_served_while_poe_is_away(clock):
    """A failed fetch is not tried again for a while."""
    poe = Poe("a")
    bots = make(poe, clock)
    bots.bots()
    poe.error = AWAY
    clock.now += 61
    for _ in range(3):
        assert ids(bots.bots()) == ["a"]
        gevent.sleep(0)
    assert poe.asked == 2

    clock.now += BACK_OFF_S
    bots.bots()
    gevent.sleep(0)
    assert poe.asked == 3


def test_without_any_list_poes_error_is_raised(clock):
    """And not asked for again until it may have changed."""
    poe = Poe()
    poe.error = AWAY
    bots = make(poe, clock)
    for _ in range(2):
        with pytest.raises(PoeError) as raised:
            bots.bots()
        assert raised.value == AWAY
    assert poe.asked == 1

    poe.error, poe.entries = None, [{"id": "a"}]
    clock.now += BACK_OFF_S
    assert ids(bots.bots()) == ["a"]


def test_a_list_of_no_bots_is_a_fault(clock):
    """It replaces nothing."""
    poe = Poe("a")
    bots = make(poe, clock)
    bots.bots()
    poe.entries = [{"no": "name"}]
    clock.now += 61
    bots.bots()
    gevent.sleep(0)

    assert ids(bots.bots()) == ["a"]


# What is shared


def test_the_list_is_shared(clock):
    """Another process, or the next start, does not ask Poe."""
    store, poe = shared(), Poe("b", "a")
    make(poe, clock, store).bots()
    got = make(poe, clock, store)

    assert ids(got.bots()) == ["b", "a"]
    assert poe.asked == 1


def test_a_shared_list_is_taken_when_ours_is_old(clock):
    """One of many processes asks Poe, the others take what it got."""
    store, mine, other = shared(), Poe("old"), Poe("new")
    bots = make(mine, clock, store)
    bots.bots()
    clock.now += 61
    store.delete(STORE_KEY)
    make(other, clock, store).bots()
    bots.bots()
    gevent.sleep(0)

    assert ids(bots.bots()) == ["new"]
    assert (mine.asked, other.asked) == (1, 1)


def test_a_shared_list_outlives_its_lifetime(clock):
    """A restart while Poe is away still knows the bots."""
    store, poe = shared(), Poe("a")
    make(poe, clock, store).bots()
    poe.error = AWAY
    clock.now += 10_000

    assert ids(make(poe, clock, store).bots()) == ["a"]


def test_a_shared_list_from_the_future_is_old(clock):
    """A clock that was wrong once does no lasting harm."""
    store = shared()
    store.put(STORE_KEY, {"fetched_s": 9e9, "data": [{"id": "a"}]})
    poe = Poe("b")
    bots = make(poe, clock, store)

    assert ids(bots.bots()) == ["a"]
    gevent.sleep(0)
    assert ids(bots.bots()) == ["b"]


@pytest.mark.parametrize(
    "kept",
    ["", 5, [], {}, {"fetched_s": "x", "data": []}, {"fetched_s": 1, "data": 1},
     {"fetched_s": 1000, "data": []}],
)  # fmt: skip
def test_a_shared_list_that_cannot_be_read_is_none(clock, kept):
    """Another version may have kept it."""
    store = shared()
    store.put(STORE_KEY, kept)

    assert ids(make(Poe("a"), clock, store).bots()) == ["a"]


# Its state


def test_a_list_is_fresh_for_its_lifetime_and_then_stale(clock):
    """And asking for its state is what brings the first one, or the next one."""
    poe = Poe("a")
    bots = make(poe, clock)
    states = [bots.state()]
    clock.now += 61
    states.append(bots.state())
    gevent.sleep(0)
    states.append(bots.state())

    assert states == ["fresh", "stale", "fresh"]
    assert poe.asked == 2


def test_without_any_list_the_state_says_so(clock, monkeypatch):
    """It waits no longer than a chat would, and raises nothing."""
    monkeypatch.setattr(catalogue, "PATIENCE_S", 0.01)
    silent, away = Poe("a"), Poe()
    silent.open.clear()
    away.error = AWAY

    assert [make(poe, clock).state() for poe in (silent, away)] == ["missing", "missing"]


def test_a_shared_list_has_a_state_without_poe(clock):
    """Another process has just fetched it."""
    store, poe = shared(), Poe("a")
    make(poe, clock, store).bots()

    assert make(poe, clock, store).state() == "fresh"
    assert poe.asked == 1


# Finding


def test_names_are_found_in_any_case(clock):
    """By id and by handle."""
    poe = Poe()
    poe.entries = [{"id": "a-b", "metadata": {"display_name": "A.B"}}]
    bots = make(poe, clock)

    assert [bots.find(name).id for name in ("a-b", "A-B", "a.B")] == ["a-b"] * 3
    assert bots.find("c") is None


def test_an_unknown_bot_has_the_profile_of_any(clock):
    """Private bots are in no list."""
    bots = make(Poe("a"), clock)

    assert Profile(bot="My-Bot") == bots.profile("My-Bot")
    assert bots.profile("A").bot == "a"


def test_a_chat_goes_on_without_the_list(clock, monkeypatch):
    """Neither Poe's failure nor its silence stops one."""
    monkeypatch.setattr(catalogue, "PATIENCE_S", 0.01)
    silent, away = Poe("a"), Poe()
    silent.open.clear()
    away.error = AWAY

    for poe in (silent, away):
        bots = make(poe, clock)
        assert bots.find("a") is None
        assert Profile(bot="a") == bots.profile("a")
        assert poe.asked == 1
