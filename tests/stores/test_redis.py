"""The store in a Redis: its failures are told, pass by themselves, and hold no password."""

import inspect
import subprocess
import sys
import time

import gevent
import pytest
import redis as library
import structlog

from poeflask.core.errors import OwnError
from poeflask.stores.base import Lease, StoreUnavailable, Total, Window
from poeflask.stores.namespace import Namespace
from poeflask.stores.redis import RedisContents, RedisStore

TAKE_MANY = """
import sys
from poeflask.stores.base import Lease, Total, Window
from poeflask.stores.redis import RedisStore
store = RedisStore(sys.argv[1])
name = sys.argv[2]
claims = [Window("w", 1, 100, 600), Total("t", 1, 150, 600), Lease("l", name, 5, 600)]
print(sum(store.take(claims).refused is None for _ in range(50)))
"""


@pytest.fixture
def store(empty_redis):
    """A store on the server's own clock."""
    made = RedisStore(empty_redis.url)
    yield made
    made.close()


def refusal(act):
    """The words of the StoreUnavailable that this raises."""
    with pytest.raises(StoreUnavailable) as caught:
        act()
    return str(caught.value)


def test_the_servers_clock_counts(store):
    """What ends does so in real time."""
    store.put("k", b"v", ttl_s=0.05)
    held = store.take([Lease("l", "a", 1, 0.05)]).refused
    before = store.get("k")
    time.sleep(0.06)

    assert (held, before) == (None, b"v")
    assert store.get("k") is None
    assert store.take([Lease("l", "b", 1, 60)]).refused is None


def test_processes_that_take_at_once_take_no_more_than_there_is(empty_redis, store):
    """Four processes want twice the limit, and it is granted to the last."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", TAKE_MANY, empty_redis.url, f"h{number}"],
            stdout=subprocess.PIPE,
        )
        for number in range(4)
    ]
    granted = [int(worker.communicate()[0]) for worker in workers]
    claims = [Window("w", 0, None, 600), Total("t", 0, None, 600)]

    assert sum(granted) == 100
    assert store.take(claims).used == (100, 100)


def test_many_greenlets_share_few_connections(empty_redis):
    """They wait for each other, and nobody is given another's answer."""
    store = RedisStore(empty_redis.url, connections=3)
    for number in range(60):
        store.put(f"k{number}", str(number).encode())
    asking = [gevent.spawn(store.get, f"k{number}") for number in range(60)]
    answers = [greenlet.get(timeout=10) for greenlet in asking]
    with empty_redis.client() as client:
        connections = len(client.client_list()) - 1
    store.close()

    assert answers == [str(number).encode() for number in range(60)]
    assert 1 <= connections <= 3


def test_a_greenlet_that_is_ended_leaves_no_answer_behind(empty_redis):
    """The next one on the same connection reads its own."""
    store = RedisStore(empty_redis.url, connections=1)
    store.put("a", b"a" * 2**22)
    store.put("b", b"b")
    ended = gevent.spawn(store.get, "a")
    gevent.sleep(0)
    ended.kill()

    assert store.get("b") == b"b"
    store.close()


def test_names_begin_with_the_prefix(empty_redis, store):
    """So that one server may serve several programs, and several poeflasks."""
    other = RedisStore(empty_redis.url, prefix="other:")
    store.put("k", b"1")
    store.put("end", b"1", ttl_s=60)
    with empty_redis.client() as client:
        names = client.keys()

    assert sorted(names) == [
        *(b"poeflask:at:end", b"poeflask:at:k", b"poeflask:ends", b"poeflask:index")
    ]
    assert other.get("k") is None
    other.close()


def test_what_has_ended_leaves_nothing_behind(empty_redis):
    """Each write clears away more than it brings."""
    now_s = [1_800_000_000.0]
    store = RedisStore(empty_redis.url, clock=lambda: now_s[0])
    for number in range(100):
        store.put(f"k{number}", b"", ttl_s=5)
    now_s[0] += 6
    for _ in range(10):
        store.put("k", b"")
    with empty_redis.client() as client:
        left = client.dbsize(), client.zcard("poeflask:index"), client.zcard("poeflask:ends")
    store.close()

    assert left == (2, 1, 0)


def test_what_the_server_let_go_of_is_gone(empty_redis, store):
    """A key without its value is met nowhere, and is then forgotten."""
    store.put("a", b"1", ttl_s=60)
    store.put("b", b"2")
    with empty_redis.client() as client:
        client.delete("poeflask:at:a", "poeflask:at:b")
        found = store.get("a"), store.items("", limit=5), list(store.keys(""))
        index = client.zcard("poeflask:index")

    assert found == (None, [], [])
    assert index == 0


def test_it_recovers_when_the_server_comes_back(own_redis):
    """While it is away nobody waits; half a second after its return all is well."""
    store = RedisStore(own_redis.url)
    forgetting = Namespace(store, "uploads", on_failure="forget")
    refusing = Namespace(store, "keys", on_failure="refuse")
    forgetting.put("k", 1)
    own_redis.kill()
    started_s = time.monotonic()
    with structlog.testing.capture_logs() as lines:
        for _ in range(20):
            assert forgetting.get("k") is None
            with pytest.raises(OwnError):
                refusing.get("k")
    away_s = time.monotonic() - started_s
    own_redis.start()
    back_s = time.monotonic()
    while True:
        try:
            refusing.put("k", 2)
            break
        except OwnError:
            gevent.sleep(0.02)
    recovered_s = time.monotonic() - back_s
    store.close()

    assert away_s < 0.5
    assert recovered_s < 1.0
    assert {line["event"] for line in lines} == {"store_unreachable"}
    assert "cr#et" not in str(lines)


