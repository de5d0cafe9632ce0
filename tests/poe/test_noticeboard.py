"""What workers tell each other."""

from __future__ import annotations

from poeflask.poe.noticeboard import Noticeboard
from poeflask.stores.memory import MemoryStore
from poeflask.stores.namespace import Namespace


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def boards(clock: Clock) -> tuple[Noticeboard, Noticeboard, list[int]]:
    """Two workers' boards over one store, and how often each read was made."""
    reads: list[int] = []

    class Counting(MemoryStore):
        def items(self, prefix: str, *, after: str = "", limit: int) -> list[tuple[str, bytes]]:
            reads.append(limit)
            return super().items(prefix, after=after, limit=limit)

    store = Counting(clock=clock)
    made = [
        Noticeboard(Namespace(store, "notes", on_failure="forget"), clock=clock) for _ in range(2)
    ]
    return made[0], made[1], reads


def test_others_know_within_a_second() -> None:
    """Who wrote knows at once."""
    clock = Clock()
    here, there, _ = boards(clock)
    assert {} == here.notes() == there.notes()
    here.put("a", 1, 60)

    assert {"a": 1} == here.notes()
    clock.now_s += 1
    assert {"a": 1} == there.notes()


def test_what_is_taken_down_is_gone_for_all() -> None:
    """So is what came to its end."""
    clock = Clock()
    here, there, _ = boards(clock)
    here.put("a", 1, 60)
    here.put("b", 1, 0.5)
    here.drop("a")
    clock.now_s += 1

    assert {} == here.notes() == there.notes()


def test_the_store_is_read_once_a_second() -> None:
    """However often one looks."""
    clock = Clock()
    here, _, reads = boards(clock)
    for _ in range(100):
        here.notes()
        clock.now_s += 0.1

    assert 10 <= len(reads) <= 11


def test_what_is_written_during_a_look_is_newer_than_what_the_look_finds() -> None:
    """Others work while a store on another machine is read."""
    clock = Clock()

    class Distant(MemoryStore):
        def items(self, prefix: str, *, after: str = "", limit: int) -> list[tuple[str, bytes]]:
            found = super().items(prefix, after=after, limit=limit)
            board.put("hung", 2, 60)
            board.drop("gone")
            return found

    board = Noticeboard(Namespace(Distant(clock=clock), "notes", on_failure="forget"), clock=clock)
    board.put("hung", 1, 60)
    board.put("gone", 1, 60)

    assert {"hung": 2} == board.notes()
