"""Ollama's API with the official client as judge, which sends no key."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from ollama import AsyncClient, Client, ResponseError

from tests.endpoints.ollama.bad_requests import BAD_REQUESTS, BadRequest
from tests.live.conftest import Live, Simulator, serving

HELLO = [{"role": "user", "content": "Hello there, bridge!"}]
TASK = 'Create hello.txt with the content "hi there" and read it back.'
KEY = {"Authorization": "Bearer k"}
LOCAL_KEY = "local-canary-4711"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(62)


@pytest.fixture(scope="module")
def local(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A poeflask that keeps a key for clients of this machine that send none."""
    folder = tmp_path_factory.mktemp("ollama")
    settings = {"POEFLASK_LOCAL_KEY": LOCAL_KEY, "POEFLASK_FIRST_EVENT_WAIT_S": "0.3"}
    with serving(simulator, folder, **settings, POEFLASK_HEARTBEAT_S="0.2") as served:
        yield served


@pytest.fixture(scope="module")
def ollama(local: Live) -> Iterator[Client]:
    """The official client as most programs make it: with an address and nothing else."""
    with Client(host=local.url, timeout=20) as client:
        yield client


def post(live: Live, path: str, body: Any, **headers: str) -> requests.Response:
    """A request with a key of its own."""
    return requests.post(live.url + path, json=body, headers={**KEY, **headers}, timeout=20)


def test_chat(ollama: Client) -> None:
    """A whole answer has text, a reason, and numbers that can be divided by."""
    answer = ollama.chat("Echo", messages=HELLO)

    assert "Hello there, bridge!" in (answer.message.content or "")
    assert ("Echo", "assistant", "stop") == (answer.model, answer.message.role, answer.done_reason)
    assert (answer.prompt_eval_count or 0) > 5
    assert (answer.eval_count or 0) / (answer.eval_duration or 0) > 0


def test_chat_streamed(ollama: Client) -> None:
    """The pieces are the same text, and the last one says that it is the last."""
    parts = list(ollama.chat("Echo:latest", messages=HELLO, stream=True))

    assert len(parts) > 2
    assert "Hello there, bridge!" == "".join(part.message.content or "" for part in parts)
    assert [False] * (len(parts) - 1) + [True] == [part.done for part in parts]
    assert (parts[-1].eval_count or 0) > 0


def test_streams_are_lines_and_the_default(local: Live) -> None:
    """Whoever does not say gets a stream, of the type that Ollama's has."""
    answer = post(local, "/api/chat", {"model": "Echo", "messages": HELLO})

    assert "application/x-ndjson" == answer.headers["Content-Type"]
    assert "no" == answer.headers["X-Accel-Buffering"]
    assert all(json.loads(line)["model"] == "Echo" for line in answer.text.splitlines())


def test_generate(ollama: Client) -> None:
    """Streamed and whole say the same."""
    whole = ollama.generate("Echo", prompt="Hello you")
    parts = list(ollama.generate("Echo", prompt="Hello you", stream=True))

    assert "Hello you" == whole.response == "".join(part.response or "" for part in parts)


def test_the_asynchronous_client(local: Live) -> None:
    """It gets the same."""

    async def ask() -> str:
        async with AsyncClient(host=local.url, timeout=20) as client:
            parts = await client.chat("Echo", messages=HELLO, stream=True)
            return "".join([part.message.content or "" async for part in parts])

    assert "Hello there, bridge!" == asyncio.run(ask())


@pytest.mark.parametrize("bot", ["Agent", "Prompted-Agent"])
@pytest.mark.parametrize("stream", [False, True])
def test_an_agent_does_its_task(ollama: Client, tmp_path: Path, bot: str, stream: bool) -> None:
    """The client's tool loop creates a file and reads it, whatever way the bot takes tools."""

    def write_file(path: str, content: str) -> str:
        """Write a file."""
        (tmp_path / path).write_text(content)
        return "written"

    def read_file(path: str) -> str:
        """Read a file."""
        return (tmp_path / path).read_text()

    tools: dict[str, Callable[..., str]] = {"write_file": write_file, "read_file": read_file}
    messages: list[Any] = [{"role": "user", "content": TASK}]
    for _ in range(5):
        message = _turn(ollama, bot, messages, list(tools.values()), stream=stream)
        messages.append(message)
        if not message["tool_calls"]:
            break
        for call in message["tool_calls"]:
            result = tools[call.function.name](**call.function.arguments)
            messages.append({"role": "tool", "tool_name": call.function.name, "content": result})

    assert "hi there" == (tmp_path / "hello.txt").read_text()
    assert "hi there" in messages[-1]["content"]
    assert 6 == len(messages)


def _turn(
    ollama: Client, bot: str, messages: list[Any], tools: list[Any], *, stream: bool
) -> dict[str, Any]:
    answer = ollama.chat(bot, messages=messages, tools=tools, stream=stream)
    parts = list(answer) if stream else [answer]
    return {
        "role": "assistant",
        "content": "".join(part.message.content or "" for part in parts),
        "tool_calls": [call for part in parts for call in part.message.tool_calls or ()],
    }


