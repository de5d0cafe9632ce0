"""Kept files as the file objects and lists of OpenAI and of Anthropic. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from poeflask.core.kept_file import KeptFile
from poeflask.core.media import UNKNOWN
from poeflask.endpoints.files.decode import CURSOR, Page


def file_object(file: KeptFile) -> dict[str, Any]:
    """The file object; every file is ready as soon as it is there."""
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.size,
        "created_at": int(file.created_s),
        "expires_at": int(file.end_s),
        "filename": file.name,
        "purpose": file.purpose,
        "status": "processed",
        "status_details": None,
    }


def file_list(files: Sequence[KeptFile], page: Page) -> dict[str, Any]:
    """The page of the list. Behind an id that is not in the list there is nothing.

    Args:
        files: all of the owner's files, oldest first.
        page: what is wanted of them.
    """
    found, has_more = _part(files, page)
    data = [file_object(file) for file in found]
    return {"object": "list", "data": data, **_ends(data), "has_more": has_more}


def deletion(file_id: str) -> dict[str, Any]:
    """What is said of a file that was forgotten."""
    return {"id": file_id, "object": "file", "deleted": True}


def anthropic_file(file: KeptFile) -> dict[str, Any]:
    """Anthropic's file object."""
    return {
        "id": file.id,
        "type": "file",
        "filename": file.name,
        "mime_type": file.content_type or UNKNOWN,
        "size_bytes": file.size,
        "created_at": _time(file.created_s),
        "expires_at": _time(file.end_s),
        "downloadable": True,
    }


def anthropic_list(files: Sequence[KeptFile], page: Page) -> dict[str, Any]:
    """Anthropic's page of the list; arguments as with `file_list`."""
    found, has_more = _part(files, page)
    data = [anthropic_file(file) for file in found]
    following = f"{CURSOR}{data[-1]['id']}" if has_more else None
    return {"data": data, **_ends(data), "has_more": has_more, "next_page": following}


def anthropic_deletion(file_id: str) -> dict[str, Any]:
    """What Anthropic says of a file that was forgotten."""
    return {"id": file_id, "type": "file_deleted"}


def _part(files: Sequence[KeptFile], page: Page) -> tuple[list[KeptFile], bool]:
    """The files of a page, and whether more follow."""
    wanted = [file for file in files if page.purpose in ("", file.purpose)]
    if page.order == "desc":
        wanted.reverse()
    ids = [file.id for file in wanted]
    start = 0
    if page.after:
        start = ids.index(page.after) + 1 if page.after in ids else len(ids)
    return wanted[start : start + page.limit], start + page.limit < len(wanted)


def _ends(data: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
