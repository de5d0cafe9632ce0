"""The official SDKs for node, one process each, drive all routes that they know.

The scripts in `node/` ask; what came of each question is held to here.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.installed import INSTALL_S, NodePackages, makers
from tests.live.conftest import Live, Simulator, serving

pytestmark = [pytest.mark.clients, pytest.mark.timeout(INSTALL_S + 100)]

SCRIPTS = Path(__file__).parent / "node"
RUN_S = 90.0

SAID = "Hello, wörld! 🙂"
TOLD = "Done. The tool said: sunny, 21 degrees"
DONE = "Done. The tool said: written / good morning"
HEARD = "This is what I heard."
NOTE = "The cat is called Ada."
PNG = "\x89PNG\r\n\x1a\n"
ADA = {"name": "Ada", "age": 36}

OPENAI_ERRORS = {
    400: ("BadRequestError", 400, None),
    401: ("AuthenticationError", 401, "invalid_api_key"),
    402: ("RateLimitError", 429, "insufficient_quota"),
    403: ("PermissionDeniedError", 403, "content_policy"),
    404: ("NotFoundError", 404, "model_not_found"),
    413: ("BadRequestError", 400, "context_length_exceeded"),
    429: ("RateLimitError", 429, "rate_limit_exceeded"),
    500: ("InternalServerError", 500, "poe_error"),
    503: ("InternalServerError", 503, "service_unavailable"),
    529: ("InternalServerError", 529, "overloaded"),
}
"""Class, status and code for each status of Poe's."""

ANTHROPIC_ERRORS = {
    400: ("BadRequestError", 400, "invalid_request_error"),
    401: ("AuthenticationError", 401, "authentication_error"),
    402: ("PaymentRequiredError", 402, "billing_error"),
    403: ("PermissionDeniedError", 403, "permission_error"),
    404: ("NotFoundError", 404, "not_found_error"),
    413: ("BadRequestError", 400, "invalid_request_error"),
    429: ("RateLimitError", 429, "rate_limit_error"),
    500: ("InternalServerError", 500, "api_error"),
    503: ("ServiceUnavailableError", 503, "api_error"),
    529: ("OverloadedError", 529, "overloaded_error"),
}
"""Class, status and type for each status of Poe's."""

BREAKS = {
    "Error-Late": ("poe_error", SAID),
    "Bad-Json": ("poe_broken", "Hello"),
    "Cut-Between": ("poe_broken", SAID),
    "Cut-Reset": ("poe_broken", SAID),
    "Silent-Middle": ("timeout", SAID),
}
"""Code of the error, and what was said before it, for each bot that breaks off."""

each_break = pytest.mark.parametrize("bot", BREAKS)
each_tool_way = pytest.mark.parametrize(
    "way", ["Tool-User whole", "Tool-User stream", "Prompted-Tools whole", "Prompted-Tools stream"]
)
each_agent = pytest.mark.parametrize("bot", ["Agent", "Prompted-Agent"])
each_parse = pytest.mark.parametrize("way", ["parse", "parse stream"])


class Told:
    """What a script told, by the names of its questions."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told

    def __getitem__(self, name: str) -> Any:
        """What came of a question; fails the test if the SDK threw what it should not have."""
        if "failed" in self._told[name]:
            pytest.fail(self._told[name]["failed"])
        return self._told[name].get("value")


@pytest.fixture(scope="module")
def packages() -> NodePackages:
    """Where the SDKs are."""
    return makers()


@pytest.fixture(scope="module")
def eager(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A poeflask that asks Poe once only, so that what asks again is the SDK."""
    with serving(
        simulator,
        tmp_path_factory.mktemp("poeflask"),
        POEFLASK_TRIES="1",
        POEFLASK_FIRST_EVENT_WAIT_S="2",
        POEFLASK_IDLE_TIMEOUT_S="1",
        POEFLASK_MODERATION_BOT="Json-Writer",
    ) as served:
        yield served


