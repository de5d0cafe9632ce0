"""Uploads and pages are read, or told what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.core.errors import ClientError
from poeflask.core.form import Form, FormFile
from poeflask.endpoints.files.decode import (
    Page,
    Upload,
    decode_anthropic_page,
    decode_anthropic_upload,
    decode_page,
    decode_upload,
)

NOTE = FormFile(key="file", name="note.txt", content_type="text/plain", content=b"hello")


def upload(*files: FormFile, **texts: str) -> Upload:
    """An upload of these files, or of a note, with these texts beside its purpose."""
    sent = {"purpose": "user_data", **texts}
    return decode_upload(Form(tuple(sent.items()), files or (NOTE,)), max_bytes=10)


def named(name: str) -> FormFile:
    """The note under another name."""
    return FormFile(key="file", name=name, content=b"hello")


def test_an_upload_is_a_file_and_a_purpose():
    """For as long as files are kept, if nothing else is said."""
    assert Upload(file=NOTE, purpose="user_data") == upload()


def test_how_long_it_is_kept_may_be_said():
    """In OpenAI's two fields."""
    said = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}

    assert 3600 == upload(**said).ttl_s


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("/etc/passwd", "passwd"),
        ("C:\\docs\\a b.pdf", "a b.pdf"),
        ("é\r\nX: 1\u2028.txt", "éX: 1.txt"),
        ("..", ".."),
        ("", "file"),
        ("a/", "file"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("\ud800a", "a"),
    ],
)
def test_a_name_has_no_path_and_can_be_shown(name: str, kept: str):
    """Whatever a client's system calls a file."""
    assert kept == upload(named(name)).file.name


@pytest.mark.parametrize(
    ("texts", "param"),
    [
        ({"purpose": ""}, "purpose"),
        ({"purpose": "world domination"}, "purpose"),
        ({"expires_after[seconds]": "3600"}, "expires_after.anchor"),
        (
            {"expires_after[anchor]": "now", "expires_after[seconds]": "3600"},
            "expires_after.anchor",
        ),
        ({"expires_after[anchor]": "created_at"}, "expires_after.seconds"),
        *(
            (
                {"expires_after[anchor]": "created_at", "expires_after[seconds]": seconds},
                "expires_after.seconds",
            )
            for seconds in ("", "x", "3599", "2592001", "1e4", "-5", "9" * 4000, "٣٦٠٠")
        ),
    ],
)
def test_a_wrong_text_is_named(texts: dict[str, str], param: str):
    """The error says what would be right."""
    with pytest.raises(ClientError) as caught:
        upload(**texts)

    assert param == caught.value.param
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    ("file", "word"),
    [
        (FormFile(key="upload", content=b"x"), "missing"),
        (FormFile(key="file", name="x"), "empty"),
        (FormFile(key="file", content=b"x" * 11), "at most 10 bytes"),
    ],
)
def test_a_file_that_cannot_be_kept_is_refused(file: FormFile, word: str):
    """Missing, empty, or too large."""
    with pytest.raises(ClientError, match=word) as caught:
        upload(file)

    assert "file" == caught.value.param


def test_a_page_has_defaults():
    """All files, the newest first."""
    assert Page(after="", limit=10_000, order="desc", purpose="") == decode_page({})
    assert Page(after="f", limit=2, order="asc", purpose="vision") == decode_page(
        {"after": "f", "limit": "2", "order": "asc", "purpose": "vision"}
    )


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "10001"},
        {"limit": "x"},
        {"limit": "-1"},
        {"limit": "9" * 5000},
        {"order": "up"},
    ],
)
def test_a_wrong_page_is_refused(query: dict[str, Any]):
    """The error names the field."""
    with pytest.raises(ClientError) as caught:
        decode_page(query)

    assert next(iter(query)) == caught.value.param


def test_anthropics_clients_name_no_purpose():
    """They may say how long the file is kept, in a field of their own."""
    bare = decode_anthropic_upload(Form((), (NOTE,)), max_bytes=10)
    short = decode_anthropic_upload(Form((("expires_in_seconds", "3600"),), (NOTE,)), max_bytes=10)

    assert Upload(file=NOTE, purpose="user_data") == bare
    assert 3600 == short.ttl_s
    with pytest.raises(ClientError, match="from 3600 to 7776000") as caught:
        decode_anthropic_upload(Form((("expires_in_seconds", "5"),), (NOTE,)), max_bytes=10)
    assert "expires_in_seconds" == caught.value.param


def test_anthropics_pages_have_cursors():
    """The newer field and the older one."""
    assert Page(limit=20) == decode_anthropic_page({})
    assert Page(after="file-1", limit=5) == decode_anthropic_page(
        {"page": "page_file-1", "limit": "5"}
    )
    assert Page(after="file-1", limit=20) == decode_anthropic_page({"after_id": "file-1"})
    with pytest.raises(ClientError, match="from 1 to 1000"):
        decode_anthropic_page({"limit": "1001"})
