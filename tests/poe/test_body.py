"""Tests of reading an answer's body past its framing."""

import http.client
import io

import pytest
import urllib3.exceptions
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.poe.body import ChunkedBody, Dechunker, body_of
from poeflask.poe.plain_body import PlainBody

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Wire(io.BytesIO):
    """Stands for a socket from which these bytes come."""

    def makefile(self, _mode):
        return self


def by_the_library(wire):
    """The content as http.client reads it, or None if it finds the framing broken."""
    original = http.client.HTTPResponse(Wire(HEAD + wire))
    original.begin()
    try:
        return original.read()
    except http.client.HTTPException:
        return None


def fed(*pieces):
    """The content of the pieces, and whether they ended, went on behind the end, or were broken."""
    unchunk = Dechunker()
    content = b"".join(map(unchunk.feed, pieces))
    return content, unchunk.ended, unchunk.surplus, unchunk.broken


_SIZES = st.sampled_from([b"%x", b"%X", b"0%x", b"%x;a=b", b'%x;a="b;c"', b"%x "])
_LINE_ENDS = st.sampled_from([b"\r\n", b"\n"])


@st.composite
def bodies(draw):
    """A well framed body."""
    wire = b""
    for content in draw(st.lists(st.binary(min_size=1, max_size=12) | st.just(b"\r\n0\r\n\r\n"))):
        wire += draw(_SIZES) % len(content) + draw(_LINE_ENDS) + content + b"\r\n"
    trailer = draw(st.sampled_from([b"", b"A: b\r\n", b"A: b\r\nC: d\r\n"]))
    return wire + b"0" + draw(_LINE_ENDS) + trailer + draw(_LINE_ENDS)


@settings(deadline=None)
@given(bodies())
def test_the_content_is_the_librarys_wherever_the_bytes_are_cut(wire):
    """Whole, byte by byte, or cut in two anywhere."""
    expected = (by_the_library(wire), True, False, False)

    assert expected == fed(wire)
    assert expected == fed(*(wire[i : i + 1] for i in range(len(wire))))
    for cut in range(len(wire)):
        assert expected == fed(wire[:cut], wire[cut:])


@settings(deadline=None)
@given(bodies(), st.data())
def test_a_body_that_is_cut_never_ends(wire, data):
    """All content that came is given, and no end is seen."""
    kept = wire[: data.draw(st.integers(0, len(wire) - 1))]
    content, ended, surplus, broken = fed(kept)

    assert by_the_library(wire).startswith(content)
    assert (False, False, False) == (ended, surplus, broken)


@settings(deadline=None)
@given(st.binary(max_size=30))
def test_any_bytes_can_be_fed(wire):
    """What is no framing is never more than broken, wherever it is cut."""
    expected = fed(wire)

    assert expected == fed(*(wire[i : i + 1] for i in range(len(wire))))


@pytest.mark.parametrize("line", [b"x\r\n", b"\r\n", b"-1\r\n", b";a\r\n", b"1" * 70000])
def test_content_in_front_of_a_broken_frame_is_given(line):
    """The break is told, not raised, so that nothing that came is lost."""
    assert (b"ab", False, False, True) == fed(b"2\r\nab\r\n" + line)


def test_bytes_behind_the_end_are_noticed():
    """They belong to nothing that was asked."""
    assert (b"ab", True, True, False) == fed(b"2\r\nab\r\n0\r\n\r\nHTTP")
    assert (b"ab", True, True, False) == fed(b"2\r\nab\r\n0\r\n\r\n", b"H")


def test_all_that_has_come_is_read_at_once(answered):
    """Many chunks in one receiving are one piece, and half a frame is waited for."""
    one = answered(HEAD + b"1\r\na\r\n", b"1\r\nb\r\n1\r\nc\r\n2", b"\r", b"\nde\r\n0\r\n\r\n")
    body = body_of(one.exchange, one.head)

    assert isinstance(body, ChunkedBody)
    assert [b"a", b"bc", b"de", b"", b""] == [body.read() for _ in range(5)]


def test_the_connection_is_free_with_the_end_of_the_body(answered):
    """For the next question, not before."""
    one = answered(HEAD + b"1\r\na\r\n0\r\n\r\n", stays=True)
    body = body_of(one.exchange, one.head)
    body.read()

    assert (0, 1) == one.connections
    body.read()
    assert (1, 0) == one.connections
    body.close()
    assert (1, 0) == one.connections


@pytest.mark.parametrize("behind", [b"H", b"\r\n"])
def test_a_connection_with_a_surplus_is_closed(answered, behind):
    """Nobody can tell what would be taken for the next answer."""
    one = answered(HEAD + b"1\r\na\r\n0\r\n\r\n" + behind, stays=True)
    body = body_of(one.exchange, one.head)

    assert [b"a", b""] == [body.read(), body.read()]
    assert (0, 0) == one.connections


@pytest.mark.parametrize("end", [b"", b"5\r\nab", b"zz\r\n"])
def test_a_cut_body_breaks_after_all_that_came(answered, end):
    """As the library's own fault of a broken connection."""
    one = answered(HEAD + b"1\r\na\r\n" + end)
    body = body_of(one.exchange, one.head)

    assert body.read().startswith(b"a")
    with pytest.raises(urllib3.exceptions.ProtocolError):
        body.read()
    body.close()
    assert (0, 0) == one.connections


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"),
    ],
)
def test_other_framings_are_plain_bodies(answered, head):
    """A length, the end of the connection, compression: whoever compresses decides what comes."""
    one = answered(head)

    assert isinstance(body_of(one.exchange, one.head), PlainBody)