def test_thoughts(ollama: Client) -> None:
    """They have a place of their own, and none if they are switched off."""
    thinking = ollama.chat("Thinker", messages=HELLO, think="low")
    plain = ollama.chat("Thinker", messages=HELLO, think=False)
    parts = list(ollama.chat("Think-Tags", messages=HELLO, think=True, stream=True))

    assert "3 words" in (thinking.message.thinking or "")
    assert "3 words" not in (thinking.message.content or "")
    assert plain.message.thinking is None
    assert "3 words" in "".join(part.message.thinking or "" for part in parts)


def test_answers_of_a_form(ollama: Client) -> None:
    """A schema is kept, and so is the word json."""
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"],
    }
    person = json.loads(
        ollama.chat("Json-Writer", messages=HELLO, format=schema).message.content or ""
    )
    plain = ollama.generate("Json-Writer", prompt="Hello", format="json").response

    assert {"name", "age"} == person.keys()
    assert isinstance(json.loads(plain or ""), dict)


def test_pictures(ollama: Client) -> None:
    """They reach the bot as what they are."""
    message = {"role": "user", "content": "See:", "images": [PICTURE]}
    answer = ollama.chat("Reader", messages=[message])

    assert f"(image/png) has {len(PICTURE)} bytes" in (answer.message.content or "")
    assert "image/png" in (ollama.generate("Reader", prompt="?", images=[PICTURE]).response or "")


def test_options(ollama: Client, local: Live) -> None:
    """Limits hold; a bot's own parameters may stand among the options; the rest is named."""
    short = ollama.chat("Echo", messages=HELLO, options={"num_predict": 2})
    stopped = ollama.generate("Echo", prompt="one two three", options={"stop": ["two"]})
    counted = ollama.generate("Slow-Talker", options={"words": 2, "interval_ms": 0}, prompt="count")
    options = {"mirostat": 1, "num_ctx": 8192.0, "seed": 7}
    named = post(local, "/api/generate", {"model": "Echo", "prompt": "a", "options": options})

    assert ("length", 2) == (short.done_reason, short.eval_count)
    assert "one " == stopped.response
    assert "word 1, word 2." == counted.response
    assert "seed, mirostat" == named.headers["x-poeflask-ignored"]


def test_who_asks_nothing_is_told_that_the_model_is_ready(ollama: Client, local: Live) -> None:
    """Clients load and unload models so; Poe is not asked."""
    local.simulator.reset()
    loads = [ollama.generate("Echo"), ollama.generate("Echo", keep_alive=0)]
    (line,) = ollama.chat("Echo", messages=[], stream=True)

    assert ["load", "unload"] == [answer.done_reason for answer in loads]
    assert ("load", "") == (line.done_reason, line.message.content)
    assert [] == local.simulator.queries()


def test_models(ollama: Client) -> None:
    """All bots with what each can do."""
    names = [model.model for model in ollama.list().models]
    agent = ollama.show("Agent:latest")

    assert {"Echo:latest", "Painter:latest"} <= set(names)
    assert ["completion", "tools", "vision"] == agent.capabilities
    assert 200_000 == (agent.modelinfo or {})["poe.context_length"]
    assert "thinking" in (ollama.show("thinker").capabilities or [])
    assert [] == list(ollama.ps().models)
    with pytest.raises(ResponseError, match="not found") as caught:
        ollama.show("nobody")
    assert 404 == caught.value.status_code


def test_programs_find_an_ollama(local: Live) -> None:
    """Its version, and the words at the front door, without a key."""
    version = requests.get(f"{local.url}/api/version", timeout=10).json()["version"]
    front = requests.get(local.url, headers={"User-Agent": "ollama/0.13.0 (arm64)"}, timeout=10)
    head = requests.head(local.url, timeout=10)
    person = requests.get(local.url, timeout=10)

    assert version.count(".") == 2
    assert "Ollama is running" == front.text
    assert 200 == head.status_code
    assert "text/html" in person.headers["Content-Type"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda ollama: ollama.pull("Echo"),
        lambda ollama: ollama.push("Echo"),
        lambda ollama: ollama.create("Mine", from_="Echo"),
        lambda ollama: ollama.copy("Echo", "Mine"),
        lambda ollama: ollama.delete("Echo"),
    ],
)
def test_what_poe_has_not_is_refused(ollama: Client, ask: Callable[[Client], Any]) -> None:
    """In a sentence, with a status that no client tries again."""
    with pytest.raises(ResponseError, match="Poe's bots") as caught:
        ask(ollama)

    assert 501 == caught.value.status_code


