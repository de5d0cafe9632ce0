"""What a run of both parts tells at its end."""

from tests.side_by_side import total

WELL = "..... [100%]\n3 passed in 1.50s\n"
ILL = """..F.E [100%]
FAILED tests/test_a.py::test_one - assert 1 == 2
ERROR tests/test_b.py::test_two - OSError
1 failed, 2 passed, 2 errors in 61.20s (0:01:01)
"""


def test_all_went_well() -> None:
    """The tests of both are counted together."""
    assert "6 passed in 2.00s" == total([WELL, WELL], 2.0)


def test_some_failed() -> None:
    """They are named, whichever part they belong to."""
    failed, error, counts = total([ILL, WELL], 61.5).splitlines()

    assert failed.startswith("FAILED tests/test_a.py::test_one")
    assert error.startswith("ERROR tests/test_b.py::test_two")
    assert "1 failed, 2 error, 5 passed in 61.50s" == counts


def test_a_part_that_never_got_so_far() -> None:
    """It counts as an error."""
    assert "1 error, 3 passed in 5.00s" == total(["usage: pytest", WELL], 5.0)
