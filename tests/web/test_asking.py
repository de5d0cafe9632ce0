"""From a decoded request to a bot that is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, g

from poeflask.core.caller import Caller
from poeflask.core.errors import ClientError
from poeflask.core.gateway_key import GatewayKey
from poeflask.core.prompt import Prompt, Sampling
from poeflask.poe.catalogue import Catalogue
from poeflask.stores.memory import MemoryStore
from poeflask.stores.namespace import Namespace
from poeflask.web.asking import address, ignored_header, is_shown, shown, spending

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


@pytest.fixture
def catalogue() -> Catalogue:
    """A list of one bot."""
    store = Namespace(MemoryStore(), "catalogue", on_failure="forget")
    return Catalogue(lambda: ENTRIES, store, ttl_s=60, clock=lambda: 1.0)


def test_a_listed_bot_is_asked_under_its_own_name(catalogue: Catalogue) -> None:
    """However the client wrote it; the log line says so too."""
    prompt, _ = address(Prompt(bot="CLAUDE-x", messages=()), {}, catalogue)

    assert ("Claude-X", "Claude-X") == (prompt.bot, g.model)


def test_a_private_bot_is_asked_as_it_is(catalogue: Catalogue) -> None:
    """Poe knows more bots than it lists."""
    prompt, _ = address(Prompt(bot="My-Bot", messages=()), {"effort": "high"}, catalogue)

    assert ("My-Bot", {}) == (prompt.bot, prompt.parameters)


def test_fields_that_the_bot_declares_are_its_parameters(catalogue: Catalogue) -> None:
    """Others are named as left out; what the client gave as a parameter wins."""
    asked = Prompt(bot="claude-x", messages=(), parameters={"size": "L"})
    prompt, left_out = address(asked, {"effort": "high", "size": "S", "colour": "red"}, catalogue)

    assert {"effort": "high", "size": "L"} == prompt.parameters
    assert ("colour",) == left_out


def test_what_the_bot_cannot_honour_is_named(catalogue: Catalogue) -> None:
    """So that the client can be told."""
    asked = Prompt(bot="claude-x", messages=(), sampling=Sampling(seed=7, temperature=1.0))

    assert ("seed",) == address(asked, {}, catalogue)[1]


def test_the_header_names_each_ignored_field_once() -> None:
    """In their order; there is none if nothing was ignored."""
    assert {"x-poeflask-ignored": "seed, messages[0].name"} == ignored_header(
        ["seed", "messages[0].name", "seed"]
    )
    assert {} == ignored_header([])


@pytest.mark.parametrize("field", ["a\r\nb: c", "a\n", "", "ü", "a,b", "a b", "x" * 65])
def test_no_field_can_forge_a_header(field: str) -> None:
    """Names of fields are the client's; odd ones are not sent back."""
    assert {} == ignored_header([field])


def test_the_header_stays_short() -> None:
    """A request of very many fields makes no answer that a proxy refuses."""
    (header,) = ignored_header(f"{'field':x<60}{number}" for number in range(1000)).values()

    assert len(header) < 4000


def caller_with(*models: str) -> Caller:
    """Whoever brings a key that may ask these."""
    key = GatewayKey(id="k1", name="Anna", created_s=0.0, models=models)
    return Caller(owner="o", key_id=key.id, key_name=key.name, key=key)


def test_a_caller_is_shown_what_its_key_may_ask(catalogue: Catalogue) -> None:
    """By whatever name the list of the key calls it; who has no such key sees all."""
    bots = catalogue.bots()
    seen = [shown(caller_with(*models), catalogue, bots) for models in (["CLAUDE-x"], ["GPT-5"])]

    assert [bots, ()] == seen
    assert is_shown(Caller(owner="o", poe_key="p"), catalogue, bots[0])


def test_a_model_of_this_service_s_own_must_be_allowed_too() -> None:
    """Before anything is counted."""
    with (
        pytest.raises(ClientError, match="The key 'Anna' may not ask 'own-model'"),
        spending(caller_with("Claude-X"), "own-model", ["x"]),
    ):
        pytest.fail("nobody may come here")


def test_who_brings_a_key_of_poe_s_spends_nothing_of_ours() -> None:
    """Neither a store nor a limit is asked."""
    with spending(Caller(owner="o", poe_key="p"), "own-model", ["x"]) as spent:
        spent(5)

    assert "gauges" not in g
