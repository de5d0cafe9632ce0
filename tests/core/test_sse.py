"""Tests of server-sent events as values."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sseclient import SSEClient

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.sse import Decoder, Frame


def decode(*chunks, **options):
    """All frames of these chunks."""
    decoder = Decoder(**options)
    return [frame for chunk in chunks for frame in decoder.feed(chunk)]


@pytest.mark.parametrize(
    ("wire", "frames"),
    [
        (b"event: text\ndata: a\n\n", [Frame("text", "a")]),
        (b"event:text\ndata:a\n\n", [Frame("text", "a")]),
        (b"data:  a\n\n", [Frame("message", " a")]),
        (b"event: x\ndata: a\n\ndata: b\nevent: y\n\nevent: z\ndata: c\n\n", [
            Frame("x", "a"), Frame("y", "b"), Frame("z", "c")
        ]),
        (b"event: x\ndata: a\ndata: b\n\nevent: \ndata: c\n\n", [
            Frame("x", "a\nb"), Frame("message", "c")
        ]),
        (b"data: a\ndata: b\ndata\ndata: c\n\n", [Frame("message", "a\nb\n\nc")]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [Frame("message", "a"), Frame("message", "b")]),
        (b"data: a\r\rdata: b\r\r", [Frame("message", "a"), Frame("message", "b")]),
        (b"data: a\r\n\rdata: b\n\r\n", [Frame("message", "a"), Frame("message", "b")]),
        (b"\xef\xbb\xbfevent: x\ndata: a\n\n", [Frame("x", "a")]),
        (b": hi\n\n:\n\ndata: a\n: in between\n\n", [Frame("message", "a")]),
        (b"id: 1\nretry: 5\nnew: x\ndata: a\n\n", [Frame("message", "a")]),
        (b"event: done\n\n", []),
        (b"event: done\ndata:\n\n", [Frame("done", "")]),
        (b"\n\n\n\r\n", []),
        ("data: é\u2028\u2029\x85\x0b\x0c\U0001f600\n\n".encode(), [
            Frame("message", "é\u2028\u2029\x85\x0b\x0c\U0001f600")
        ]),
        (b"data: a\x00b\n\n", [Frame("message", "a\x00b")]),
        (b"data: \xff\xe9\n\ndata: b\n\n", [
            Frame("message", "\ufffd\ufffd"), Frame("message", "b")
        ]),
        (b"data: half", []),
        (b"data: half\n", []),
        (b"", []),
    ],
)  # fmt: skip
def test_the_wire_is_read_as_the_standard_says(wire, frames):
    """Whole or byte by byte, the frames are the same."""
    assert frames == decode(wire)
    assert frames == decode(*(wire[i : i + 1] for i in range(len(wire))))


def test_a_frame_comes_with_its_empty_line():
    """Nothing waits for the next event, nor for the second half of a CRLF."""
    decoder = Decoder()

    assert decoder.feed(b"data: a\r\n") == []
    assert [Frame("message", "a")] == decoder.feed(b"\r")
    assert decoder.feed(b"\n") == []
    assert [Frame("message", "b")] == decoder.feed(b"data: b\n\ndata: c")
    assert [Frame("message", "c")] == decoder.feed(b"\n\n")


@pytest.mark.parametrize(
    ("wire", "unfinished"),
    [
        (b"", False),
        (b"data: a\n\n", False),
        (b"data: a\n\n\n", False),
        (b"data: a\r\n\r\n\r\n", False),
        (b"data: a\n", True),
        (b"data: a\n\nd", True),
        (b": comment", True),
    ],
)
def test_half_an_event_is_known_at_the_end(wire, unfinished):
    """So that a stream that was cut is told from one that ended."""
    decoder = Decoder()
    decoder.feed(wire)

    assert unfinished == decoder.unfinished


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_event_has_a_largest_size(size):
    """A stream without empty lines does not fill the memory."""
    with pytest.raises(PoeError) as raised:
        decode(*[b"x" * size] * (1000 // size + 1), max_event_bytes=999)

    assert raised.value.kind == ErrorKind.POE_BROKEN
    assert "999 bytes" in raised.value.message


def test_the_size_counts_from_event_to_event():
    """Many small events may be as long as they like."""
    assert len(decode(*[b"data: 12345\n\n"] * 100, max_event_bytes=20)) == 100


_LINES = st.one_of(
    st.sampled_from(["", "", ":x", "event: a", "event:b", "data", "data: x", "id: 1", "é: x"]),
    st.text(alphabet="ab :é\u2028\x85\U0001f600", max_size=6).map("data: {}".format),
)


@st.composite
def wires(draw):
    """Bytes of a stream with every sort of line end."""
    lines = draw(st.lists(_LINES, max_size=14))
    return "".join(line + draw(st.sampled_from(["\n", "\r", "\r\n"])) for line in lines).encode()


@settings(deadline=None)
@given(wires() | st.binary(max_size=40))
def test_cuts_do_not_matter(wire):
    """Cut in two anywhere, or everywhere, the frames are the same."""
    whole = decode(wire)

    assert whole == decode(*(wire[i : i + 1] for i in range(len(wire))))
    for cut in range(len(wire)):
        assert whole == decode(wire[:cut], wire[cut:])


@settings(deadline=None)
@given(wires())
def test_sseclient_reads_the_same(wire):
    """On a whole stream that ends as it should, the library's own reading is ours."""
    wire = wire.replace(b"\r\n", b"\n").replace(b"\r", b"\n") + b"\n\n"
    library = SSEClient(iter([wire]))

    assert [Frame(event.event, event.data) for event in library.events()] == decode(wire)
