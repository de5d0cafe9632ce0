"""models.yaml in force: in every API, in every worker."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anthropic
import pytest
import requests
from google import genai
from google.genai import types
from ollama import Client as Ollama
from openai import OpenAI

from tests.live.conftest import ROOT, Live, Simulator, serving

KEY = {"Authorization": "Bearer k"}
HELLO = [{"role": "user", "content": "Hello there!"}]

MODELS = """
models:
  Echo: {alias: [parrot, vendor/parrot-2], hidden: true, owner: me}
  Mirror: {disabled: true, alias: glass}
  Counter: {custom: true, parameters: {top_k: 7}}
  My-Bot: {custom: true, description: Mine., context_tokens: 5}
"""


@pytest.fixture(scope="module")
def served(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A poeflask whose owner has words on models."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "models.yaml").write_text(MODELS)
    with serving(simulator, folder, POEFLASK_LOCAL_KEY="k") as live:
        yield live


def by_chat(live: Live, model: str) -> tuple[str, str]:
    """The model's name in the answer, and the answer."""
    with OpenAI(base_url=f"{live.url}/v1", api_key="k", max_retries=0) as client:
        answer = client.chat.completions.create(model=model, messages=HELLO)  # type: ignore[arg-type]
    return answer.model, answer.choices[0].message.content or ""


def by_responses(live: Live, model: str) -> tuple[str, str]:
    """As by_chat."""
    with OpenAI(base_url=f"{live.url}/v1", api_key="k", max_retries=0) as client:
        answer = client.responses.create(model=model, input="Hello there!")
    return str(answer.model), answer.output_text


def by_messages(live: Live, model: str) -> tuple[str, str]:
    """As by_chat."""
    with anthropic.Anthropic(base_url=live.url, api_key="k", max_retries=0) as client:
        answer = client.messages.create(model=model, max_tokens=99, messages=HELLO)  # type: ignore[arg-type]
    return str(answer.model), answer.content[0].text  # type: ignore[union-attr]


def by_ollama(live: Live, model: str) -> tuple[str, str]:
    """As by_chat."""
    with Ollama(host=live.url) as client:
        answer = client.chat(model, messages=HELLO)
    return str(answer.model), answer.message.content or ""


def by_gemini(live: Live, model: str) -> tuple[str, str]:
    """As by_chat."""
    options = types.HttpOptions(base_url=live.url, retry_options=types.HttpRetryOptions(attempts=1))
    with genai.Client(api_key="k", http_options=options) as client:
        answer = client.models.generate_content(model=model, contents="Hello there!")
    return str(answer.model_version), answer.text or ""


DIALECTS = [by_chat, by_responses, by_messages, by_ollama, by_gemini]


@pytest.mark.parametrize("ask", DIALECTS)
def test_an_alias_answers_in_every_dialect(
    served: Live, ask: Callable[[Live, str], tuple[str, str]]
) -> None:
    """The bot is asked, and the answer bears the name that was asked for."""
    model, text = ask(served, "Parrot")

    assert ("Parrot", True) == (model, "Hello there!" in text)


def test_a_name_with_a_slash_is_an_alias_too(served: Live) -> None:
    """As other routers write their names."""
    assert "vendor/parrot-2" == by_chat(served, "vendor/parrot-2")[0]
    answer = requests.get(f"{served.url}/v1/models/vendor/parrot-2", headers=KEY, timeout=10)
    assert ("vendor/parrot-2", "me") == (answer.json()["id"], answer.json()["owned_by"])


GENERATE = {"contents": [{"parts": [{"text": "Hi"}]}]}
REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("/v1/chat/completions", {"messages": HELLO}),
    ("/v1/chat/completions", {"messages": HELLO, "stream": True}),
    ("/v1/responses", {"input": "Hi"}),
    ("/v1/messages", {"messages": HELLO, "max_tokens": 9}),
    ("/v1/completions", {"prompt": "Hi"}),
    ("/v1/images/generations", {"prompt": "Hi"}),
    ("/v1/audio/speech", {"input": "Hi", "voice": "alloy"}),
    ("/v1/videos", {"prompt": "Hi"}),
    ("/api/chat", {"messages": HELLO}),
    ("/api/generate", {"prompt": "Hi"}),
    ("/api/show", {}),
    ("/v1beta/models/{}:generateContent", GENERATE),
    ("/v1beta/models/{}:streamGenerateContent", GENERATE),
]


