"""Kept files become OpenAI's file objects and pages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from openai.types import FileDeleted, FileObject

from poeflask.core.kept_file import KeptFile
from poeflask.endpoints.files.decode import Page
from poeflask.endpoints.files.encode import deletion, file_list, file_object


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
