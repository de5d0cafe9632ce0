"""What the soak takes for an answer's text."""

import json

import pytest

from bench.soak.apis import APIS, Wish, WrongAnswerError, request_bytes, status_and_body, text_of

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENTS = {
    "chat": ('{"choices":[{"delta":{"content":"%s"}}]}', "data: [DONE]"),
    "completions": ('{"choices":[{"text":"%s"}]}', "data: [DONE]"),
    "responses": (
        '{"type":"response.output_text.delta","delta":"%s"}',
        'event: response.completed\ndata: {"type":"response.completed"}',
    ),
    "messages": ('{"delta":{"text":"%s"}}', "event: message_stop\ndata: {}"),
    "gemini": (
        '{"candidates":[{"content":{"parts":[{"text":"%s"}]}}]}',
        'data: {"candidates":[{"content":{},"finishReason":"STOP"}]}',
    ),
    "ollama": ('{"message":{"content":"%s"}}', '{"message":{"content":""},"done":true}'),
}


def wish(api: str = "chat", *, stream: bool = True) -> Wish:
    """A wish for an echo."""
    return Wish(api, "Echo", "a b", stream)


def streamed(api: str, *, ends: bool = True) -> bytes:
    """The echo as a stream, whole or broken off."""
    event, end = EVENTS[api]
    prefix = "" if api == "ollama" else "data: "
    lines = [prefix + event % "a ", prefix + event % "b", *([end] if ends else [])]
    return "\n\n".join(lines).encode()


@pytest.mark.parametrize("api", APIS)
def test_the_text_of_a_stream_is_all_its_pieces(api):
    """In their order, of every API."""
    assert "a b" == text_of(wish(api), streamed(api))


@pytest.mark.parametrize("api", APIS)
def test_a_stream_without_its_end_is_wrong(api):
    """However right its text is."""
    with pytest.raises(WrongAnswerError, match="no end"):
        text_of(wish(api), streamed(api, ends=False))


def test_an_error_in_a_stream_is_wrong():
    """Also if the stream then ends as it should."""
    body = b'data: {"error":{"message":"no"}}\n\ndata: [DONE]'
    with pytest.raises(WrongAnswerError, match="an error"):
        text_of(wish(), body)


def test_chunks_are_put_together():
    """Up to the empty one."""
    assert (200, b"abcd") == status_and_body(HEAD + b"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n")


@pytest.mark.parametrize("answer", [b"", b"nothing", HEAD + b"3\r\nabc\r\n"])
def test_an_answer_that_is_not_whole_is_wrong(answer):
    """None at all, no HTTP, or a last chunk that is missing."""
    with pytest.raises(WrongAnswerError):
        status_and_body(answer)


@pytest.mark.parametrize("api", APIS)
def test_a_request_says_what_is_wished(api):
    """How long it is, and how slowly the bot shall answer."""
    head, _, body = request_bytes(Wish(api, "Echo", "a b", True, interval_ms=7)).partition(
        b"\r\n\r\n"
    )

    assert b"Content-Length: %d" % len(body) in head.split(b"\r\n")
    assert {"interval_ms": 7} == json.loads(body)["poe"]
    assert "a b" in body.decode()
