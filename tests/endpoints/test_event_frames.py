"""Events of pictures and sounds as frames."""

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.endpoints.event_frames import HEARTBEAT, error_frame, event_frame


def test_an_event():
    """The type stands in front of the event and in it."""
    assert 'event: a.b\ndata: {"type":"a.b","n":1}\n\n' == event_frame("a.b", {"n": 1})


def test_an_error():
    """An error has OpenAI's body, which makes the official SDK raise."""
    frame = error_frame(PoeError(ErrorKind.POE_BROKEN, "It broke."))

    assert frame.startswith('event: error\ndata: {"type":"error","error":{"message":"It broke.",')


def test_a_heartbeat():
    """A heartbeat is a comment and ends like an event."""
    assert HEARTBEAT.startswith(":")
    assert HEARTBEAT.endswith("\n\n")