@pytest.mark.parametrize("name", ["MIRROR", "glass"])
@pytest.mark.parametrize(("path", "body"), REQUESTS)
def test_a_disabled_model_is_refused_by_every_route(
    served: Live, path: str, body: dict[str, Any], name: str
) -> None:
    """By its own name and by its alias, with a sentence, before Poe is asked."""
    served.simulator.reset()
    answer = requests.post(
        served.url + path.format(name), json={"model": name, **body}, headers=KEY, timeout=10
    )

    assert (403, True) == (answer.status_code, "is disabled on this server" in answer.text)
    assert [] == served.simulator.queries()


def test_a_disabled_model_cannot_be_looked_up(served: Live) -> None:
    """Neither by OpenAI's clients nor by Google's."""
    paths = ("/v1/models/Mirror", "/v1beta/models/glass")

    assert [403, 403] == [
        requests.get(served.url + path, headers=KEY, timeout=10).status_code for path in paths
    ]


def listed(live: Live) -> dict[str, list[str]]:
    """The models that each API lists."""

    def get(path: str) -> Any:
        return requests.get(live.url + path, headers=KEY, timeout=10).json()

    return {
        "openai": [model["id"] for model in get("/v1/models")["data"]],
        "ollama": [model["name"].removesuffix(":latest") for model in get("/api/tags")["models"]],
        "gemini": [
            model["name"].removeprefix("models/") for model in get("/v1beta/models")["models"]
        ],
    }


def test_every_list_shows_the_same(served: Live) -> None:
    """Aliases in their bot's place, nothing hidden or disabled, the owner's own at the end."""
    lists = listed(served)

    assert lists["openai"] == lists["ollama"] == lists["gemini"]
    assert ["parrot", "vendor/parrot-2"] == lists["openai"][:2]
    assert "My-Bot" == lists["openai"][-1]
    assert {"Echo", "Mirror", "glass"}.isdisjoint(lists["openai"])
    card = requests.post(
        f"{served.url}/api/show", json={"model": "my-bot"}, headers=KEY, timeout=10
    ).json()
    assert 5 == card["model_info"]["poe.context_length"]


def test_default_parameters_reach_poe(served: Live) -> None:
    """Under the client's own."""
    served.simulator.reset()
    with OpenAI(base_url=f"{served.url}/v1", api_key="k", max_retries=0) as client:
        for own in ({}, {"top_k": 9}):
            client.chat.completions.create(
                model="Counter",
                messages=HELLO,  # type: ignore[arg-type]
                extra_body={"poe": own},
            )

    assert [7, 9] == [
        query["body"]["query"][-1]["parameters"]["top_k"]  # type: ignore[index]
        for query in served.simulator.queries()
    ]


SEEN_WITHIN_S = 2.0
WORKERS = 2


def statuses(live: Live) -> set[int]:
    """What the workers say of the Echo, on many connections at once so that none is left out."""

    def ask(_: int) -> int:
        url = f"{live.url}/v1/models/Echo"
        return requests.get(url, headers={**KEY, "Connection": "close"}, timeout=10).status_code

    with ThreadPoolExecutor(8) as pool:
        return set(pool.map(ask, range(24)))


def complaints(live: Live) -> int:
    """How often a bad file was told of."""
    return live.log.read_text().count("bad_models_file")


def test_all_workers_follow_the_file(simulator: Simulator, tmp_path: Path) -> None:
    """A command's change counts everywhere at once; a bad file changes nothing and is told once."""
    path = tmp_path / "models.yaml"
    with serving(simulator, tmp_path, workers=WORKERS) as live:
        assert {200} == statuses(live)

        command = [sys.executable, "-m", "poeflask", "models", "disable", "echo"]
        environment = {**os.environ, "CONFIG_DIR": str(tmp_path), "POE_BASE_URL": simulator.url}
        subprocess.run(command, check=True, env=environment, cwd=ROOT, capture_output=True)
        time.sleep(SEEN_WITHIN_S)

        assert {403} == statuses(live)

        path.write_text("models: [")
        deadline = time.monotonic() + 20
        while complaints(live) < WORKERS and time.monotonic() < deadline:
            time.sleep(0.1)
            assert {403} == statuses(live)

        assert WORKERS == complaints(live), "each worker tells of it"
        time.sleep(1.5)
        assert {403} == statuses(live)
        assert WORKERS == complaints(live), "and no more than once"
