"""Texts of keys whose owner wants them kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poeflask.core.prompt import File, Message, Prompt, Text, ToolCall, ToolResult
from poeflask.stores.base import StoreUnavailable
from poeflask.stores.memory import MemoryStore
from poeflask.stores.recordings import MOST_LETTERS, Recording, Recordings, text_of

RECORDING = Recording(
    row_id="1",
    time_s=5.0,
    key_id="key-1",
    key_name="Ann",
    bot="Echo",
    outcome="ok",
    prompt="user: hi",
    answer="hi",
)


class Clock:
    """A clock that moves only when it is told to."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


@pytest.fixture
def store(clock: Clock) -> MemoryStore:
    """An empty store."""
    return MemoryStore(clock=clock)


def recordings(store: MemoryStore, clock: Clock, most: int = 10) -> Recordings:
    """The recordings, kept for a minute."""
    return Recordings(store, ttl_s=60, most=most, clock=clock)


def test_nobody_is_recorded_by_default(store: MemoryStore, clock: Clock) -> None:
    """One key is, once it was switched on, and no other; other workers follow soon."""
    here, there = recordings(store, clock), recordings(store, clock)
    assert (False, False) == (here.wants("key-1"), there.wants("key-1"))
    here.switch("key-1", on=True)

    assert (True, False) == (here.wants("key-1"), here.wants("key-2"))
    clock.now_s += 3
    assert there.wants("key-1")
    assert frozenset({"key-1"}) == there.switched_on()
    here.switch("key-1", on=False)
    assert not here.wants("key-1")


def test_a_recording_is_kept_for_its_time(store: MemoryStore, clock: Clock) -> None:
    """And no longer."""
    made = recordings(store, clock)
    made.keep(RECORDING)

    assert RECORDING == made.find("1")
    clock.now_s += 61
    assert None is made.find("1")
    assert [] == made.page().recordings


def test_recordings_have_a_size(store: MemoryStore, clock: Clock) -> None:
    """The end of a prompt is what was asked last; an answer begins at its beginning."""
    made = recordings(store, clock)
    long = "a" * MOST_LETTERS
    made.keep(replace(RECORDING, prompt=f"{long}b", answer=f"c{long}"))
    kept = made.find("1")

    assert kept is not None
    assert (MOST_LETTERS, "b") == (len(kept.prompt), kept.prompt[-1])
    assert (MOST_LETTERS, "c") == (len(kept.answer), kept.answer[0])


def test_recordings_have_a_number(store: MemoryStore, clock: Clock) -> None:
    """The oldest go; ids sort the newest first."""
    made = recordings(store, clock, most=3)
    for number in reversed(range(6)):
        made.keep(replace(RECORDING, row_id=str(number)))

    assert ["0", "1", "2"] == [kept.row_id for kept in made.page().recordings]


def test_recordings_are_paged_and_forgotten(store: MemoryStore, clock: Clock) -> None:
    """Of one key, or of all."""
    made = recordings(store, clock, most=99)
    for number in range(6):
        key_id = f"key-{number % 2}"
        made.keep(replace(RECORDING, row_id=str(number), key_id=key_id))
    first = made.page(limit=4)
    of_one = made.page(key_id="key-1", limit=2)

    assert ["0", "1", "2", "3"] == [kept.row_id for kept in first.recordings]
    assert ["4", "5"] == [kept.row_id for kept in made.page(after=first.next).recordings]
    assert ["1", "3"] == [kept.row_id for kept in of_one.recordings]
    assert ["5"] == [
        kept.row_id for kept in made.page(key_id="key-1", after=of_one.next).recordings
    ]
    assert 3 == made.forget_all("key-1")
    assert ["0", "2", "4"] == [kept.row_id for kept in made.page().recordings]


def test_a_store_that_is_away_records_nothing(clock: Clock) -> None:
    """And holds up nobody."""

    class Away(MemoryStore):
        def put(self, *_: object) -> None:  # type: ignore[override]
            raise StoreUnavailable("away")

        def items(self, *_: object, **__: object) -> list[tuple[str, bytes]]:  # type: ignore[override]
            raise StoreUnavailable("away")

    made = recordings(Away(clock=clock), clock)
    made.keep(RECORDING)

    assert not made.wants("key-1")


def test_a_prompt_is_told_without_its_files() -> None:
    """Their names stand for them."""
    prompt = Prompt(
        bot="Echo",
        messages=(
            Message(
                role="user",
                parts=(
                    Text("look"),
                    File(base64="Y2FuYXJ5", name="a.png", content_type="image/png"),
                ),
            ),
            Message(role="bot", parts=(ToolCall(call_id="1", name="f", arguments="{}"),)),
            Message(role="tool", parts=(ToolResult(call_id="1", name="f", text="4"),)),
        ),
    )

    assert "user: look\n[file a.png image/png]\n\nbot: [calls f {}]\n\ntool: [result f 4]" == (
        text_of(prompt)
    )


def test_a_long_prompt_is_not_read_to_its_beginning() -> None:
    """Only its end is kept."""
    messages = tuple(
        Message(role="user", parts=(Text(f"{number:06}" * 1000),)) for number in range(99)
    )
    text = text_of(Prompt(bot="Echo", messages=messages))

    assert MOST_LETTERS == len(text)
    assert text.endswith("000098")
