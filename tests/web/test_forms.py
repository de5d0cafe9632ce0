"""Forms, read within limits."""

from __future__ import annotations

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.core.form import Form, FormFile
from poeflask.web.forms import MAX_FORM_PARTS, MAX_TEXT_BYTES, form, is_form

TYPE = "multipart/form-data; boundary=XX"


def request(body: bytes, content_type: str = TYPE) -> Request:
    """A request with this body."""
    return Request(
        EnvironBuilder(method="POST", data=body, content_type=content_type).get_environ()
    )


def part(name: str, content: bytes, more: str = "", kind: str = "") -> bytes:
    """One part of a form."""
    head = f'--XX\r\nContent-Disposition: form-data; name="{name}"{more}\r\n'
    head += f"Content-Type: {kind}\r\n" if kind else ""
    return head.encode() + b"\r\n" + content + b"\r\n"


def test_texts_and_files_keep_their_order() -> None:
    """Repeated names stay apart; a file field that was left empty is no file."""
    body = (
        part("a", b"1")
        + part("f", b"\x00\r\n--X", '; filename="ü.png"', "image/png")
        + part("a", "ä".encode())
        + part("f", b"", '; filename=""')
        + b"--XX--\r\n"
    )

    assert Form(
        (("a", "1"), ("a", "ä")),
        (FormFile(key="f", name="ü.png", content_type="image/png", content=b"\x00\r\n--X"),),
    ) == form(request(body))


NAMELESS = b'--XX\r\nContent-Disposition: form-data; filename="a"\r\n\r\n1\r\n--XX--\r\n'


@pytest.mark.parametrize(
    ("body", "content_type", "kind"),
    [
        (b"{}", "application/json", ErrorKind.UNSUPPORTED_MEDIA_TYPE),
        (b"a=1", "application/x-www-form-urlencoded", ErrorKind.UNSUPPORTED_MEDIA_TYPE),
        (b"", "", ErrorKind.UNSUPPORTED_MEDIA_TYPE),
        (b"--XX--\r\n", "multipart/form-data", ErrorKind.INVALID_REQUEST),
        (b"hello", TYPE, ErrorKind.INVALID_REQUEST),
        (part("a", b"1"), TYPE, ErrorKind.INVALID_REQUEST),
        (NAMELESS, TYPE, ErrorKind.INVALID_REQUEST),
        (part("a", b"1")[:-9], TYPE, ErrorKind.INVALID_REQUEST),
        (part("a", b"1") + b"--XX--\r\n", f"{TYPE}Y", ErrorKind.INVALID_REQUEST),
        (
            part("a", b"1") * (MAX_FORM_PARTS + 1) + b"--XX--\r\n",
            TYPE,
            ErrorKind.BODY_TOO_LARGE,
        ),
        (
            part("a", b"x" * (MAX_TEXT_BYTES + 1)) + b"--XX--\r\n",
            TYPE,
            ErrorKind.BODY_TOO_LARGE,
        ),
    ],
    ids=range(11),
)
def test_what_is_no_form(body: bytes, content_type: str, kind: ErrorKind) -> None:
    """A body that is no whole form within the limits is the client's error."""
    with pytest.raises(ClientError) as caught:
        form(request(body, content_type))

    assert kind == caught.value.kind


def test_a_long_file_is_no_long_text() -> None:
    """The bound of texts is not that of files."""
    content = b"x" * (MAX_TEXT_BYTES + 1)
    body = part("f", content, '; filename="a"') + b"--XX--\r\n"

    assert content == form(request(body)).files[0].content


def test_a_form_is_known_by_its_type() -> None:
    """Only multipart bodies are forms; clients send JSON under many other names."""
    assert is_form(request(b"", TYPE))
    assert not is_form(request(b"", "application/x-www-form-urlencoded"))