@pytest.mark.parametrize(
    ("bot", "status"), [("No-Such-Bot", 404), ("No-Points", 429), ("Http-500", 500), ("Empty", 502)]
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_has_its_status(live: Live, bot: str, status: int, stream: bool) -> None:
    """Streamed or not, the client raises with Poe's words."""
    with (
        Client(host=live.url, headers=KEY, timeout=20) as client,
        pytest.raises(ResponseError) as caught,
    ):
        list(client.chat(bot, messages=HELLO, stream=stream))

    assert status == caught.value.status_code
    assert caught.value.error


@pytest.mark.parametrize("bot", ["Error-Late", "Cut-Between"])
def test_an_error_after_text_is_raised_by_the_client(ollama: Client, bot: str) -> None:
    """What was said stays said, then the client raises."""
    said: list[str] = []
    with pytest.raises(ResponseError):
        said.extend(
            part.message.content or "" for part in ollama.chat(bot, messages=HELLO, stream=True)
        )

    assert "".join(said)


def test_a_silent_stream_is_kept_alive(local: Live) -> None:
    """By lines that add nothing, which the client reads as any other."""
    body = {"model": "Slow-Talker", "prompt": "a", "poe": {"first_ms": 900, "words": 1}}
    lines = [json.loads(line) for line in post(local, "/api/generate", body).text.splitlines()]

    assert ["", "", "word 1."] == [
        lines[0]["response"],
        lines[1]["response"],
        lines[-2]["response"],
    ]
    assert lines[-1]["done"]


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """One connection for all rows: an error must not break it."""
    with requests.Session() as made:
        made.headers.update(KEY)
        yield made


@pytest.mark.parametrize("bad", BAD_REQUESTS, ids=lambda bad: bad.name)
def test_a_wrong_request(local: Live, session: requests.Session, bad: BadRequest) -> None:
    """The error says in Ollama's shape which field is wrong and what would be right."""
    answer = session.post(local.url + bad.path, json=bad.body, timeout=20)

    assert 400 == answer.status_code
    assert ["error"] == list(answer.json())
    assert f"'{bad.param}'" in answer.json()["error"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"a"', b"\xff"])
def test_a_body_that_is_no_object(local: Live, session: requests.Session, body: bytes) -> None:
    """Told in Ollama's shape too."""
    answer = session.post(f"{local.url}/api/chat", data=body, timeout=20)

    assert 400 == answer.status_code
    assert "JSON" in answer.json()["error"]


def test_a_foreign_page_must_bring_its_own_key(local: Live) -> None:
    """The local key is for this machine's programs and pages alone."""
    body = {"model": "Echo", "prompt": "a", "stream": False}

    def ask(**headers: str) -> int:
        url = f"{local.url}/api/generate"
        return requests.post(url, json=body, headers=headers, timeout=20).status_code

    assert 200 == ask()
    assert 200 == ask(Origin="http://localhost:3000")
    assert 401 == ask(Origin="https://evil.example")
    assert 200 == ask(Origin="https://evil.example", Authorization="Bearer k")
    tags = requests.get(f"{local.url}/api/tags", headers={"Origin": "https://a.example"}, timeout=9)
    assert 401 == tags.status_code


def test_the_local_key_is_ollama_s_alone_and_in_no_log(local: Live) -> None:
    """Other APIs know keys; and it is never told."""
    chat = {"model": "Echo", "messages": HELLO}
    other = requests.post(f"{local.url}/v1/chat/completions", json=chat, timeout=10)

    assert 401 == other.status_code
    assert LOCAL_KEY not in local.log.read_text()


def test_without_a_local_key_clients_are_told_what_to_do(live: Live) -> None:
    """A sentence in Ollama's shape names both ways."""
    with Client(host=live.url) as client, pytest.raises(ResponseError) as caught:
        client.chat("Echo", messages=HELLO)

    assert 401 == caught.value.status_code
    assert "POEFLASK_LOCAL_KEY" in caught.value.error
    assert "Authorization: Bearer" in caught.value.error
    with Client(host=live.url, headers=KEY) as client:
        assert client.chat("Echo", messages=HELLO).done


def test_unknown_routes_and_methods_are_told_in_ollama_s_shape(live: Live) -> None:
    """Also where there is no route that could know it."""
    nowhere = requests.get(f"{live.url}/api/nope", timeout=10)
    wrong = requests.get(f"{live.url}/api/chat", timeout=10)

    assert (404, ["error"]) == (nowhere.status_code, list(nowhere.json()))
    assert (405, ["error"]) == (wrong.status_code, list(wrong.json()))


def test_vectors(ollama: Client) -> None:
    """Of one text or several, in both of the API's forms; shorter ones too; of nothing none."""
    several = ollama.embed("wordllama-256:latest", input=["one", "two words"])
    one = ollama.embed("wordllama-256", input="one").embeddings
    short = ollama.embed("wordllama-256", input="one", dimensions=64).embeddings
    old = ollama.embeddings("wordllama-256", prompt="one")

    assert [256, 256] == [len(vector) for vector in several.embeddings]
    assert ("wordllama-256:latest", 3) == (several.model, several.prompt_eval_count)
    assert list(several.embeddings[0]) == list(one[0]) == list(old.embedding)
    assert 64 == len(short[0])
    assert [] == list(ollama.embed("wordllama-256", input=[]).embeddings)
    assert [] == list(ollama.embeddings("wordllama-256", prompt="").embedding)
    with pytest.raises(ResponseError, match="wordllama-256") as caught:
        ollama.embed("Echo", input="one")
    assert 404 == caught.value.status_code
