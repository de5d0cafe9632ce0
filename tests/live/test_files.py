"""/v1/files with the official SDKs as judges."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import openai
import pytest
import requests
from openai import OpenAI

from tests.live.conftest import Live

NOTE = ("note.txt", b"The cat is called Ada.", "text/plain")


@pytest.fixture
def stranger(live: Live) -> Iterator[OpenAI]:
    """The SDK with another key."""
    url = f"{live.url}/v1"
    with OpenAI(base_url=url, api_key="another-key", max_retries=0, timeout=20) as made:
        yield made


def test_a_file_lives_from_upload_to_deletion(client: OpenAI) -> None:
    """It is told of, listed, given back as it was, and gone."""
    kept = client.files.create(
        file=NOTE,
        purpose="user_data",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )

    assert kept.id.startswith("file-")
    assert ("note.txt", 22, "user_data", 3600) == (
        kept.filename,
        kept.bytes,
        kept.purpose,
        (kept.expires_at or 0) - kept.created_at,
    )
    assert kept == client.files.retrieve(kept.id)
    assert kept.id in [file.id for file in client.files.list(limit=1, order="asc")]
    assert NOTE[1] == client.files.content(kept.id).content
    assert client.files.delete(kept.id).deleted
    with pytest.raises(openai.NotFoundError, match="There is no file"):
        client.files.retrieve(kept.id)


def test_an_id_stands_for_the_file_in_a_chat(client: OpenAI) -> None:
    """The bot gets the file under its name."""
    kept = client.files.create(file=NOTE, purpose="user_data")
    answer = client.chat.completions.create(
        model="Reader",
        messages=[{"role": "user", "content": [{"type": "file", "file": {"file_id": kept.id}}]}],
    )

    assert "The cat is called Ada." in (answer.choices[0].message.content or "")
    assert "note.txt" in (answer.choices[0].message.content or "")


def test_another_key_sees_nothing_of_it(client: OpenAI, stranger: OpenAI) -> None:
    """Not by its id, not in a list, not in a chat."""
    kept = client.files.create(file=NOTE, purpose="user_data")

    assert [] == list(stranger.files.list())
    for ask in (stranger.files.retrieve, stranger.files.content, stranger.files.delete):
        with pytest.raises(openai.NotFoundError):
            ask(kept.id)
    with pytest.raises(openai.BadRequestError, match="no file with the id"):
        stranger.chat.completions.create(
            model="Reader",
            messages=[
                {"role": "user", "content": [{"type": "file", "file": {"file_id": kept.id}}]}
            ],
        )
    assert NOTE[1] == client.files.content(kept.id).content


def test_a_page_of_a_file_is_a_download(client: OpenAI, live: Live) -> None:
    """No browser may run what somebody uploaded; a name cannot break the header."""
    kept = client.files.create(
        file=('a "ü"\n.html', b"<script>alert(1)</script>", "text/html"), purpose="user_data"
    )
    answer = requests.get(
        f"{live.url}/v1/files/{kept.id}/content",
        headers={"Authorization": "Bearer any-key"},
        timeout=10,
    )

    assert "application/octet-stream" == answer.headers["Content-Type"]
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "nosniff" == answer.headers["X-Content-Type-Options"]


def test_what_is_no_upload_is_refused(live: Live) -> None:
    """Without a key, without a form, without a file or purpose."""
    url, key = f"{live.url}/v1/files", {"Authorization": "Bearer k"}
    got = [
        requests.post(url, files={"file": NOTE}, data={"purpose": "vision"}, timeout=10),
        requests.post(url, headers=key, json={"purpose": "vision"}, timeout=10),
        requests.post(url, headers=key, files={"other": NOTE}, timeout=10),
        requests.post(url, headers=key, files={"file": NOTE}, timeout=10),
        requests.get(f"{url}?limit=x", headers=key, timeout=10),
        requests.get(f"{url}/..%2f..%2fstore.db/content", headers=key, timeout=10),
    ]

    assert [401, 415, 400, 400, 400, 404] == [answer.status_code for answer in got]
    assert all(answer.json()["error"]["message"] for answer in got)


def test_anthropics_sdk_keeps_files_too(live: Live) -> None:
    """In its own words; pages follow each other, and a bot reads what an id stands for."""
    with anthropic.Anthropic(
        base_url=live.url, api_key="third-key", max_retries=0, timeout=20
    ) as client:
        kept = [client.files.upload(file=NOTE) for _ in range(3)]
        listed = [file.id for file in client.files.list(limit=2)]
        content = client.files.download(kept[0].id).read()
        answer = client.messages.create(
            model="Reader",
            max_tokens=1000,
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "document", "source": {"type": "file", "file_id": kept[0].id}}
                    ],
                }
            ],
        )
        gone = client.files.delete(kept[0].id)
        with pytest.raises(anthropic.NotFoundError, match="There is no file"):
            client.files.retrieve_metadata(kept[0].id)

    assert [file.id for file in reversed(kept)] == listed
    assert NOTE[1] == content
    assert ("note.txt", 22, "text/plain") == (
        kept[0].filename,
        kept[0].size_bytes,
        kept[0].mime_type,
    )
    assert "The cat is called Ada." in answer.content[0].text
    assert "file_deleted" == gone.type