def tell(script: str, live: Live, packages: NodePackages, folder: Path) -> Told:
    """Run a script; it finds the packages beside itself, as node demands."""
    for file in SCRIPTS.glob("*.mjs"):
        shutil.copy(file, folder)
    (folder / "node_modules").symlink_to(packages.folder / "node_modules")
    done = subprocess.run(
        [packages.node, script],
        cwd=folder,
        env={"POEFLASK_URL": live.url, "PATH": packages.path},
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"{script} failed.\n{done.stdout}\n{done.stderr}")
    return Told(json.loads(done.stdout))


@pytest.fixture(scope="module")
def openai(eager: Live, packages: NodePackages, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What OpenAI's SDK tells."""
    return tell("openai_sdk.mjs", eager, packages, tmp_path_factory.mktemp("openai"))


@pytest.fixture(scope="module")
def media(eager: Live, packages: NodePackages, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What OpenAI's SDK tells of the routes that take or give files, and of the small ones."""
    return tell("openai_media.mjs", eager, packages, tmp_path_factory.mktemp("media"))


@pytest.fixture(scope="module")
def anthropic(
    eager: Live, packages: NodePackages, tmp_path_factory: pytest.TempPathFactory
) -> Told:
    """What Anthropic's SDK tells."""
    return tell("anthropic_sdk.mjs", eager, packages, tmp_path_factory.mktemp("anthropic"))


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
def test_models(sdk: str, request: pytest.FixtureRequest) -> None:
    """Each SDK reads the list to its end, over pages where it asks for pages, and one model."""
    told: Told = request.getfixturevalue(sdk)

    assert ["Echo", "Mirror"] == told["models"][:2]
    assert len(told["models"]) == len(set(told["models"])) > 20
    assert "Echo" == told["model"]["id"]
    assert ("NotFoundError", 404) == _kind(told["model unknown"])


def _kind(error: dict[str, Any]) -> tuple[str, int]:
    return error["class"], error["status"]


def test_chat_whole(openai: Told) -> None:
    """A whole completion, the id of its request, and two choices where two are asked for."""
    whole = openai["chat whole"]

    assert "Hello there, bridge!" == whole["choices"][0]["message"]["content"]
    assert whole["request_id"].startswith("req_")
    assert [0, 1] == [choice["index"] for choice in openai["chat two"]["choices"]]


def test_chat_stream(openai: Told) -> None:
    """The raw chunks, with the tokens in the last one; a stream may be left at any time."""
    *chunks, last = openai["chat stream"]
    said = [chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks]

    assert "Hello there, bridge!" == "".join(said)
    assert "assistant" == chunks[0]["choices"][0]["delta"]["role"]
    assert ([], 5) == (last["choices"], last["usage"]["completion_tokens"])
    assert "chat.completion.chunk" == openai["chat left"]


def test_chat_helper(openai: Told) -> None:
    """The helper's events and its sum are the same."""
    told = openai["chat helper"]
    message = told["completion"]["choices"][0]["message"]

    assert "Hello there, bridge!" == "".join(told["pieces"]) == message["content"]
    assert 5 == told["usage"]["completion_tokens"]


@each_tool_way
def test_chat_run_tools(openai: Told, way: str) -> None:
    """The loop over tools asks, calls and asks again."""
    told = openai[f"chat tools {way}"]

    assert (TOLD, ["get_weather Paris"]) == (told["content"], told["called"])


@each_agent
@pytest.mark.parametrize("dialect", ["chat", "responses"])
def test_openai_task(openai: Told, dialect: str, bot: str) -> None:
    """A file is written and read back, each by a call of its own."""
    told = openai[f"{dialect} task {bot}"]

    assert (DONE, {"hello.txt": "good morning"}) == (told["content"], told["files"])
    assert ["write_file", "read_file"] == told["called"]


@each_parse
@pytest.mark.parametrize("dialect", ["chat", "responses"])
def test_openai_parse(openai: Told, dialect: str, way: str) -> None:
    """A schema in, a value that keeps it out."""
    assert ADA == openai[f"{dialect} {way}"]


@pytest.mark.parametrize("status", OPENAI_ERRORS)
@pytest.mark.parametrize(
    "way", ["chat refuses", "chat stream refuses", "responses refuses", "responses stream refuses"]
)
def test_openai_refusals(openai: Told, way: str, status: int) -> None:
    """What Poe refuses is thrown as the SDK's own class."""
    error = openai[f"{way} {status}"]

    assert OPENAI_ERRORS[status] == (*_kind(error), error["code"])
    assert error["request_id"].startswith("req_")


def test_openai_bad_requests(openai: Told) -> None:
    """So is what we refuse; the field at fault is named."""
    missing, wrong = openai["chat no model"], openai["chat wrong field"]

    assert ("BadRequestError", 400, "model") == (*_kind(missing), missing["param"])
    assert ("BadRequestError", 400, "temperature") == (*_kind(wrong), wrong["param"])
    assert ("AuthenticationError", 401) == _kind(openai["chat no key"])
    assert ("InternalServerError", 501) == _kind(openai["responses compact"])


@each_break
def test_chat_breaks(openai: Told, bot: str) -> None:
    """A stream that breaks off gives what was said, then throws."""
    told = openai[f"chat breaks {bot}"]
    error = told["error"]

    assert BREAKS[bot] == (error["code"], "".join(told["pieces"]))
    assert "APIError" == error["class"]


@each_break
def test_responses_breaks(openai: Told, bot: str) -> None:
    """A response that breaks off ends as failed and keeps what was said; the SDK throws nothing."""
    told = openai[f"responses breaks {bot}"]
    response = told["response"]
    (content,) = response["output"][0]["content"]

    assert ("response.failed", "failed") == (told["last"], response["status"])
    assert ("server_error", BREAKS[bot][1]) == (response["error"]["code"], content["text"])


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
def test_retries(sdk: str, request: pytest.FixtureRequest) -> None:
    """The SDK asks again where it helps, after the time that it is told, and only there."""
    told: Told = request.getfixturevalue(sdk)
    once, never, later = (
        told[f"tries {bot}"] for bot in ("Fail-Once-Http", "Http-402", "Http-429-Retry-After")
    )

    assert (2, None) == (once["tries"], once["error"])
    assert 1 == never["tries"]
    assert 2 == later["tries"]
    assert 950 <= later["waited_ms"] < 5_000


def test_responses_whole(openai: Told) -> None:
    """A whole response, and the tokens of its input counted alike before."""
    whole = openai["responses whole"]
    counted = openai["responses input tokens"]["input_tokens"]

    assert "Hello there, bridge!" == whole["output_text"]
    assert whole["usage"]["input_tokens"] == counted > 5


def test_responses_stream(openai: Told) -> None:
    """The raw events are numbered without gaps and end once."""
    events = openai["responses stream"]
    types = [event["type"] for event in events]

    assert ["response.created", "response.in_progress"] == types[:2]
    assert "response.completed" == types[-1]
    assert list(range(len(events))) == [event["sequence_number"] for event in events]


def test_responses_helper(openai: Told) -> None:
    """The helper's events and its sum are the same, thoughts included."""
    told = openai["responses helper"]
    reasoning, message = told["response"]["output"]

    assert "You said: Hello there, bridge!" == "".join(told["pieces"])
    assert told["response"]["output_text"] == message["content"][0]["text"]
    assert "The user wrote 3 words." in reasoning["summary"][0]["text"]


@each_tool_way
def test_responses_tool_runner(openai: Told, way: str) -> None:
    """The runner's own loop over functions, which checks each response before it calls."""
    told = openai[f"responses tools {way}"]

    assert (TOLD, ["get_weather Paris"]) == (told["content"], told["called"])


def test_responses_are_kept(openai: Told) -> None:
    """A response is continued, read, listed and deleted; one that was not kept is refused."""
    told = openai["responses chained"]
    refused = openai["responses unchained"]

    assert ("user: 2, bot: 1", True) == (told["text"], told["kept"])
    assert ["Two", "user: 1", "One"] == [item["content"][0]["text"] for item in told["items"]]
    assert ("NotFoundError", 404) == _kind(told["gone"])
    assert ("BadRequestError", "previous_response_id") == (refused["class"], refused["param"])


def test_responses_in_the_background(openai: Told) -> None:
    """It is polled until it is complete, or cancelled."""
    told = openai["responses background"]

    assert ("queued", "completed") == (told["statuses"][0], told["statuses"][-1])
    assert told["text"].endswith("word 5.")
    assert "cancelled" == openai["responses cancelled"]


def test_conversations(openai: Told) -> None:
    """A conversation gathers its items in order."""
    told = openai["conversation"]

    assert ("user: 3, bot: 1", {"topic": "numbers"}) == (told["text"], told["metadata"])
    assert ["user", "user", "assistant", "user", "assistant"] == told["roles"]
    assert told["deleted"]


def test_completions(media: Told) -> None:
    """The oldest API goes on with a text, whole and streamed."""
    (choice,) = media["completion"]["choices"]

    assert "Hello there, bridge!" == choice["text"] == media["completion stream"]


def test_images(media: Told) -> None:
    """Pictures are made, streamed with their steps, changed and varied; a refusal is thrown."""
    first, second = media["image"]
    edited, varied = media["image edit"], media["image variation"]
    refused = media["image refused"]
    kinds = [type_.partition(".")[2] for type_, _ in media["image stream"]]
    pictures = [first, second, edited, varied, *(image for _, image in media["image stream"])]

    assert {PNG} == {image["start"][:8] for image in pictures}
    assert ["partial_image", "partial_image", "completed"] == kinds
    assert "BadRequestError" == refused["class"]
    assert "I cannot make that" in refused["message"]


def test_audio(media: Told) -> None:
    """Text becomes sound, and sound text, at once or in pieces."""
    speech, stream = media["speech"], media["transcription stream"]

    assert ("audio/wav", "RIFF") == (speech["type"], speech["start"][:4])
    assert HEARD == media["transcription"] == media["translation"] == stream["text"]
    assert {"transcript.text.delta", "transcript.text.done"} == set(stream["types"])


def test_openai_files(media: Told) -> None:
    """A file is kept, listed, given back, read by a bot, and gone."""
    told = media["a file"]

    assert ("note.txt", True, NOTE) == (told["name"], told["listed"], told["content"])
    assert NOTE in told["read"]
    assert told["deleted"]
    assert ("NotFoundError", 404) == _kind(told["gone"])


def test_videos(media: Told) -> None:
    """A film is ordered, waited for, downloaded and deleted."""
    told = media["video"]

    assert ("completed", "8") == (told["film"]["status"], told["film"]["seconds"])
    assert "ftyp" == told["content"]["start"][4:8]
    assert told["listed"]
    assert told["deleted"]


def test_small_apis(media: Told) -> None:
    """Vectors and judgements come; what Poe has no counterpart for is refused in words."""
    assert [256, 256] == media["embedding"]
    assert [True] == [result["flagged"] for result in media["moderation"]["results"]]
    for name in ("batch", "vector store"):
        assert ("InternalServerError", 501) == _kind(media[name])
        assert "is not offered here" in media[name]["message"]


def test_message_whole(anthropic: Told) -> None:
    """A whole message and the id of its request; its prompt's tokens counted alike before."""
    whole, tokens = anthropic["whole"], anthropic["count tokens"]

    assert [{"type": "text", "text": "Hello there, bridge!"}] == whole["content"]
    assert whole["request_id"].startswith("req_")
    assert tokens["used"]["input_tokens"] == tokens["counted"] > 20


def test_message_stream(anthropic: Told) -> None:
    """The raw events in Anthropic's order; a stream may be left at any time."""
    types = [event["type"] for event in anthropic["stream"]]

    assert ["message_start", "content_block_start", "content_block_delta"] == types[:3]
    assert ["content_block_stop", "message_delta", "message_stop"] == types[-3:]
    assert "message_start" == anthropic["left"]


def test_message_helper(anthropic: Told) -> None:
    """The helper's events and its sum are the same, and thoughts may be sent back."""
    told = anthropic["stream helper"]
    thinking, text = told["message"]["content"]

    assert "You said: Hello there, bridge!" == "".join(told["pieces"]) == text["text"]
    assert "".join(told["thoughts"]) == thinking["thinking"]
    assert "thinking" == anthropic["history sent back"]["content"][0]["type"]


def test_message_input(anthropic: Told) -> None:
    """A call's input is put together as its pieces come."""
    told = anthropic["tool call"]
    (use,) = told["message"]["content"]

    assert ("tool_use", {"city": "Paris"}) == (told["message"]["stop_reason"], use["input"])
    assert use["input"] == told["last"]


@each_tool_way
def test_message_tool_runner(anthropic: Told, way: str) -> None:
    """The runner asks for a thread, is told that there is none, and sends the whole again."""
    told = anthropic[f"tools {way}"]

    assert (TOLD, ["get_weather Paris"]) == (told["content"], told["called"])
    assert ("end_turn", 3) == (told["stop_reason"], told["requests"])


@each_agent
def test_message_task(anthropic: Told, bot: str) -> None:
    """A file is written and read back, each by a call of its own."""
    told = anthropic[f"task {bot}"]

    assert (DONE, {"hello.txt": "good morning"}) == (told["content"], told["files"])
    assert ["write_file", "read_file"] == told["called"]


@each_parse
def test_message_parse(anthropic: Told, way: str) -> None:
    """A schema in, a value that keeps it out."""
    assert ADA == anthropic[way]


@pytest.mark.parametrize("status", ANTHROPIC_ERRORS)
@pytest.mark.parametrize("way", ["refuses", "stream refuses"])
def test_message_refusals(anthropic: Told, way: str, status: int) -> None:
    """What Poe refuses is thrown as the SDK's own class."""
    error = anthropic[f"{way} {status}"]

    assert ANTHROPIC_ERRORS[status] == (*_kind(error), error["type"])
    assert error["request_id"].startswith("req_")


def test_anthropic_files(anthropic: Told) -> None:
    """A file is kept, listed, given back, read by a bot, and gone."""
    told = anthropic["a file"]

    assert ("note.txt", True, NOTE) == (told["kept"]["filename"], told["listed"], told["content"])
    assert NOTE in told["read"]
    assert "file_deleted" == told["deleted"]["type"]
    assert ("NotFoundError", 404) == _kind(told["gone"])


def test_message_batches(anthropic: Told) -> None:
    """What Poe has no counterpart for is refused in words."""
    assert ("NotImplementedError", 501) == _kind(anthropic["batch"])
    assert "is not offered here" in anthropic["batch"]["message"]


def test_message_bad_requests(anthropic: Told) -> None:
    """So is what we refuse."""
    assert ("AuthenticationError", 401) == _kind(anthropic["no key"])
    assert ("BadRequestError", 400) == _kind(anthropic["no messages"])
    assert "'messages'" in anthropic["no messages"]["message"]


@each_break
def test_message_breaks(anthropic: Told, bot: str) -> None:
    """A stream that breaks off gives what was said, then throws."""
    told = anthropic[f"breaks {bot}"]
    type_ = "timeout_error" if bot == "Silent-Middle" else "api_error"

    assert ("APIError", type_) == (told["error"]["class"], told["error"]["type"])
    assert BREAKS[bot][1] == "".join(told["pieces"])
