"""What a run of both parts tells at its end."""

from tests.side_by_side import MOST_ASKED_AGAIN, TESTS_FAILED, read, total

WELL = "..... [100%]\n3 passed in 1.50s\n"
ILL = """..F.E [100%]
FAILED tests/test_a.py::test_one - assert 1 == 2
ERROR tests/test_b.py::test_two - OSError
1 failed, 2 passed, 1 error in 61.20s (0:01:01)
"""
STILL_ILL = """.F [100%]
FAILED tests/test_a.py::test_one - assert 1 == 2
1 failed, 1 passed, 20 deselected in 1.20s
"""
MENDED = "..\n2 passed, 20 deselected in 3.10s\n"


def test_all_went_well() -> None:
    """The tests of both are counted together."""
    assert "6 passed in 2.00s" == total([read(0, WELL), read(0, WELL)], 2.0)


def test_some_failed() -> None:
    """They are named, whichever part they belong to."""
    ends = [read(TESTS_FAILED, ILL), read(0, WELL)]
    failed, error, counts = total(ends, 61.5).splitlines()

    assert failed.startswith("FAILED tests/test_a.py::test_one")
    assert error.startswith("ERROR tests/test_b.py::test_two")
    assert "1 failed, 1 error, 5 passed in 61.50s" == counts


def test_a_part_that_never_got_so_far() -> None:
    """It counts as an error, and is no matter of chance."""
    end = read(4, "usage: pytest")

    assert "1 error, 3 passed in 5.00s" == total([end, read(0, WELL)], 5.0)
    assert not end.may_be_chance


def test_who_passes_when_alone_is_named_and_counted() -> None:
    """Neither lost nor hidden."""
    end = read(TESTS_FAILED, ILL)
    better = end.amended(read(0, MENDED))
    *named, counts = total([better], 70.0).splitlines()

    assert end.may_be_chance
    assert 0 == better.code
    assert all(line.startswith("PASSED WHEN ALONE: ") for line in named)
    assert ["test_one", "test_two"] == [line.split("::")[1].split()[0] for line in named]
    assert "4 passed in 70.00s" == counts


def test_who_fails_again_fails_the_run() -> None:
    """And so does who was not asked, or was left out this time."""
    end = read(TESTS_FAILED, ILL)

    assert end == end.amended(read(TESTS_FAILED, STILL_ILL))
    assert end == end.amended(read(5, "no tests ran in 0.10s"))
    assert end == end.amended(read(0, "1 passed, 1 skipped in 3.10s"))


def test_many_failures_are_no_chance() -> None:
    """Nobody is asked again."""
    many = f"{MOST_ASKED_AGAIN + 1} failed, 9 passed in 1.00s"

    assert not read(TESTS_FAILED, many).may_be_chance
    assert not read(TESTS_FAILED, many.replace("failed", "errors")).may_be_chance
    assert not read(0, WELL).may_be_chance
