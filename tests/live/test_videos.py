"""The videos API with the official SDK as judge."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
import requests
from openai import OpenAI

from tests.live.conftest import Live, Simulator, serving

# OpenAI gives its own films up; clients of this shape of API stay.
pytestmark = pytest.mark.filterwarnings("ignore:The Sora API is scheduled:DeprecationWarning")

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def client(live: Live) -> Iterator[OpenAI]:
    """The SDK, with no retries of its own."""
    with OpenAI(base_url=f"{live.url}/v1", api_key="films", max_retries=0, timeout=20) as made:
        yield made


def last_query(live: Live) -> dict[str, object]:
    """The last message to the bot that makes films."""
    queries = [query for query in live.simulator.queries() if query["bot"] == "Film-Maker"]
    return dict(queries[-1]["body"]["query"][-1])


def aborted(live: Live) -> int:
    """How many answers of the bot that talks for long lost their reader."""
    return live.simulator.connections().get("Slow-Talker", {}).get("aborted", 0)


def test_a_film(live: Live, client: OpenAI) -> None:
    """Ordered, waited for, downloaded, deleted."""
    film = client.videos.create_and_poll(
        model="Film-Maker", prompt="a wave", seconds="8", size="720x1280"
    )
    content = client.videos.download_content(film.id)
    deleted = client.videos.delete(film.id)

    assert ("completed", 100, "8", "720x1280") == (
        film.status,
        film.progress,
        film.seconds,
        film.size,
    )
    assert "video/mp4" == content.response.headers["content-type"]
    assert b"ftyp" == content.content[4:8]
    assert {"duration": "8", "aspect_ratio": "9:16"} == last_query(live)["parameters"]
    assert deleted.deleted
    with pytest.raises(openai.NotFoundError):
        client.videos.retrieve(film.id)


def test_a_film_that_takes_its_time(client: OpenAI) -> None:
    """While it is made there are progress and a hint when to ask again, but no content."""
    ordered = client.videos.with_raw_response.create(
        model="Film-Maker", prompt="slow", extra_body={"interval_ms": 3000}
    )
    film = ordered.parse()
    deadline = time.monotonic() + 10
    while (later := client.videos.retrieve(film.id)).status == "queued":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with pytest.raises(openai.NotFoundError) as caught:
        client.videos.download_content(film.id)
    client.videos.delete(film.id)

    assert "1000" == ordered.headers["openai-poll-after-ms"]
    assert ("queued", "4") == (film.status, film.seconds)
    assert "in_progress" == later.status
    assert later.progress > 0
    assert "video_not_ready" == caught.value.code


def test_a_deleted_film_is_not_made_on(live: Live, client: OpenAI) -> None:
    """Poe's connection ends, whatever the bot still wants to say."""
    before = aborted(live)
    film = client.videos.create(
        model="Slow-Talker", prompt="talk", extra_body={"words": 10_000, "interval_ms": 100}
    )
    client.videos.delete(film.id)
    deadline = time.monotonic() + 8
    while aborted(live) == before:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_picture_to_begin_with(live: Live, client: OpenAI) -> None:
    """A file or a link is attached."""
    client.videos.create(
        model="Film-Maker", prompt="move it", input_reference=("a.png", PNG, "image/png")
    )
    file = last_query(live)["attachments"]
    requests.post(
        f"{live.url}/v1/videos",
        headers={"Authorization": "Bearer films"},
        json={
            "model": "Film-Maker",
            "prompt": "move it",
            "input_reference": {"image_url": "https://example.com/b.png"},
        },
        timeout=10,
    ).raise_for_status()
    link = last_query(live)["attachments"]

    assert ["a.png", "b.png"] == [one["name"] for one in (*file, *link)]


def test_a_list(live: Live) -> None:
    """The films of a key, the newest first, page by page, and no others."""
    with OpenAI(base_url=f"{live.url}/v1", api_key="lister", max_retries=0) as client:
        ids = [
            client.videos.create(model="Film-Maker", prompt=str(number)).id for number in range(3)
        ]
        listed = [film.id for film in client.videos.list(limit=2)]

    assert set(ids) == set(listed)
    assert 3 == len(listed)


def test_films_of_others(live: Live, client: OpenAI) -> None:
    """Another key finds nothing."""
    film = client.videos.create(model="Film-Maker", prompt="mine")
    with OpenAI(base_url=f"{live.url}/v1", api_key="stranger", max_retries=0) as stranger:
        with pytest.raises(openai.NotFoundError):
            stranger.videos.retrieve(film.id)
        with pytest.raises(openai.NotFoundError):
            stranger.videos.download_content(film.id)
        with pytest.raises(openai.NotFoundError):
            stranger.videos.delete(film.id)

    assert film.id == client.videos.retrieve(film.id).id


def test_a_bot_that_is_not_there(client: OpenAI) -> None:
    """What Poe refuses at once is refused with its true status."""
    with pytest.raises(openai.NotFoundError) as caught:
        client.videos.create(model="No-Such-Bot", prompt="x")

    assert "model_not_found" == caught.value.code


def test_a_refusal(client: OpenAI) -> None:
    """A bot that makes no film fails with its own words."""
    film = client.videos.create_and_poll(model="Refuser", prompt="x")

    assert "failed" == film.status
    assert film.error is not None
    assert "content_policy_violation" == film.error.code
    assert "I cannot make that" in film.error.message


def test_only_the_film(live: Live, client: OpenAI) -> None:
    """There are no thumbnails, and that is said."""
    film = client.videos.create_and_poll(model="Film-Maker", prompt="x")
    with pytest.raises(openai.BadRequestError) as caught:
        client.videos.download_content(film.id, variant="thumbnail")

    assert "variant" == caught.value.param


def test_a_wrong_page(live: Live) -> None:
    """The error names the field."""
    answer = requests.get(
        f"{live.url}/v1/videos?limit=1000", headers={"Authorization": "Bearer k"}, timeout=10
    )

    assert (400, "limit") == (answer.status_code, answer.json()["error"]["param"])


def test_no_key(live: Live) -> None:
    """Nobody lists films without a key."""
    assert 401 == requests.get(f"{live.url}/v1/videos", timeout=10).status_code


def test_a_worker_that_dies(simulator: Simulator, tmp_path: Path) -> None:
    """A film outlives the process that made it."""
    key = {"Authorization": "Bearer k"}
    order = {"model": "Film-Maker", "prompt": "x"}
    with serving(simulator, tmp_path) as live:
        film = requests.post(f"{live.url}/v1/videos", headers=key, json=order, timeout=10).json()
        path = f"{live.url}/v1/videos/{film['id']}"
        while requests.get(path, headers=key, timeout=10).json()["status"] != "completed":
            time.sleep(0.05)
        for worker in Path(f"/proc/{live.pid}/task/{live.pid}/children").read_text().split():
            os.kill(int(worker), signal.SIGKILL)
        later = requests.get(path, headers=key, timeout=20).json()
        content = requests.get(f"{path}/content", headers=key, timeout=10)

    assert "completed" == later["status"]
    assert b"ftyp" == content.content[4:8]
