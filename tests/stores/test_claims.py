"""What claims mean, beyond what every store promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.stores.base import MAX_NUMBER, Lease, Put, Taken, Total, Window
from poeflask.stores.claims import SLOTS, Kept, judge, summed, to_keep, without

NOW_S = 1_800_000_000.0


def taken_at(times: list[float], claim: Window) -> Kept:
    """What is kept after the claim was made at each of these seconds."""
    kept = None
    for time_s in times:
        _, changed = judge([claim], [kept], NOW_S + time_s)
        kept = changed.get(claim.key, kept)
    assert kept is not None
    return kept


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=300).map(sorted))
def test_a_window_is_kept_in_few_bytes(times):
    """However often is taken from it, and however long."""
    kept = taken_at(times, Window("w", 1, None, 10.0))

    assert len(kept.value.splitlines()) <= 1 + SLOTS + 2
    assert kept.end_s == NOW_S + times[-1] + 10.0


def test_what_a_refused_claim_keeps_is_nothing():
    """Only what is changed is told."""
    full = taken_at([0.0], Window("w", 5, None, 10.0))

    assert judge([Window("w", 1, 5, 10.0)], [full], NOW_S) == (Taken(0, (5,), 10.0), {})
    assert judge([Total("t", 2, 1, 10.0)], [None], NOW_S) == (Taken(0, (0,), 10.0), {})


def test_what_is_given_back_is_missing_from_the_oldest():
    """So that it never makes room sooner than what was taken last would leave."""
    kept = taken_at([0.0, 5.0], Window("w", 3, None, 10.0))
    _, changed = judge([Window("w", -4, None, 10.0)], [kept], NOW_S + 6)
    late, _ = judge([Window("w", 0, None, 10.0)], [changed["w"]], NOW_S + 14.9)

    assert late == Taken(None, (2,))


def test_a_total_without_an_end_gets_one():
    """As when the number was only added to before."""
    taken, changed = judge([Total("t", 1, 5, 60.0)], [Kept(b"5", None)], NOW_S)

    assert taken == Taken(0, (5,), 60.0)
    assert changed == {"t": Kept(b"5", NOW_S + 60.0)}


def test_the_last_lease_leaves_nothing():
    """A place that nobody holds is not kept."""
    _, changed = judge([Lease("l", "a", 1, 60.0)], [None], NOW_S)

    assert without(changed["l"], "a") is None
    assert without(changed["l"], "b") == changed["l"]


def test_a_put_is_kept_until_its_end():
    """None forgets; an empty value is one."""
    assert [
        Kept(b"", None),
        Kept(b"x", NOW_S + 5),
        None,
    ] == [to_keep(put, NOW_S) for put in [Put("a", b""), Put("a", b"x", 5), Put("a", None)]]


def test_numbers_are_bounded():
    """A sum that not every store could hold is a mistake, as is text."""
    assert summed(None, -3) == -3
    assert summed(b"4", 3) == 7
    with pytest.raises(ValueError, match="a number may be up to"):
        summed(b"%d" % MAX_NUMBER, 1)
    with pytest.raises(ValueError, match="is no number"):
        summed(b"four", 1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Window("w", MAX_NUMBER + 1, None, 60),
        lambda: Window("w", 1, MAX_NUMBER + 1, 60),
        lambda: Window("w", 1, 1, 0),
        lambda: Window("w", 1, 1, float("nan")),
        lambda: Window("w", 1, 1, float("inf")),
        lambda: Total("t", 1, 1, -1),
        lambda: Lease("l", "", 1, 60),
        lambda: Lease("l", "two\nlines", 1, 60),
        lambda: Lease("l", "a", 1, 0),
    ],
)
def test_what_cannot_be_claimed_is_told_at_once(make):
    """Numbers, times and holders that no store could keep."""
    with pytest.raises(ValueError, match=r"go up to|is no time|cannot hold a lease"):
        make()
