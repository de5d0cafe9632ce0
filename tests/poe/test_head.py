"""Tests of reading the head of an answer."""

import http.client
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.poe.head import MAX_FIELDS, MAX_HEAD_BYTES, Head, HeadError, HeadReader

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\n"


class Wire(io.BytesIO):
    """Stands for a socket from which these bytes come."""

    def makefile(self, _mode):
        return self


def fed(*pieces):
    """The head that these pieces make, and what is behind it."""
    reader = HeadReader()
    head = None
    for place, piece in enumerate(pieces):
        head = reader.feed(piece)
        if head is not None:
            return head, reader.rest + b"".join(pieces[place + 1 :])
    return head, reader.rest


def by_the_library(wire):
    """Status, fields, whether chunked, length, and whether the connection stays; by http.client."""
    answer = http.client.HTTPResponse(Wire(wire))
    answer.begin()
    fields = {}
    for name, value in answer.getheaders():
        folded = " ".join(value.split())
        fields[name.lower()] = ", ".join(filter(None, [fields.get(name.lower()), folded]))
    chunked = answer.chunked and answer.length is None
    return answer.status, fields, chunked, answer.length, not answer.will_close


_NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}", fullmatch=True)
_VALUES = st.from_regex(r"[!-~]{1,9}( [!-~]{1,5})?", fullmatch=True)
_FRAMINGS = st.sampled_from(
    [
        b"",
        b"content-length: 0",
        b"Content-Length:17",
        b"TRANSFER-ENCODING: chunked",
        b"Transfer-Encoding: Chunked",
    ]
)
_ENDINGS = st.sampled_from([b"", b"Connection: close", b"connection: Keep-Alive"])
_LINE_ENDS = st.sampled_from([b"\r\n", b"\n"])


@st.composite
def heads(draw):
    """A head as a server may write it."""
    status = draw(st.sampled_from([200, 200, 204, 304, 401, 429, 500, 599]))
    lines = [b"HTTP/1.%d %d%s" % (draw(st.sampled_from([0, 1])), status, draw(_REASONS))]
    lines += [line for line in (draw(_FRAMINGS), draw(_ENDINGS)) if line]
    for name, value in draw(st.dictionaries(_NAMES.map(lambda n: "X-" + n), _VALUES)).items():
        fold = draw(st.sampled_from([b"", b"", b"\r\n folded"]))
        lines.append(f"{name}: {value}".encode() + fold)
    line_end = draw(_LINE_ENDS)
    return line_end.join(lines) + line_end + draw(_LINE_ENDS)


_REASONS = st.sampled_from([b"", b" ", b" OK", b" Not Found At All"])


@settings(deadline=None)
@given(heads(), st.binary(max_size=5))
def test_a_head_says_what_it_says_to_the_library(wire, behind):
    """Status, fields, framing, and whether the connection stays, as http.client reads them."""
    head, rest = fed(wire + behind)
    told = (head.status, head.fields, head.chunked, head.length, head.stays)

    assert by_the_library(wire) == told
    assert behind == rest


@settings(deadline=None)
@given(heads(), st.binary(max_size=3))
def test_cuts_mean_nothing(wire, behind):
    """Whole, byte by byte, or cut in two anywhere."""
    whole = wire + behind
    expected = fed(whole)

    assert expected == fed(*(whole[i : i + 1] for i in range(len(whole))))
    for cut in range(len(whole)):
        assert expected == fed(whole[:cut], whole[cut:])


@settings(deadline=None)
@given(st.binary(max_size=40) | st.binary(max_size=40).map(lambda more: PLAIN[:17] + more))
def test_any_bytes_are_a_head_or_none(wire):
    """Nothing else is raised, and none of them is waited for longer in one piece than in many."""

    def outcome(pieces):
        try:
            return fed(*pieces)
        except HeadError:
            return HeadError

    assert outcome([wire]) == outcome([wire[i : i + 1] for i in range(len(wire))])


def test_interim_answers_are_passed_over():
    """They promise another head."""
    interim = b"HTTP/1.1 100 Continue\r\n\r\n" + b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\n"

    assert fed(PLAIN + b"hello") == fed(interim + PLAIN + b"hello")


def test_what_comes_twice_is_joined():
    """In the order in which it came; a length that is said twice is one."""
    wire = b"HTTP/1.1 200\r\nA: 1\r\na: 2\r\nContent-Length: 3\r\nContent-length: 3, 3\r\n\r\n"
    head, _ = fed(wire)

    assert Head(200, {"a": "1, 2", "content-length": "3, 3, 3"}, False, 3, True) == head


def test_chunks_win_over_a_length_and_cost_the_connection():
    """Somebody on the way may have seen another end."""
    wire = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    head, _ = fed(wire)

    assert (True, None, False) == (head.chunked, head.length, head.stays)


def test_a_switch_to_another_protocol_is_no_answer_to_go_on_with():
    """Nobody asked for it; the connection is of no use."""
    head, _ = fed(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")

    assert (101, 0, False) == (head.status, head.length, head.stays)


@pytest.mark.parametrize(
    "wire",
    [
        b"\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"\x15\x03\x01",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno field\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: nameless\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n folded too early\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\r\n\r\n".replace(b"A: b\r", b"\r"),
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n" % (b"9" * 5000),
        b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * (MAX_FIELDS + 1) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * MAX_HEAD_BYTES,
    ],
)
def test_what_is_no_head_is_told_at_once(wire):
    """Not waited for until the time is over."""
    with pytest.raises(HeadError):
        fed(wire)
