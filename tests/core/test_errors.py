"""Tests of the error table and the errors made of it."""

import pytest

from poeflask.core.errors import (
    RULES,
    ClientError,
    ErrorKind,
    OwnError,
    PoeError,
    PoeflaskError,
)

LEAVES = {"client": ClientError, "poe": PoeError, "own": OwnError}


def make(kind, message="Sorry.", **fields):
    """An error of that kind."""
    return LEAVES[RULES[kind].fault](kind, message, **fields)


@pytest.mark.parametrize("kind", ErrorKind)
def test_every_kind_has_a_rule_that_makes_sense(kind):
    """A status, and a type in both families of APIs."""
    rule = RULES[kind]

    assert 400 <= rule.status < 600
    assert rule.openai[0]
    assert rule.anthropic
    assert rule.anthropic_status is None or 400 <= rule.anthropic_status < 600
    # Whoever is told to come again must not be told that the request is wrong, and the reverse.
    assert not rule.again or rule.status in (408, 409, 429) or rule.status >= 500


def test_rules_are_for_kinds_alone():
    """Nothing in the table is left over."""
    assert set(ErrorKind) == RULES.keys()


@pytest.mark.parametrize("kind", ErrorKind)
@pytest.mark.parametrize("fault", LEAVES)
def test_a_leaf_takes_its_own_kinds_alone(kind, fault):
    """Nobody can blame the client for a fault of Poe's."""
    if fault == RULES[kind].fault:
        assert kind == LEAVES[fault](kind, "x").kind
        return
    with pytest.raises(TypeError, match="is the fault of"):
        LEAVES[fault](kind, "x")


@pytest.mark.parametrize("kind", ErrorKind)
def test_another_try_is_only_advised_if_both_allow_it(kind):
    """The kind must make sense of it, and Poe must not forbid it."""
    assert RULES[kind].again == make(kind).may_succeed_later
    assert not make(kind, allow_retry=False).may_succeed_later


def test_errors_are_values():
    """They compare and hash by all that they say."""
    one = make(ErrorKind.NOT_FOUND, param="a", code="b", retry_after_s=1.0)
    same = make(ErrorKind.NOT_FOUND, param="a", code="b", retry_after_s=1.0)
    others = [
        make(ErrorKind.NOT_FOUND, "Other.", param="a", code="b", retry_after_s=1.0),
        make(ErrorKind.NOT_FOUND, param="c", code="b", retry_after_s=1.0),
        make(ErrorKind.NOT_FOUND, param="a", code="c", retry_after_s=1.0),
        make(ErrorKind.NOT_FOUND, param="a", code="b", retry_after_s=2.0),
        make(ErrorKind.UNKNOWN_ROUTE, param="a", code="b", retry_after_s=1.0),
    ]

    assert one == same
    assert hash(one) == hash(same)
    assert one not in others
    assert one != "Sorry."


def test_an_error_says_its_sentence():
    """As text and in a log line."""
    error = make(ErrorKind.NO_POINTS)

    assert str(error) == "Sorry."
    assert repr(error) == "PoeError(ErrorKind.NO_POINTS, 'Sorry.')"
    assert isinstance(error, PoeflaskError)
