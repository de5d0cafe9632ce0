"""The request's body as a form: read once, within limits."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import IO, Any

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.core.form import Form, FormFile
from poeflask.web import body

MAX_FORM_PARTS = 100
MAX_TEXT_BYTES = 1024 * 1024
"""The most that one text of a form may hold."""


def is_form(request: Request) -> bool:
    """Whether the body says of itself that it is a form that may hold files."""
    return request.mimetype == "multipart/form-data"


def form(request: Request) -> Form:
    """The multipart form that the request's body is.

    Raises:
        ClientError: the body is no form, cannot be read as the form that it says it is, has too
            many parts, one without a name or a text that is too long; or it is compressed, cut off
            or too slow.
    """
    if not is_form(request):
        raise ClientError(
            ErrorKind.UNSUPPORTED_MEDIA_TYPE,
            f"The body is sent as {request.mimetype[:80]!r}; send a form as 'multipart/form-data'.",
        )
    content = body.content(request)
    parser = FormDataParser(
        stream_factory=_in_memory,
        max_form_memory_size=MAX_TEXT_BYTES,
        max_content_length=None,
        silent=False,
        max_form_parts=MAX_FORM_PARTS,
    )
    try:
        _, texts, files = parser.parse(
            BytesIO(content), request.mimetype, len(content), request.mimetype_params
        )
    except RequestEntityTooLarge as error:
        raise ClientError(
            ErrorKind.BODY_TOO_LARGE,
            f"A form may have at most {MAX_FORM_PARTS} parts, "
            f"and a part that is no file at most {MAX_TEXT_BYTES} bytes.",
        ) from error
    except ValueError as error:
        raise ClientError(
            ErrorKind.INVALID_REQUEST,
            "The body could not be read as a form: it breaks off, or its boundary is not the one "
            "that the Content-Type names.",
        ) from error
    if None in texts or None in files:
        raise ClientError(ErrorKind.INVALID_REQUEST, "Every part of a form must have a name.")
    return Form(tuple(texts.items(multi=True)), tuple(_files(files)))


def _in_memory(*_: Any, **__: Any) -> IO[bytes]:
    """Where a file of the form goes: the body is in memory already."""
    return BytesIO()


def _files(parts: Any) -> Iterator[FormFile]:
    """The files; one without name and content is a browser's field that was left empty."""
    for key, part in parts.items(multi=True):
        content = part.stream.read()
        if content or part.filename:
            yield FormFile(
                key=key,
                name=part.filename or "",
                content_type=part.content_type or "",
                content=content,
            )
