"""One after the other."""

import pytest

from poeflask.core.errors import ErrorKind, OwnError
from poeflask.stores.memory import MemoryStore
from poeflask.stores.namespace import Namespace
from poeflask.stores.turns import turn


@pytest.fixture
def kept():
    """Where the turns are kept."""
    return Namespace(MemoryStore(), "turns", on_failure="refuse")


def test_whoever_comes_second_waits_for_the_first(kept):
    """And goes on as soon as it is over; other work does not wait."""
    said = []
    first = turn(kept, "a")
    first.__enter__()

    def sleep(_seconds):
        said.append("waited")
        first.__exit__(None, None, None)

    with turn(kept, "b"):
        said.append("other")
    with turn(kept, "a", sleep=sleep):
        said.append("second")

    assert ["other", "waited", "second"] == said


def test_a_turn_ends_with_an_error_too(kept):
    """The next one does not wait."""
    with pytest.raises(ZeroDivisionError), turn(kept, "a"):
        raise ZeroDivisionError
    with turn(kept, "a", sleep=pytest.fail):
        pass


def test_nobody_waits_for_ever(kept):
    """The first one died, or takes too long."""
    with turn(kept, "a"), pytest.raises(OwnError) as caught, turn(kept, "a", sleep=id):
        pytest.fail("two at a time")

    assert ErrorKind.BUSY == caught.value.kind
