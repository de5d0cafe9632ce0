"""Gemini's API with Google's own client as judge."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from google import genai
from google.genai import errors, types

from tests.endpoints.gemini.bad_requests import BAD_REQUESTS, GOOD, BadRequest
from tests.live.conftest import Live

TASK = 'Create hello.txt with the content "hi there" and read it back.'
HEADERS = {"x-goog-api-key": "k"}
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(62)
PERSON = {
    "type": "OBJECT",
    "properties": {"name": {"type": "STRING"}, "age": {"type": "INTEGER"}},
    "required": ["name", "age"],
}


def made(live: Live) -> genai.Client:
    """The official client, with no retries of its own."""
    options = types.HttpOptions(
        base_url=live.url, timeout=20_000, retry_options=types.HttpRetryOptions(attempts=1)
    )
    return genai.Client(api_key="any-key", http_options=options)


@pytest.fixture(scope="module")
def google(live: Live) -> Iterator[genai.Client]:
    """One client for all tests."""
    with made(live) as client:
        yield client


def post(live: Live, method: str, body: Any = GOOD, **query: str) -> requests.Response:
    """A method of the Echo, called with a key in Google's header."""
    url = f"{live.url}/v1beta/models/Echo:{method}"
    return requests.post(url, json=body, params=query, headers=HEADERS, timeout=20)


def test_whole(google: genai.Client) -> None:
    """A whole answer has text, a reason and usage."""
    answer = google.models.generate_content(model="Echo", contents="Hello there, bridge!")
    usage = answer.usage_metadata

    assert "Hello there, bridge!" == answer.text
    assert "Echo" == answer.model_version
    assert (answer.response_id or "").startswith("gemini-")
    assert answer.candidates is not None
    assert types.FinishReason.STOP == answer.candidates[0].finish_reason
    assert usage is not None
    assert (usage.prompt_token_count or 0) > 5
    assert usage.total_token_count == (
        (usage.prompt_token_count or 0) + (usage.candidates_token_count or 0)
    )


def test_stream(google: genai.Client) -> None:
    """The pieces are the same text; the last one has reason and usage."""
    parts = list(google.models.generate_content_stream(model="Echo", contents="Hello there, you!"))

    assert len(parts) > 2
    assert "Hello there, you!" == "".join(part.text or "" for part in parts)
    assert parts[-1].candidates is not None
    assert types.FinishReason.STOP == parts[-1].candidates[0].finish_reason
    assert parts[-1].usage_metadata is not None
    assert 1 == len({part.response_id for part in parts})


def test_the_asynchronous_client(live: Live) -> None:
    """It gets the same."""

    async def ask() -> str:
        async with made(live).aio as client:
            parts = await client.models.generate_content_stream(model="Echo", contents="Hello you")
            return "".join([part.text or "" async for part in parts])

    assert "Hello you" == asyncio.run(ask())


def test_a_stream_without_a_form_is_one_array(live: Live) -> None:
    """As Google's is, unless events are asked for."""
    array = post(live, "streamGenerateContent")
    events = post(live, "streamGenerateContent", alt="sse")

    assert "application/json" == array.headers["Content-Type"]
    assert "text/event-stream" in events.headers["Content-Type"]
    frames = [frame.removeprefix("data: ") for frame in events.text.split("\n\n")[:-1]]
    assert [_text(piece) for piece in array.json()] == [_text(json.loads(one)) for one in frames]


def _text(piece: dict[str, Any]) -> str:
    text: str = piece["candidates"][0]["content"]["parts"][0]["text"]
    return text


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"x-goog-api-key": "canary-815"}, {}),
        ({}, {"key": "canary-815"}),
        ({"Authorization": "Bearer canary-815"}, {}),
    ],
)
def test_versions_and_keys(live: Live, version: str, headers: Any, query: Any) -> None:
    """Every version of the path, a key in every place; and none of them is ever logged."""
    url = f"{live.url}/{version}/models/Echo:generateContent"
    answer = requests.post(url, json=GOOD, headers=headers, params=query, timeout=20)

    assert "Hello" == _text(answer.json())
    assert "canary-815" not in live.log.read_text()


