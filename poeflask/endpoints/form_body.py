"""A form as the JSON body that says the same, so that one schema serves both.

A form knows only texts. What is to be a number, a switch or a list is told by the schema; what does
not look like one stays a text, and the schema then says what would be right.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Iterable
from typing import Any

from marshmallow import Schema

from poeflask.core.form import FormFile
from poeflask.core.prompt import File
from poeflask.endpoints.shapes import Array, Flag, Number, wrong

_KEY = re.compile(r"([^\[\]]+)(?:\[([^\[\]]*)\])?")
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,18})?")
_FLAGS = {"true": True, "false": False}


def as_body(schema: Schema, texts: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The JSON body that the form's texts stand for.

    `name[]`, and a name that is said several times, become an array; `name[key]` an object.
    """
    body: dict[str, Any] = {}
    for key, text in texts:
        found = _KEY.fullmatch(key)
        name, inner = (found[1], found[2]) if found else (key, None)
        field = schema.fields.get(name)
        if inner:
            _add_member(body, name, inner, text)
        elif inner is not None or isinstance(field, Array):
            _add_item(body, name, text)
        else:
            body[name] = _value(field, text)
    return body


def as_file(sent: FormFile) -> File:
    """A file of the form as a prompt holds it.

    Raises:
        ClientError: it is empty.
    """
    if not sent.content:
        raise wrong(sent.key.removesuffix("[]"), "is an empty file.")
    content = b2a_base64(sent.content, newline=False).decode("ascii")
    return File(base64=content, content_type=sent.content_type, name=sent.name)


def _add_member(body: dict[str, Any], name: str, inner: str, text: str) -> None:
    held = body.setdefault(name, {})
    if isinstance(held, dict):
        held[inner] = text


def _add_item(body: dict[str, Any], name: str, text: str) -> None:
    held = body.setdefault(name, [])
    if isinstance(held, list):
        held.append(text)


def _value(field: Any, text: str) -> Any:
    if isinstance(field, Flag):
        return _FLAGS.get(text.strip().lower(), text)
    if isinstance(field, Number) and _NUMBER.fullmatch(text.strip()):
        return float(text) if "." in text else int(text)
    return None if field is not None and not text.strip() else text
