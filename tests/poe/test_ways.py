"""Which key asks, and what is learnt from how the bot answers."""

from __future__ import annotations

import gevent
import pytest

from poeflask.core.caller import Caller
from poeflask.core.errors import ClientError, ErrorKind, OwnError, PoeError
from poeflask.poe.breaker import Breakers, Sensitivity
from poeflask.poe.keys import PoeKey, PoeKeys, fingerprint
from poeflask.poe.noticeboard import Noticeboard
from poeflask.poe.pacing import Pacer
from poeflask.poe.ways import Ways
from poeflask.stores.memory import MemoryStore
from poeflask.stores.namespace import Namespace

NOBODY = Caller(owner="somebody")
BRINGS = Caller(owner="somebody", poe_key="own")
DOWN = PoeError(ErrorKind.POE_UNAVAILABLE, "Down.")


def ways(*keys: str, per_minute: int = 0) -> Ways:
    """Ways with these keys in the pool; two failures open a circuit."""
    store = MemoryStore()
    board = Noticeboard(Namespace(store, "upstream", on_failure="forget"))
    pace = Namespace(store, "pace", on_failure="forget")
    return Ways(
        keys=PoeKeys([PoeKey(key, key) for key in keys], board, lambda key: {}),
        breakers=Breakers(board, Sensitivity(failures=2)),
        pacer=Pacer(pace, per_minute=per_minute, workers=1, max_waiting=0),
    )


def down(made: Ways, caller: Caller, times: int = 2) -> set[str]:
    """Let the bot fail so often; gives the keys that it failed with."""
    used = set()
    for _ in range(times):
        way = made.open("Bot", caller, ())
        way.failed(DOWN)
        way.close()
        used.add(way.key)
    return used


def test_a_callers_own_key_pays_before_the_pool() -> None:
    """The pool is for those who bring none."""
    made = ways("pool")

    assert ["own", "pool"] == [made.open("Bot", who, ()).key for who in (BRINGS, NOBODY)]


def test_without_any_part_the_callers_key_is_taken() -> None:
    """Nothing is learnt, nothing waits, nothing is refused."""
    way = Ways().open("Bot", BRINGS, ())
    way.wait_turn()
    way.answers()

    assert ("own", False) == (way.key, way.failed(DOWN))
    way.close()


def test_a_callers_own_key_is_never_replaced() -> None:
    """Whatever is wrong with it, nobody else pays."""
    way = ways("pool").open("Bot", BRINGS, ())

    assert not way.failed(PoeError(ErrorKind.NO_POINTS, "No points."))


def test_a_fault_of_a_pools_key_lets_another_try() -> None:
    """Until there is none, which is said in the pool's words."""
    made = ways("a", "b")
    tried = set()
    for _ in range(2):
        way = made.open("Bot", NOBODY, tried)
        assert way.failed(PoeError(ErrorKind.RATE_LIMITED, "Too fast.", retry_after_s=9))
        tried.add(way.fingerprint)
        way.close()
    with pytest.raises(PoeError) as caught:
        made.open("Bot", NOBODY, ())

    assert {fingerprint("a"), fingerprint("b")} == tried
    assert ErrorKind.RATE_LIMITED == caught.value.kind


def test_a_bot_that_fails_is_left_alone_for_each_key() -> None:
    """The pool's other key may still try; then nobody, and it is said for how long."""
    made = ways("a", "b")
    assert {"a", "b"} == down(made, NOBODY, 4)
    with pytest.raises(PoeError) as caught:
        made.open("Bot", NOBODY, ())

    assert ErrorKind.POE_UNAVAILABLE == caught.value.kind
    assert 25 < (caught.value.retry_after_s or 0) <= 30
    assert "own" == made.open("Bot", BRINGS, ()).key
    assert made.open("Other", NOBODY, ()).key in {"a", "b"}


def test_a_callers_key_has_circuits_too() -> None:
    """As any key."""
    made = ways()
    down(made, BRINGS)

    with pytest.raises(PoeError):
        made.open("Bot", BRINGS, ())


@pytest.mark.parametrize(
    "error",
    [
        PoeError(ErrorKind.BAD_KEY, "No."),
        PoeError(ErrorKind.BOT_REJECTED, "No."),
        PoeError(ErrorKind.POE_FAILED, "Never.", allow_retry=False),
        OwnError(ErrorKind.BUSY, "No."),
        ClientError(ErrorKind.TOO_MANY_REQUESTS, "No."),
    ],
)
def test_what_is_not_the_bots_failure_opens_nothing(error: PoeError) -> None:
    """A key's fault, a wrong request, and what Poe will not hear again."""
    made = ways()
    for _ in range(5):
        way = made.open("Bot", BRINGS, ())
        way.failed(error)
        way.close()

    assert "own" == made.open("Bot", BRINGS, ()).key


@pytest.mark.parametrize(
    "error",
    [
        PoeError(ErrorKind.RATE_LIMITED, "No."),
        OwnError(ErrorKind.BUSY, "No."),
        ClientError(ErrorKind.INVALID_REQUEST, "No."),
    ],
)
def test_what_never_reached_the_bot_closes_nothing_either(error: PoeError) -> None:
    """The count of failures goes on behind it."""
    made = ways()
    for failure in (DOWN, error, DOWN):
        way = made.open("Bot", BRINGS, ())
        way.failed(failure)
        way.close()

    with pytest.raises(PoeError):
        made.open("Bot", BRINGS, ())


def test_an_answer_closes_the_circuit() -> None:
    """The count of failures begins anew."""
    made = ways()
    for _ in range(3):
        down(made, BRINGS, 1)
        way = made.open("Bot", BRINGS, ())
        way.answers()
        way.close()

    assert "own" == made.open("Bot", BRINGS, ()).key


def test_a_closed_way_gives_its_key_back() -> None:
    """Once, however often it is closed."""
    made = ways("a")
    way = made.open("Bot", NOBODY, ())
    assert made.keys is not None
    before = made.keys.status()[0].in_flight
    way.close()
    way.close()

    assert (1, 0) == (before, made.keys.status()[0].in_flight)


def test_queries_keep_the_pace() -> None:
    """Of each key by itself."""
    made = ways(per_minute=2)
    way = made.open("Bot", BRINGS, ())
    way.wait_turn()
    way.wait_turn()
    with pytest.raises(ClientError):
        way.wait_turn()

    made.open("Bot", Caller(owner="another", poe_key="other"), ()).wait_turn()


def test_who_is_killed_before_it_may_ask_gives_the_key_back() -> None:
    """Else the key would seem to have an answer more to read, for ever."""

    class Distant(MemoryStore):
        looks = 0

        def items(self, prefix: str, *, after: str = "", limit: int) -> list[tuple[str, bytes]]:
            self.looks += 1
            gevent.sleep(60 if self.looks == 2 else 0)
            return super().items(prefix, after=after, limit=limit)

    store = Distant()
    board = Noticeboard(Namespace(store, "upstream", on_failure="forget"), look_s=0.0)
    keys = PoeKeys([PoeKey("key", "key")], board, lambda key: {})
    made = Ways(keys=keys, breakers=Breakers(board))
    opening = gevent.spawn(made.open, "Bot", NOBODY, ())
    with gevent.Timeout(10):
        while store.looks < 2:
            gevent.sleep(0.001)
    assert 1 == keys.status()[0].in_flight
    opening.kill()

    assert 0 == keys.status()[0].in_flight