@pytest.mark.parametrize("bot", ["Agent", "Prompted-Agent"])
def test_an_agent_does_its_task(google: genai.Client, tmp_path: Path, bot: str) -> None:
    """The client's own tool loop creates a file and reads it, however the bot takes tools."""

    def write_file(path: str, content: str) -> str:
        """Write a file."""
        (tmp_path / path).write_text(content)
        return "written"

    def read_file(path: str) -> str:
        """Read a file."""
        return (tmp_path / path).read_text()

    config = types.GenerateContentConfig(tools=[write_file, read_file])
    chat = google.chats.create(model=bot, config=config)
    answer = chat.send_message(TASK)
    history = chat.get_history(curated=True)
    called = [
        part.function_call.name for c in history for part in c.parts or () if part.function_call
    ]

    assert "hi there" == (tmp_path / "hello.txt").read_text()
    assert "hi there" in (answer.text or "")
    assert ["write_file", "read_file"] == called


def test_a_chat_goes_on(google: genai.Client) -> None:
    """The client's history of a streamed turn is one that the next turn can be built on."""
    chat = google.chats.create(model="Counter")
    list(chat.send_message_stream("one"))
    answer = chat.send_message("two")

    assert "user: 2, bot: 1" == answer.text


def test_thoughts(google: genai.Client) -> None:
    """Shown to who asks for them, counted for everybody."""
    config = types.GenerateContentConfig(
        thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_budget=1024)
    )
    shown = google.models.generate_content(model="Thinker", contents="Hi you", config=config)
    plain = google.models.generate_content(model="Thinker", contents="Hi you")

    assert shown.parts is not None
    assert [True, None] == [part.thought for part in shown.parts]
    assert "2 words" in (shown.parts[0].text or "")
    assert "You said: Hi you" == shown.text == plain.text
    assert plain.usage_metadata is not None
    assert (plain.usage_metadata.thoughts_token_count or 0) > 5


def test_answers_of_a_form(google: genai.Client) -> None:
    """Google's own kind of schema is kept."""
    config = types.GenerateContentConfig(
        response_mime_type="application/json", response_schema=PERSON
    )
    answer = google.models.generate_content(model="Json-Writer", contents="Ann", config=config)

    assert {"name", "age"} == json.loads(answer.text or "").keys()


def test_files(google: genai.Client) -> None:
    """Pictures reach the bot as what they are; what a bot paints comes as a link."""
    part = types.Part.from_bytes(data=PICTURE, mime_type="image/png")
    read = google.models.generate_content(model="Reader", contents=["See:", part])
    painted = google.models.generate_content(model="Painter", contents="a cat")

    assert f"(image/png) has {len(PICTURE)} bytes" in (read.text or "")
    assert "](http" in (painted.text or "")


def test_configuration(google: genai.Client, live: Live) -> None:
    """Limits, several candidates and a system instruction; what has no effect is named."""
    config = types.GenerateContentConfig(
        max_output_tokens=2, candidate_count=2, system_instruction="Be brief.", top_k=40
    )
    answer = google.models.generate_content(model="Echo", contents="one two three", config=config)
    ignored = post(live, "generateContent", {**GOOD, "generationConfig": {"topK": 40}}).headers

    assert answer.candidates is not None
    assert [0, 1] == [candidate.index for candidate in answer.candidates]
    reasons = {candidate.finish_reason for candidate in answer.candidates}
    assert {types.FinishReason.MAX_TOKENS} == reasons
    assert "top_k" == ignored["x-poeflask-ignored"]


def test_counting(google: genai.Client, live: Live) -> None:
    """The same number that the answer's usage has, from contents or from a whole request."""
    counted = google.models.count_tokens(model="Echo", contents="Hello there, bridge!")
    answer = google.models.generate_content(model="Echo", contents="Hello there, bridge!")
    inside = post(live, "countTokens", {"generateContentRequest": {"model": "models/x", **GOOD}})

    assert answer.usage_metadata is not None
    assert counted.total_tokens == answer.usage_metadata.prompt_token_count
    assert inside.json() == post(live, "countTokens").json()


