"""From a decoded request to a bot that is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, g

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.core.prompt import Prompt, Sampling
from poeflask.poe.catalogue import Catalogue
from poeflask.poe.models_file import ModelsFile
from poeflask.poe.shown_catalogue import ShownCatalogue
from poeflask.stores.memory import MemoryStore
from poeflask.stores.namespace import Namespace
from poeflask.web.asking import address, address_maker, ignored_header

ENTRIES: list[dict[str, Any]] = [
    {
        "id": "claude-x",
        "metadata": {"display_name": "Claude-X"},
        "parameters": [{"name": "effort"}, {"name": "size"}],
    }
]


@pytest.fixture(autouse=True)
def request_context(app: Flask) -> Iterator[None]:
    """Within a request."""
    with app.test_request_context():
        yield


MODELS = """
models:
  claude-x: {alias: best, parameters: {size: M, effort: low}}
  Off: {disabled: true}
"""


@pytest.fixture
def catalogue(tmp_path: Path) -> ShownCatalogue:
    """A list of one bot, and what the owner says of it."""
    (tmp_path / "models.yaml").write_text(MODELS)
    store = Namespace(MemoryStore(), "catalogue", on_failure="forget")
    listed = Catalogue(lambda: ENTRIES, store, ttl_s=60, clock=lambda: 1.0)
    return ShownCatalogue(listed, ModelsFile(tmp_path / "models.yaml"))


def test_a_listed_bot_is_asked_under_its_own_name(catalogue: ShownCatalogue) -> None:
    """However the client wrote it; the log line says so too."""
    prompt, _ = address(Prompt(bot="CLAUDE-x", messages=()), {}, catalogue)

    assert ("Claude-X", "Claude-X") == (prompt.bot, g.model)


def test_a_private_bot_is_asked_as_it_is(catalogue: ShownCatalogue) -> None:
    """Poe knows more bots than it lists."""
    prompt, _ = address(Prompt(bot="My-Bot", messages=()), {"effort": "high"}, catalogue)

    assert ("My-Bot", {}) == (prompt.bot, prompt.parameters)


def test_fields_that_the_bot_declares_are_its_parameters(catalogue: ShownCatalogue) -> None:
    """Others are named as left out; what the client gave as a parameter wins."""
    asked = Prompt(bot="claude-x", messages=(), parameters={"size": "L"})
    prompt, left_out = address(asked, {"effort": "high", "size": "S", "colour": "red"}, catalogue)

    assert {"effort": "high", "size": "L"} == prompt.parameters
    assert ("colour",) == left_out


def test_what_the_bot_cannot_honour_is_named(catalogue: ShownCatalogue) -> None:
    """So that the client can be told."""
    asked = Prompt(bot="claude-x", messages=(), sampling=Sampling(seed=7, temperature=1.0))

    assert ("seed",) == address(asked, {}, catalogue)[1]


def test_the_header_names_each_ignored_field_once() -> None:
    """In their order; there is none if nothing was ignored."""
    assert {"x-poeflask-ignored": "seed, messages[0].name"} == ignored_header(
        ["seed", "messages[0].name", "seed"]
    )
    assert {} == ignored_header([])


def test_an_alias_is_asked_under_the_bots_own_name(catalogue: ShownCatalogue) -> None:
    """The owner's names mean the owner's bots."""
    prompt, _ = address(Prompt(bot="BEST", messages=()), {}, catalogue)

    assert ("Claude-X", "Claude-X") == (prompt.bot, g.model)


def test_a_disabled_bot_is_not_asked(catalogue: ShownCatalogue) -> None:
    """The client is told that it is this server that does not want it."""
    with pytest.raises(ClientError, match="disabled on this server") as caught:
        address(Prompt(bot="off", messages=()), {}, catalogue)

    assert ErrorKind.FORBIDDEN is caught.value.kind


def test_what_the_client_wishes_wins_over_the_owners_defaults(catalogue: ShownCatalogue) -> None:
    """A wish for a picture's size is not undone by the usual one."""
    making = address_maker(
        Prompt(bot="best", messages=()),
        {},
        {"size": "64x32"},
        catalogue,
        skip_system_prompt="never",
    )

    assert {"size": "64x32"} == making.prompt.parameters
    assert {"size": "M", "effort": "low"} == making.profile.defaults


@pytest.mark.parametrize("field", ["a\r\nb: c", "a\n", "", "ü", "a,b", "a b", "x" * 65])
def test_no_field_can_forge_a_header(field: str) -> None:
    """Names of fields are the client's; odd ones are not sent back."""
    assert {} == ignored_header([field])


def test_the_header_stays_short() -> None:
    """A request of very many fields makes no answer that a proxy refuses."""
    (header,) = ignored_header(f"{'field':x<60}{number}" for number in range(1000)).values()

    assert len(header) < 4000
