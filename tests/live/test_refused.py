"""What Poe has no counterpart for, with the official SDK as judge."""

from __future__ import annotations

from collections.abc import Callable

import openai
import pytest
import requests
from google import genai
from google.genai import errors, types
from openai import OpenAI

from poeflask.endpoints.refused.absent import ABSENT
from tests.live.conftest import Live

CALLS: dict[str, Callable[[OpenAI], object]] = {
    "batches": lambda client: client.batches.create(
        completion_window="24h", endpoint="/v1/chat/completions", input_file_id="file-1"
    ),
    "batches/id": lambda client: client.batches.retrieve("batch_1"),
    "fine_tuning": lambda client: client.fine_tuning.jobs.list(),
    "vector_stores": lambda client: client.vector_stores.create(name="x"),
    "vector_stores/id": lambda client: client.vector_stores.delete("vs_1"),
    "uploads": lambda client: client.uploads.cancel("upload_1"),
    "containers": lambda client: client.containers.list(),
    "evals": lambda client: client.evals.list(),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_sdk_hears_why(client: OpenAI, name: str) -> None:
    """Whatever the method and however deep the path; the SDK is told not to try again."""
    with pytest.raises(openai.InternalServerError, match="is not offered here") as caught:
        CALLS[name](client)

    assert 501 == caught.value.status_code
    assert "not_offered" == caught.value.code
    assert "false" == caught.value.response.headers["x-should-retry"]


def test_the_sdk_of_google_hears_why(live: Live) -> None:
    """As an error of its own, with a status of Google's."""
    options = types.HttpOptions(base_url=live.url)
    with genai.Client(api_key="any-key", http_options=options) as client:
        for call in (
            lambda: client.caches.create(model="Echo"),
            lambda: client.files.upload(file=__file__),
        ):
            with pytest.raises(errors.ServerError, match="is not offered here") as caught:
                call()

            assert (501, "UNIMPLEMENTED") == (caught.value.code, caught.value.status)


@pytest.mark.parametrize("path", ["video_1/remix", "edits", "extensions"])
def test_a_film_is_not_changed(live: Live, path: str) -> None:
    """Neither by its id nor as a file; the way to a new one is told."""
    url, headers = f"{live.url}/v1/videos/{path}", {"Authorization": "Bearer any-key"}
    answer = requests.post(url, json={"prompt": "Bluer"}, headers=headers, timeout=10)

    assert (501, "not_offered") == (answer.status_code, answer.json()["error"]["code"])
    assert "POST /v1/videos makes a new one" in answer.json()["error"]["message"]


def test_every_row_of_the_table_is_a_route(live: Live) -> None:
    """With a version in its path or without, and for Anthropic's clients in their shape."""
    got = [
        requests.post(f"{live.url}{prefix}/{name}/x", json={}, headers=headers, timeout=10)
        for name in ABSENT
        for prefix, headers in (("", {}), ("/v1", {"anthropic-version": "2023-06-01"}))
    ]

    assert {501} == {answer.status_code for answer in got}
    assert {"error"} == {answer.json().get("type") for answer in got[1::2]}