def test_models(google: genai.Client, live: Live) -> None:
    """All bots, and one of them in whatever case; also where OpenAI's list is."""
    names = {model.name for model in google.models.list()}
    versions = [
        requests.get(f"{live.url}/{version}/models", headers=HEADERS, timeout=10).json()
        for version in ("v1", "v1beta", "v1alpha")
    ]

    assert {"models/Echo", "models/Painter"} <= names
    assert "models/Echo" == google.models.get(model="echo").name
    assert versions[0] == versions[1] == versions[2]
    with pytest.raises(errors.ClientError) as caught:
        google.models.get(model="nobody")
    assert (404, "NOT_FOUND") == (caught.value.code, caught.value.status)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("bot", "code", "status"),
    [
        ("No-Such-Bot", 404, "NOT_FOUND"),
        ("No-Points", 429, "RESOURCE_EXHAUSTED"),
        ("Bad-Token", 401, "UNAUTHENTICATED"),
        ("Http-403", 403, "PERMISSION_DENIED"),
        ("Http-529", 503, "UNAVAILABLE"),
        ("Empty", 502, "UNAVAILABLE"),
    ],
)
def test_a_refusal_has_its_status(
    google: genai.Client, bot: str, code: int, status: str, stream: bool
) -> None:
    """Streamed or not, the client raises with Google's word for it."""
    ask = google.models.generate_content_stream if stream else google.models.generate_content
    with pytest.raises(errors.APIError) as caught:
        list(ask(model=bot, contents="Hello"))

    assert (code, status) == (caught.value.code, caught.value.status)


@pytest.mark.parametrize("bot", ["Error-Late", "Cut-Between"])
def test_an_error_after_text_is_raised_by_the_client(google: genai.Client, bot: str) -> None:
    """What was said stays said, then the client raises."""
    said: list[str] = []
    with pytest.raises(errors.ServerError):
        said.extend(
            part.text or ""
            for part in google.models.generate_content_stream(model=bot, contents="Hello")
        )

    assert "".join(said)


def test_a_silent_stream_is_kept_alive(google: genai.Client) -> None:
    """By pieces that add nothing, which the client reads as any other."""
    options = types.HttpOptions(extra_body={"poe": {"first_ms": 2700, "words": 1}})
    config = types.GenerateContentConfig(http_options=options)
    stream = google.models.generate_content_stream
    parts = list(stream(model="Slow-Talker", contents="count", config=config))

    assert ["", "word 1."] == [parts[0].text, "".join(part.text or "" for part in parts)]


@pytest.mark.parametrize(
    ("method", "status"),
    [("embedContent", 501), ("predict", 501), ("batchEmbedContents", 501), ("danceContent", 404)],
)
def test_what_poe_has_not_is_refused(live: Live, method: str, status: int) -> None:
    """In Google's shape, with a sentence on what helps."""
    error = post(live, method).json()["error"]

    assert status == error["code"]
    assert method in error["message"]


def test_a_path_without_a_method(live: Live) -> None:
    """There is nothing to call."""
    url = f"{live.url}/v1beta/models/Echo"
    answer = requests.post(url, json=GOOD, headers=HEADERS, timeout=10)

    assert (404, "NOT_FOUND") == (answer.status_code, answer.json()["error"]["status"])


def test_unknown_routes_are_told_in_google_s_shape(live: Live) -> None:
    """Also where there is no route that could know it."""
    answers = [requests.get(f"{live.url}/{v}/nope", timeout=10) for v in ("v1beta", "v1alpha")]

    assert ["NOT_FOUND"] * 2 == [answer.json()["error"]["status"] for answer in answers]


def test_no_key_is_refused(live: Live) -> None:
    """In Google's shape."""
    url = f"{live.url}/v1beta/models/Echo:generateContent"
    answer = requests.post(url, json=GOOD, timeout=10)

    assert (401, "UNAUTHENTICATED") == (answer.status_code, answer.json()["error"]["status"])


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """One connection for all rows: an error must not break it."""
    with requests.Session() as session:
        session.headers.update(HEADERS)
        yield session


@pytest.mark.parametrize("bad", BAD_REQUESTS, ids=lambda bad: bad.name)
def test_a_wrong_request(live: Live, session: requests.Session, bad: BadRequest) -> None:
    """The error says in Google's shape which field is wrong and what would be right."""
    url = f"{live.url}/v1beta/models/Echo:generateContent"
    answer = session.post(url, json=bad.body, timeout=20)
    error = answer.json()["error"]

    assert (400, "INVALID_ARGUMENT") == (answer.status_code, error["status"])
    assert bad.param == error["details"][0]["fieldViolations"][0]["field"]
    assert bad.word in error["message"]