def test_a_server_that_hangs_is_given_up(own_redis):
    """One waits, the others are told at once."""
    store = RedisStore(own_redis.url, timeout_s=0.2)
    store.put("k", b"1")
    own_redis.pause()
    started_s = time.monotonic()
    words = [refusal(lambda: store.get("k")) for _ in range(10)]
    took_s = time.monotonic() - started_s
    own_redis.resume()
    gevent.sleep(0.5)

    assert "did not answer a moment ago" in words[-1]
    # If each of them waited, it were two seconds.
    assert took_s < 1.5
    assert store.get("k") == b"1"
    store.close()


def test_no_message_holds_the_password(empty_redis, tmp_path):
    """Whether it is wrong, missing, or the server is elsewhere."""
    wrong = RedisStore(f"unix://:hunter2@{empty_redis.socket}")
    missing = RedisStore(f"unix://{empty_redis.socket}")
    away = RedisStore(f"unix://:hunter2@{tmp_path}/nowhere")
    words = [refusal(lambda store=store: store.get("k")) for store in (wrong, missing, away)]

    assert "invalid username-password pair" in words[0]
    assert "Authentication required" in words[1]
    assert str(tmp_path) in words[2]
    assert "hunter2" not in " ".join(words) + repr(wrong) + repr(vars(wrong))


def test_a_failure_says_what_would_help(own_redis):
    """A wrong password, a copy that takes no writes, and a server that is not there."""
    wrong = RedisStore(f"unix://:wrong@{own_redis.socket}")
    store = RedisStore(own_redis.url)
    with own_redis.client() as client:
        client.replicaof("127.0.0.1", 1)
    words = [refusal(lambda: wrong.get("k")), refusal(lambda: store.put("k", b""))]
    own_redis.kill()
    words.append(refusal(lambda: store.get("k")))
    store.close()

    assert words[0].endswith("with the password of a user who may do everything there.")
    assert words[1].endswith("to the server that this one copies.")
    assert words[2].endswith(
        "Start it, or set POEFLASK_STORE_URL to where it is, with its password."
    )


@pytest.mark.parametrize(
    "url", ["redis://:hun/ter2@host", "redis://host?hunter=2", "redis://h?socket_timeout=hunter"]
)
def test_a_url_that_cannot_be_used_is_not_quoted(url):
    """Before anything is opened."""
    with pytest.raises(ValueError, match=r"cannot be (used|read)") as caught:
        RedisStore(url)
    assert "hun" not in str(caught.value).replace("hunter=2", "")


def exceptions_of_the_library():
    """Every class of exception that the library has, but for those of its cluster client."""
    of_clusters = {"RedisClusterException", "SlotNotCoveredError", "CrossSlotTransactionError"}
    of_clusters |= {"InvalidPipelineStack", "IncorrectPolicyType"}
    classes = vars(library.exceptions).values()
    return [
        it
        for it in classes
        if inspect.isclass(it) and issubclass(it, Exception) and it.__name__ not in of_clusters
    ]


@pytest.mark.parametrize("kind", exceptions_of_the_library())
def test_every_failure_is_an_unreachable_store(empty_redis, kind):
    """Whatever the library raises is told as the store's own failure."""
    words = ["12 host:1"] if issubclass(kind, library.exceptions.AskError) else ["some words"]
    store = RedisStore(empty_redis.url)

    with pytest.raises(StoreUnavailable), store._server.reached():
        raise kind(*words)


def test_contents_are_kept_in_chunks(empty_redis):
    """Large ones come back whole; one that lost a piece is none; what is deleted is gone."""
    content = bytes(range(256)) * 5000
    contents = RedisContents(empty_redis.url, max_bytes=10**7)
    for name in "abc":
        contents.put(name, content, time.time() + 60)
    contents.put("empty", b"", time.time() + 60)
    with empty_redis.client() as client:
        client.delete("poeflask:file:b:1")
        contents.delete("c")
        names = set(client.keys())

    assert (content, None, None, b"") == tuple(map(contents.get, ["a", "b", "c", "empty"]))
    assert not [name for name in names if name.startswith(b"poeflask:file:c:")]


def test_a_content_that_does_not_fit_leaves_nothing(empty_redis):
    """A server without room tells it, and keeps no half of a file."""
    contents = RedisContents(empty_redis.url, max_bytes=10**8)
    contents.put("a", b"x", time.time() + 60)
    with empty_redis.client() as client:
        used = client.info("memory")["used_memory"]
        client.config_set("maxmemory", used + 3 * 2**20)
        words = refusal(lambda: contents.put("b", bytes(20 * 2**20), time.time() + 60))
        left = client.keys("poeflask:file:*")

    assert "maxmemory" in words
    assert left == [b"poeflask:file:a:0"]
    assert contents.get("b") is None
