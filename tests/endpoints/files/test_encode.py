"""Kept files become the file objects and pages of OpenAI and of Anthropic."""

from __future__ import annotations

from dataclasses import replace

from anthropic.types import DeletedFile, FileMetadata
from hypothesis import given
from hypothesis import strategies as st
from openai.types import FileDeleted, FileObject

from poeflask.core.kept_file import KeptFile
from poeflask.endpoints.files.decode import Page
from poeflask.endpoints.files.encode import (
    anthropic_deletion,
    anthropic_file,
    anthropic_list,
    deletion,
    file_list,
    file_object,
)


def kept(number: int, purpose: str = "vision") -> KeptFile:
    """A kept file with this number."""
    return KeptFile(
        id=f"file-{number}",
        name="a.png",
        content_type="image/png",
        purpose=purpose,
        size=7,
        created_s=10.5 + number,
        end_s=99.9,
    )


FILES = [kept(1), kept(2, "user_data"), kept(3), kept(4)]


def ids(page: Page) -> list[str]:
    """The ids on the page of the four files."""
    return [file["id"] for file in file_list(FILES, page)["data"]]


def test_a_file_object_is_what_the_sdk_knows():
    """Times are whole seconds."""
    file = FileObject.model_validate(file_object(kept(1)), strict=True)

    assert ("file-1", 7, 11, 99, "a.png", "vision", "processed") == (
        file.id,
        file.bytes,
        file.created_at,
        file.expires_at,
        file.filename,
        file.purpose,
        file.status,
    )
    assert FileDeleted.model_validate(deletion("file-1"), strict=True).deleted


def test_a_page_is_ordered_filtered_and_bounded():
    """Newest first unless it is said otherwise."""
    assert ["file-4", "file-3", "file-2", "file-1"] == ids(Page())
    assert ["file-1", "file-2"] == ids(Page(order="asc", limit=2))
    assert ["file-3", "file-1"] == ids(Page(purpose="vision", after="file-4"))
    assert [] == ids(Page(after="file-9"))


def test_a_page_says_what_it_holds():
    """Its first and last id, and whether there is more."""
    page = file_list(FILES, Page(limit=3))
    empty = file_list([], Page())

    assert ("file-4", "file-2", True) == (page["first_id"], page["last_id"], page["has_more"])
    assert (None, None, False) == (empty["first_id"], empty["last_id"], empty["has_more"])


@given(st.integers(0, 9), st.integers(1, 4))
def test_all_pages_joined_are_the_list(many: int, limit: int):
    """Each page begins behind the last one's end."""
    files = [kept(number) for number in range(many)]
    seen: list[str] = []
    more = True
    while more:
        page = file_list(files, Page(after=seen[-1] if seen else "", limit=limit, order="asc"))
        seen += [file["id"] for file in page["data"]]
        more = page["has_more"]

    assert [file.id for file in files] == seen


def test_anthropics_file_object_is_what_its_sdk_knows():
    """Times are written out; a type that nobody said is bytes."""
    file = FileMetadata.model_validate(anthropic_file(kept(1)))
    unknown = replace(kept(1), content_type="")

    assert ("file-1", "a.png", "image/png", 7, True) == (
        file.id,
        file.filename,
        file.mime_type,
        file.size_bytes,
        file.downloadable,
    )
    assert "1970-01-01T00:00:11Z" == anthropic_file(kept(1))["created_at"]
    assert "application/octet-stream" == anthropic_file(unknown)["mime_type"]
    assert "file_deleted" == DeletedFile.model_validate(anthropic_deletion("file-1")).type


def test_anthropics_page_names_the_next_one():
    """Null on the last."""
    first = anthropic_list(FILES, Page(limit=3))
    last = anthropic_list(FILES, Page(limit=3, after="file-2"))

    assert ("page_file-2", True) == (first["next_page"], first["has_more"])
    assert (None, False) == (last["next_page"], last["has_more"])
    assert ["file-1"] == [file["id"] for file in last["data"]]
