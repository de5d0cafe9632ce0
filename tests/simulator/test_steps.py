from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.json_text import read
from poeflask.core.sse import Decoder, Frame
from poeflask.simulator.steps import Event, event_bytes, spoken, text, words


def test_an_event_is_two_fields_and_an_empty_line():
    """An event is written as Poe writes it, with CRLF line ends."""
    got = event_bytes(text("wörld"))

    assert 'event: text\r\ndata: {"text":"wörld"}\r\n\r\n'.encode() == got


@given(st.text())
def test_an_event_is_read_as_it_was_meant(said):
    """Whatever is said, our own decoder reads it back, half emoji too."""
    (frame,) = Decoder().feed(event_bytes(text(said)))

    assert Frame("text", frame.data) == frame
    assert {"text": said} == read(frame.data)


@given(st.text())
def test_words_joined_are_the_message(said):
    """Cutting a message into words loses nothing."""
    assert said == "".join(words(said))


def test_one_event_for_each_word():
    """A spoken message comes word by word, white space behind the word."""
    got = list(spoken(" one  two\n\nthree"))

    assert [text(" one  "), text("two\n\n"), text("three")] == got
    assert Event("text", {"text": "three"}) == got[-1]
