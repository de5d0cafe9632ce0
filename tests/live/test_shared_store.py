"""Two services on one Redis are one to their clients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import openai
import pytest
from openai import OpenAI

from tests.live.conftest import Live, Simulator, serving
from tests.stores.conftest import Server, redis_or_skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Redis for these tests alone."""
    redis_or_skip()
    made = Server(tmp_path_factory.mktemp("redis"))
    made.start()
    yield made
    made.kill()


@pytest.fixture(scope="module")
def hosts(
    simulator: Simulator, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Live]]:
    """Two services with a state folder each, as on two hosts."""
    folders: list[Path] = [tmp_path_factory.mktemp("host") for _ in range(2)]
    (folders[1] / "store-url").write_text(server.url)
    with ExitStack() as stack:
        yield [
            stack.enter_context(serving(simulator, folders[0], POEFLASK_STORE_URL=server.url)),
            stack.enter_context(
                serving(
                    simulator,
                    folders[1],
                    POEFLASK_STORE_URL_FILE=str(folders[1] / "store-url"),
                )
            ),
        ]


@pytest.fixture
def clients(hosts: list[Live]) -> Iterator[list[OpenAI]]:
    """The SDK at each of them."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(OpenAI(base_url=f"{host.url}/v1", api_key="key", max_retries=0))
            for host in hosts
        ]


def test_what_one_keeps_the_other_finds(clients: list[OpenAI]) -> None:
    """An answer is read, continued and deleted at the other service."""
    here, there = clients
    first = here.responses.create(model="Echo", input="My cat is called Ada.")
    found = there.responses.retrieve(first.id)
    second = there.responses.create(
        model="Mirror", input="What is it called?", previous_response_id=first.id
    )
    there.responses.delete(first.id)

    assert first.output_text == found.output_text
    assert "Ada" in second.output_text
    with pytest.raises(openai.NotFoundError):
        here.responses.retrieve(first.id)


def test_a_file_is_found_at_the_other(clients: list[OpenAI]) -> None:
    """With its content."""
    here, there = clients
    content = bytes(range(256)) * 4096
    kept = here.files.create(file=("a.bin", content), purpose="user_data")

    assert content == there.files.content(kept.id).content


def test_no_log_holds_the_password(server: Server, hosts: list[Live]) -> None:
    """Not in any form."""
    logs = "".join(host.log.read_text() for host in hosts)

    assert "se/cr#et" not in logs
    assert "se%2Fcr%23et" not in logs
