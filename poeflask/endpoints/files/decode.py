"""Requests about kept files: what is uploaded, and which page of the list is wanted.

OpenAI and Anthropic share the paths and differ in the fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from poeflask.core.form import Form, FormFile
from poeflask.endpoints.shapes import one_of, shown, wrong

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
MAX_PAGE = 10_000

LEAST_TTL_S = 3_600
MOST_TTL_S = 2_592_000
MOST_ANTHROPIC_TTL_S = 7_776_000

ANTHROPIC_PURPOSE = "user_data"
"""Anthropic's clients name no purpose; this is what OpenAI calls the same."""

MAX_ANTHROPIC_PAGE = 1_000
USUAL_ANTHROPIC_PAGE = 20
CURSOR = "page_"
"""What stands before the last id of a page in the cursor of the next one."""

_ORDERS: Mapping[str, Literal["asc", "desc"]] = {"asc": "asc", "desc": "desc"}
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_MAX_NAME_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file to keep; `ttl_s` is None if the client does not say for how long."""

    file: FormFile
    purpose: str
    ttl_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of the list: at most `limit` files behind the one with the id `after`."""

    after: str = ""
    limit: int = MAX_PAGE
    order: Literal["asc", "desc"] = "desc"
    purpose: str = ""


def decode_upload(form: Form, *, max_bytes: int) -> Upload:
    """Read the form of an upload.

    Raises:
        ClientError: a field is missing or wrong, or the file is empty or too large.
    """
    texts = dict(form.texts)
    file = _file(form, max_bytes)
    purpose = texts.get("purpose", "")
    if purpose not in PURPOSES:
        what = f"must be {one_of(PURPOSES)}, not {shown(purpose)}." if purpose else _NO_PURPOSE
        raise wrong("purpose", what)
    return Upload(file=file, purpose=purpose, ttl_s=_ttl_s(texts))


def decode_anthropic_upload(form: Form, *, max_bytes: int) -> Upload:
    """Read the form of an upload by a client of Anthropic's.

    Raises:
        ClientError: a field is missing or wrong, or the file is empty or too large.
    """
    said = dict(form.texts).get("expires_in_seconds")
    ttl_s = None
    if said is not None:
        ttl_s = _seconds(said, "expires_in_seconds", MOST_ANTHROPIC_TTL_S)
    return Upload(file=_file(form, max_bytes), purpose=ANTHROPIC_PURPOSE, ttl_s=ttl_s)


def decode_page(query: Mapping[str, str]) -> Page:
    """Read the query of a list.

    Raises:
        ClientError: a field is wrong.
    """
    order = query.get("order", "desc")
    limit = _limit(query, usual=MAX_PAGE, most=MAX_PAGE)
    if order not in _ORDERS:
        raise wrong("order", f"must be {one_of(_ORDERS)}, not {shown(order)}.")
    return Page(
        after=query.get("after", ""),
        limit=limit,
        order=_ORDERS[order],
        purpose=query.get("purpose", ""),
    )


def decode_anthropic_page(query: Mapping[str, str]) -> Page:
    """Read the query of a list by a client of Anthropic's.

    Raises:
        ClientError: a field is wrong.
    """
    limit = _limit(query, usual=USUAL_ANTHROPIC_PAGE, most=MAX_ANTHROPIC_PAGE)
    after = query.get("page", "").removeprefix(CURSOR) or query.get("after_id", "")
    return Page(after=after, limit=limit)


def _limit(query: Mapping[str, str], *, usual: int, most: int) -> int:
    said = query.get("limit", str(usual))
    limit = _number(said)
    if limit is None or not 1 <= limit <= most:
        raise wrong("limit", f"must be a whole number from 1 to {most}, not {shown(said)}.")
    return limit


def _file(form: Form, max_bytes: int) -> FormFile:
    file = next((file for file in form.files if file.key == "file"), None)
    if file is None:
        raise wrong("file", "is missing: it must be a file of the form.")
    if not file.content:
        raise wrong("file", "is an empty file.")
    if len(file.content) > max_bytes:
        raise wrong("file", f"may be at most {max_bytes} bytes large, not {len(file.content)}.")
    return _named(file)


_NO_PURPOSE = f"is missing: it must be {one_of(PURPOSES)}."


def _named(file: FormFile) -> FormFile:
    """The file under a name without path and without what cannot be shown."""
    last = _UNPRINTABLE.sub("", file.name.replace("\\", "/")).rpartition("/")[2].strip()
    return FormFile(
        key=file.key,
        name=last[-_MAX_NAME_CHARS:] or "file",
        content_type=file.content_type,
        content=file.content,
    )


def _ttl_s(texts: Mapping[str, str]) -> int | None:
    anchor, said = texts.get("expires_after[anchor]"), texts.get("expires_after[seconds]")
    if anchor is None and said is None:
        return None
    if anchor != "created_at":
        raise wrong("expires_after.anchor", f"must be 'created_at', not {shown(anchor)}.")
    return _seconds(said or "", "expires_after.seconds", MOST_TTL_S)


def _seconds(said: str, param: str, most: int) -> int:
    seconds = _number(said)
    if seconds is None or not LEAST_TTL_S <= seconds <= most:
        what = f"must be a whole number from {LEAST_TTL_S} to {most}, not {shown(said)}."
        raise wrong(param, what)
    return seconds


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else None
