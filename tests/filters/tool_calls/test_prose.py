"""The text around calls."""

from __future__ import annotations

import pytest

from poeflask.core.reply import TextDelta
from poeflask.filters.joining import joined
from poeflask.filters.tool_calls.prose import Prose
from poeflask.filters.tool_calls.reading import EnoughError
from tests.filters.tool_calls.steps import WRITE, new_reading, run


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize(
    ("text", "expected"), [("ab<c", "ab"), ("[", ""), ("ab", "ab"), ("a\n&", "a\n")]
)
def test_text_goes_up_to_a_sign(text: str, expected: str, *, cut: bool) -> None:
    """What can begin nothing is said at once; the sign itself stays."""
    reading = new_reading()
    prose = Prose(reading.source, reading.output)
    sign = run(reading.source, prose.to_sign(), text if cut else [text])
    said = joined(reading.output.take())

    assert (text.removeprefix(expected)[:1], [TextDelta(expected)] if expected else []) == (
        sign,
        said,
    )


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("```py\n<a>\n```\n<b>", "\n<b>"),
        ("```\n` `` ```` x\n``` no\n```", ""),
        ("~~~\n```\n~~~~ \nx", " \nx"),
        ("```\nno end", ""),
    ],
)
def test_a_fence_is_text_up_to_its_closing_line(text: str, rest: str, *, cut: bool) -> None:
    """A run as long as the opening one, alone on its line, closes it."""
    reading = new_reading()
    prose = Prose(reading.source, reading.output)
    reading.source.feed(text[:3])
    steps = prose.take_fence(3)
    run(reading.source, steps, text[3:] if cut else [text[3:]])
    said = "".join(event.text for event in reading.output.take() if isinstance(event, TextDelta))

    assert text.startswith(said)
    assert cut or text.removesuffix(rest) == said


def test_inline_code_ends_with_its_line() -> None:
    """A run of the same size closes it, another does not, the line's end does."""
    reading = new_reading()
    prose = Prose(reading.source, reading.output)
    reading.source.feed("`` ` `` `\n")
    states = []
    for size, rest in ((2, 1), (1, 1), (2, 1), (1, 1)):
        prose.take_run(size)
        states.append(prose.in_code)
        prose.take(rest)
    states.append(prose.in_code)

    assert [True, True, False, True, False] == states


def test_a_fence_opens_at_a_lines_beginning() -> None:
    """Not behind words, and not with fewer than three."""
    reading = new_reading()
    prose = Prose(reading.source, reading.output)
    at_start = [prose.may_open_fence(size) for size in (2, 3)]
    prose.say("words ")
    behind_words = prose.may_open_fence(3)
    prose.say("\n  ")

    assert [False, True, False, True] == [*at_start, behind_words, prose.may_open_fence(3)]


def test_text_behind_a_call_ends_the_answer() -> None:
    """Space and commas between calls do not."""
    reading = new_reading()
    prose = Prose(reading.source, reading.output)
    reading.output.make_all([(WRITE, {})])
    prose.say(" ,\n")

    assert 1 == len(reading.output.take())
    with pytest.raises(EnoughError):
        prose.say("Now I wait.")
