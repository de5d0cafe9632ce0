"""Bodies of requests, each sent as bytes to an app that reads them."""

from __future__ import annotations

import gzip
import io

import gevent
import pytest
from flask import Flask, request
from gunicorn.http.errors import ChunkMissingTerminator, NoMoreData
from werkzeug.test import TestResponse

from poeflask.core import json_text
from poeflask.core.errors import ClientError
from poeflask.web import body

JSON = {"Content-Type": "application/json"}


@pytest.fixture(autouse=True)
def route(app: Flask) -> None:
    """POST /a gives back what was understood."""
    app.add_url_rule(
        "/a", view_func=lambda: json_text.write(body.json_object(request)), methods=["POST"]
    )


def post(app: Flask, sent: bytes, headers: dict[str, str] | None = None) -> TestResponse:
    """The answer to these bytes."""
    return app.test_client().post("/a", data=sent, headers=headers or JSON)


def post_stream(app: Flask, stream: object) -> TestResponse:
    """The answer to a body that comes as a server hands it over when it is sent in chunks."""
    environ = {"wsgi.input": stream, "wsgi.input_terminated": True}
    return app.test_client().post("/a", headers=JSON, environ_overrides=environ)


@pytest.mark.parametrize(
    "headers",
    [
        JSON,
        {"Content-Type": "application/json; charset=utf-8"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Encoding": "identity", **JSON},
        {"Content-Encoding": ""},
    ],
)
def test_an_object_is_read_whatever_it_is_called(app: Flask, headers: dict[str, str]) -> None:
    """Many clients name a wrong content type, or none."""
    assert '{"a":1}' == post(app, b'\xef\xbb\xbf {"a": 1} ', headers).text


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "could not be read as JSON"),
        (b"{", "could not be read as JSON"),
        (b"\xff", "UTF-8"),
        (b"NaN", "NaN"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'"{}"', "must be a JSON object"),
    ],
)
def test_what_is_no_object_is_a_wrong_request(app: Flask, sent: bytes, said: str) -> None:
    """The answer says what is wrong with it."""
    response = post(app, sent)

    assert 400 == response.status_code
    assert said in response.json["error"]["message"]


@pytest.mark.parametrize("mark", [b"[", b'{"a":'])
def test_brackets_without_end_are_a_wrong_request(mark: bytes) -> None:
    """However deep they go, no fault of ours comes of them."""
    app = Flask("deep")
    asked = app.test_request_context(method="POST", data=mark * 100_000)
    with asked, pytest.raises(ClientError) as caught:
        body.json_object(request)

    assert "nested too deeply" in caught.value.message


@pytest.mark.parametrize("name", ["text/plain", "multipart/form-data; boundary=x", "a" * 300])
def test_another_type_is_told_when_it_is_no_json(app: Flask, name: str) -> None:
    """Then the content type is what is wrong."""
    response = post(app, b"a=1", {"Content-Type": name})

    assert (415, "unsupported_media_type") == (
        response.status_code,
        response.json["error"]["code"],
    )
    assert "application/json" in response.json["error"]["message"]
    assert len(response.text) < 400


@pytest.mark.parametrize("name", ["gzip", "GZIP", "br", "identity, gzip", "x" * 300])
def test_compressed_bodies_are_refused(app: Flask, name: str) -> None:
    """None is unpacked: a few bytes could become very many."""
    response = post(app, gzip.compress(b"{}"), {**JSON, "Content-Encoding": name})

    assert 415 == response.status_code
    assert "uncompressed" in response.json["error"]["message"]


def test_too_large_a_body_is_refused(app: Flask) -> None:
    """By what it says of itself, and by what comes if it says nothing."""
    said = post(app, b"x" * 1001)
    came = post_stream(app, io.BytesIO(b"x" * 1001))

    assert [413, 413] == [said.status_code, came.status_code]


def test_a_body_in_chunks_is_read_to_its_end(app: Flask) -> None:
    """Without any length."""
    assert "{}" == post_stream(app, io.BytesIO(b"{}")).text


def test_a_body_that_is_shorter_than_it_says(app: Flask) -> None:
    """What came is not taken for the whole."""
    short = {"wsgi.input": io.BytesIO(b"{}"), "CONTENT_LENGTH": "9"}
    for more in ({}, {"wsgi.input_terminated": True}):
        response = app.test_client().post("/a", environ_overrides={**short, **more})

        assert 400 == response.status_code
        assert "broke off" in response.json["error"]["message"]


class Breaks(io.RawIOBase):
    """A stream that ends in an error."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        raise self.error


@pytest.mark.parametrize(
    "error", [NoMoreData(), ChunkMissingTerminator(b"ab"), ConnectionResetError()]
)
def test_a_body_that_breaks_off_is_a_wrong_request(app: Flask, error: Exception) -> None:
    """As is one whose chunks are not framed as they must be."""
    response = post_stream(app, Breaks(error))

    assert 400 == response.status_code
    assert "broke off" in response.json["error"]["message"]


def test_a_body_that_does_not_come_is_not_waited_for(app: Flask) -> None:
    """After the time is over the client hears 408 and may try again."""
    body.install(app, 0.01)

    class Slow(Breaks):
        def readinto(self, buffer: object) -> int:
            gevent.sleep(30)
            return 0

    response = post_stream(app, Slow(OSError()))

    assert (408, "request_timeout") == (response.status_code, response.json["error"]["code"])
    assert "true" == response.headers["x-should-retry"]


class Counts(io.BytesIO):
    """A stream that counts how often it is read."""

    reads = 0

    def readinto(self, buffer: bytearray) -> int:
        self.reads += 1
        return super().readinto(buffer)


@pytest.mark.parametrize("most", [3_000_000, 4_000_000, None])
def test_a_long_body_is_read_in_long_pieces(app: Flask, most: int | None) -> None:
    """Also one that is as long as may be."""
    app.config["MAX_CONTENT_LENGTH"] = most
    sent = b'{"a":1}'.ljust(3_000_000)
    for more in ({}, {"wsgi.input_terminated": True}):
        stream = Counts(sent)
        environ = {"wsgi.input": stream, "CONTENT_LENGTH": str(len(sent)), **more}
        response = app.test_client().post("/a", environ_overrides=environ)

        assert '{"a":1}' == response.text
        assert stream.reads <= 4


def test_a_long_body_that_breaks_off(app: Flask) -> None:
    """What came is not taken for the whole either."""
    app.config["MAX_CONTENT_LENGTH"] = 4_000_000
    short = {"wsgi.input": io.BytesIO(b"{}".ljust(2_000_000)), "CONTENT_LENGTH": "3000000"}
    for more in ({}, {"wsgi.input_terminated": True}):
        response = app.test_client().post("/a", environ_overrides={**short, **more})

        assert 400 == response.status_code
        assert "broke off" in response.json["error"]["message"]
