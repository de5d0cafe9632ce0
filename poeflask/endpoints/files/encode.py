"""Kept files as OpenAI's file objects and lists. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from poeflask.core.kept_file import KeptFile
from poeflask.endpoints.files.decode import Page


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
    wanted = [file for file in files if page.purpose in ("", file.purpose)]
    if page.order == "desc":
        wanted.reverse()
    ids = [file.id for file in wanted]
    start = 0
    if page.after:
        start = ids.index(page.after) + 1 if page.after in ids else len(ids)
    data = [file_object(file) for file in wanted[start : start + page.limit]]
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": start + page.limit < len(wanted),
    }


def deletion(file_id: str) -> dict[str, Any]:
    """What is said of a file that was forgotten."""
    return {"id": file_id, "object": "file", "deleted": True}
