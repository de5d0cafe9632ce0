"""What is known of a key that the owner gives out."""

import json

import pytest

from poeflask.core.gateway_key import LIMITS, MOST, GatewayKey, KeyFaultError, KeyLimits

KEY = GatewayKey(id="0a1b2c3d4e5f", name="Anna", created_s=5.0)

ALIASES = {"fast": "Claude-Haiku-4.5", "claude-haiku-4-5": "Claude-Haiku-4.5"}
GROUPS = {"cheap": ["fast", "GPT-5-Mini"]}


def allows(models, bot):
    """Whether a key of these models may ask the bot."""
    key = KEY.changed({"models": models})
    return key.allows(
        bot,
        meaning=lambda name: ALIASES.get(name, name),
        members=lambda group: GROUPS.get(group, ()),
    )


def test_a_key_is_the_same_after_json():
    """Whatever is said of it."""
    said = {"models": ["A", "@b"], "expires_s": 9.5, "disabled": True, "recorded": False}
    key = KEY.changed({**said, **dict.fromkeys(LIMITS, 7)})

    assert key == GatewayKey.of_record(json.loads(json.dumps(key.record())))
    assert KEY == GatewayKey.of_record(json.loads(json.dumps(KEY.record())))


def test_what_is_not_said_stays():
    """None takes a limit away, and only that one."""
    key = KEY.changed({"requests_per_minute": 5, "concurrent": 2}).changed({"concurrent": None})

    assert KeyLimits(requests_per_minute=5) == key.limits
    assert KEY.changed({}) == KEY


@pytest.mark.parametrize(
    ("models", "bot", "allowed"),
    [
        ([], "Anything", True),
        (["Claude-Opus-4.5"], "claude-opus-4.5", True),
        (["claude-opus-4.5"], "Claude-Opus-4.5", True),
        (["Claude-Opus-4.5"], "Claude-Opus-4.6", False),
        (["fast"], "Claude-Haiku-4.5", True),
        (["claude-haiku-4-5"], "Claude-Haiku-4.5", True),
        (["Claude-*"], "Claude-Haiku-4.5", True),
        (["claude-*"], "GPT-5", False),
        (["f*"], "Claude-Haiku-4.5", False),
        (["GPT-?"], "GPT-5", True),
        (["[GC]*"], "GPT-5", False),
        (["@cheap"], "Claude-Haiku-4.5", True),
        (["@cheap"], "gpt-5-mini", True),
        (["@cheap"], "GPT-5", False),
        (["@none"], "GPT-5", False),
        (["*"], "GPT-5", True),
    ],
)
def test_a_key_may_ask_what_its_list_means(models, bot, allowed):
    """By name, alias, pattern or group; a pattern never looks at an alias."""
    assert allowed == allows(models, bot)


def test_a_key_ends_at_its_very_second():
    """Not before, and not after."""
    key = KEY.changed({"expires_s": 10})

    assert [False, True] == [key.has_expired(9.9), key.has_expired(10.0)]
    assert not KEY.has_expired(1e12)


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": " a"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"models": "GPT-5"}, "models"),
        ({"models": [""]}, "models.0"),
        ({"models": ["a"] * 201}, "models"),
        ({"expires_s": float("nan")}, "expires_s"),
        ({"expires_s": -1}, "expires_s"),
        ({"expires_s": 1e15}, "expires_s"),
        ({"disabled": "yes"}, "disabled"),
        ({"requests_per_minute": 0}, "requests_per_minute"),
        ({"requests_per_minute": 1.5}, "requests_per_minute"),
        ({"requests_per_minute": True}, "requests_per_minute"),
        ({"tokens_per_day": MOST + 1}, "tokens_per_day"),
        ({"points_per_day": "5"}, "points_per_day"),
        ({"id": "other"}, "id"),
        ({"last4": "abcd"}, "last4"),
    ],
)
def test_what_cannot_be_is_named(said, named):
    """The sentence begins with the field."""
    with pytest.raises(KeyFaultError, match=rf"^{named}: "):
        KEY.changed(said)
