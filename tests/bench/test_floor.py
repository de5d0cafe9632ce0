"""The least that passes a stream on still passes all of it."""

import pytest

from tests.bench.scenes import play


@pytest.fixture(scope="module")
def floor(start, upstream) -> int:
    """The floor's port."""
    return start("floor", upstream)


@pytest.mark.parametrize("name", ["flat out", "500 streams"])
def test_the_floor_passes_streams_on(floor, name):
    """Events that come together and events that come alone, over connections that are kept."""
    assert 0 == play(floor, name)["errors"]


def test_the_floor_waits_for_a_client_that_is_behind(floor):
    """Megabytes at once fill every buffer between the two; none of them is lost."""
    assert 0 == play(floor, "behind")["errors"]
