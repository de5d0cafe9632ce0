"""Who may come in with which key."""

import pytest

from poeflask.core.caller import Caller
from poeflask.core.errors import ClientError, ErrorKind
from poeflask.stores.gateway_keys import GatewayKeys
from poeflask.stores.memory import MemoryStore
from poeflask.stores.server_secret import SecretInStore
from poeflask.web.doorkeeper import Doorkeeper, owner_of, owner_of_gateway_key
from poeflask.web.throttle import Throttle

HOME = "1.2.3.4"
UNKNOWN = "pf-" + "0" * 12 + "-" + "0" * 48


@pytest.fixture
def keys():
    """The keys that were given out."""
    store = MemoryStore()
    return GatewayKeys(store, SecretInStore(store), clock=lambda: 100.0)


def at_the_door(keys, mode="both", now_s=100.0, **throttle):
    """A doorkeeper at that time."""
    return Doorkeeper(keys, mode, clock=lambda: now_s, throttle=Throttle(**throttle))


def refused(door, key, address=HOME):
    """How the key was refused: its kind, its code, and what the sentence says."""
    with pytest.raises(ClientError) as caught:
        door.caller(key, address)
    assert "0" * 12 not in caught.value.message
    return caught.value.kind, caught.value.code, caught.value.message


@pytest.mark.parametrize("mode", ["passthrough", "both"])
def test_a_key_of_poe_s_pays_for_itself(keys, mode):
    """Its owner is known by the key alone."""
    assert Caller(owner=owner_of("p-key"), poe_key="p-key") == at_the_door(keys, mode).caller(
        "p-key", HOME
    )


@pytest.mark.parametrize("mode", ["keys", "both"])
def test_a_gateway_key_is_paid_for(keys, mode):
    """All that is known of it comes with the caller; no key of Poe's does."""
    key, text = keys.issue({"name": "Anna"})
    caller = at_the_door(keys, mode).caller(text, HOME)

    assert ("", key.id, "Anna", key) == (
        caller.poe_key,
        caller.key_id,
        caller.key_name,
        caller.key,
    )
    assert text not in repr(caller)


def test_what_belongs_to_a_key_stays_when_it_is_rotated(keys):
    """And is no other key's, whatever that looks like."""
    key, text = keys.issue({"name": "Anna"})
    door = at_the_door(keys)
    owner = door.caller(text, HOME).owner
    _, new_text = keys.rotate(key.id)

    assert owner == door.caller(new_text, HOME).owner == owner_of_gateway_key(key.id)
    assert owner not in {owner_of(text) for text in (key.id, f"pf-{key.id}", new_text)}


def test_the_mode_says_which_keys_are_taken(keys):
    """A key of the other kind is refused; none is passed on to Poe by mistake."""
    _, text = keys.issue({"name": "Anna"})
    poe = refused(at_the_door(keys, "keys"), "p-key")
    own = refused(at_the_door(keys, "passthrough"), text)

    assert (ErrorKind.UNAUTHENTICATED, ErrorKind.UNAUTHENTICATED) == (poe[0], own[0])
    assert "Poe's own keys are not taken here" in poe[2]
    assert "switched off" in own[2]


def test_each_reason_has_its_sentence(keys):
    """Unknown and expired keys are no keys; one that is switched off is known and refused."""
    key, text = keys.issue({"name": "Anna", "expires_s": 100.0})
    _, off = keys.issue({"name": "Bert", "disabled": True})
    door = at_the_door(keys)

    assert (ErrorKind.UNAUTHENTICATED, None, "There is no such key, or it was revoked.") == refused(
        door, UNKNOWN
    )
    assert (
        ErrorKind.UNAUTHENTICATED,
        "api_key_expired",
        "The key 'Anna' has expired.",
    ) == refused(door, text)
    assert (ErrorKind.FORBIDDEN, "api_key_disabled") == refused(door, off)[:2]
    assert key == at_the_door(keys, now_s=99.9).caller(text, HOME).key


def test_whoever_guesses_waits_and_keeps_out_nobody_who_is_known(keys):
    """Others behind the same address go on; a new key of theirs must wait."""
    _, known = keys.issue({"name": "Anna"})
    _, new = keys.issue({"name": "Bert"})
    door = at_the_door(keys, most=3, window_s=60)
    door.caller(known, HOME)
    for _ in range(3):
        refused(door, UNKNOWN)
    throttled = [refused(door, key)[0] for key in (UNKNOWN, new, "pf-")]

    assert [ErrorKind.TOO_MANY_REQUESTS] * 3 == throttled
    assert "Anna" == door.caller(known, HOME).key_name
    assert "Bert" == door.caller(new, "1.2.3.5").key_name


def test_an_owner_is_known_by_the_key_and_the_key_not_by_the_owner():
    """One key, one owner; nothing of the key can be read in the name."""
    owner = owner_of("canary-1")

    assert owner == owner_of("canary-1") != owner_of("canary-2")
    assert owner.isalnum()
    assert "canary" not in owner
