"""From a decoded request to a bot that is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, g
from werkzeug.datastructures import Headers

from poeflask.bridge import Answer
from poeflask.core.caller import Caller
from poeflask.core.errors import ClientError, ErrorKind, OwnError, PoeError
from poeflask.core.gateway_key import GatewayKey
from poeflask.core.prompt import Prompt, Sampling
from poeflask.filters.chain import Wants
from poeflask.poe.catalogue import Catalogue
from poeflask.poe.models_file import ModelsFile
from poeflask.poe.shown_catalogue import ShownCatalogue
from poeflask.stores.gates import spent
from poeflask.stores.memory import MemoryStore
from poeflask.stores.namespace import Namespace
from poeflask.web.asking import (
    address,
    address_maker,
    ask,
    explained,
    fallbacks_for,
    ignored_header,
    is_shown,
    shown,
    spending,
    total_s,
)
from poeflask.web.limits import Limits

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
  claude-x: {alias: best, parameters: {size: M, effort: low}, fallback: [GPT-X]}
  Off: {disabled: true}
groups:
  good: [best]
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


@pytest.mark.parametrize("said", ["", "soon", "0", "-1", "nan", "inf"])
def test_a_time_that_is_none_is_refused(said: str) -> None:
    """Whoever wants less time is told how to say it."""
    with pytest.raises(ClientError, match="x-poeflask-timeout") as caught:
        total_s(Headers({"x-poeflask-timeout": said}))

    assert ErrorKind.INVALID_REQUEST == caught.value.kind


def test_a_client_may_say_how_long_its_answer_may_take() -> None:
    """In seconds; most say nothing."""
    assert [2.5, None] == [total_s(Headers({"x-poeflask-timeout": "2.5"})), total_s(Headers())]


def caller_with(*models: str) -> Caller:
    """Whoever brings a key that may ask these."""
    key = GatewayKey(id="k1", name="Anna", created_s=0.0, models=models)
    return Caller(owner="o", key_id=key.id, key_name=key.name, key=key)


def test_a_caller_is_shown_what_its_key_may_ask(catalogue: ShownCatalogue) -> None:
    """By name, alias or group; an entry that is disabled keeps out nobody else's."""
    bots = catalogue.bots()
    seen = [
        shown(caller_with(*models), catalogue, bots)
        for models in (["CLAUDE-x"], ["best"], ["@good"], ["Off", "claude-x"], ["GPT-5"], ["@x"])
    ]

    assert len(bots) == 2
    assert [bots, bots, bots, bots, (), ()] == seen
    assert is_shown(Caller(owner="o", poe_key="p"), catalogue, bots[0])


@pytest.mark.parametrize(
    ("name", "said", "told"),
    [
        (
            "claude-y",
            "Bot does not exist.",
            "Poe says of 'claude-y': Bot does not exist. Perhaps 'Claude-X' is meant. "
            "GET /v1/models lists the bots.",
        ),
        ("Nope", "No bot Nope", "No bot Nope. GET /v1/models lists the bots."),
        ("x" * 101, "No", f"Poe says of '{'x' * 100}': No. GET /v1/models lists the bots."),
    ],
)
def test_an_unknown_bot_is_named(
    catalogue: ShownCatalogue, name: str, said: str, told: str
) -> None:
    """With the one that may be meant, and where all are: a client may have sent any name."""
    error = PoeError(ErrorKind.UNKNOWN_MODEL, said, allow_retry=False)
    expected = PoeError(ErrorKind.UNKNOWN_MODEL, told, param="model", allow_retry=False)

    assert expected == explained(error, name, Caller(owner="o", poe_key="p"), catalogue)


def test_nobody_is_told_of_a_bot_that_its_key_may_not_ask(catalogue: ShownCatalogue) -> None:
    """What may be meant is only what the caller is shown."""
    error = PoeError(ErrorKind.UNKNOWN_MODEL, "No.")

    assert "Claude" not in explained(error, "claude-y", caller_with("GPT-5"), catalogue).message


def test_what_else_poe_says_is_told_as_it_is(catalogue: ShownCatalogue) -> None:
    """Its sentences speak for themselves."""
    error = PoeError(ErrorKind.NO_POINTS, "No points.")

    assert error is explained(error, "Claude-X", Caller(owner="o", poe_key="p"), catalogue)


def test_a_fallback_must_be_allowed_too(catalogue: ShownCatalogue) -> None:
    """A key that may ask but one bot is answered by none in its place."""
    names = catalogue.fallbacks("Claude-X")
    found = [
        fallbacks_for(caller, catalogue, "Claude-X")
        for caller in (Caller(owner="o", poe_key="p"), caller_with("Claude-X"), caller_with())
    ]

    assert names
    assert [names, (), names] == found


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


class Refusing:
    """A bridge that takes nothing more."""

    def open_all(self, *_asked: object, total_s: float | None) -> Answer:
        """Refuse."""
        raise OwnError(ErrorKind.BUSY, "Full.")


def test_what_is_not_even_asked_counts_nothing(app: Flask, catalogue: ShownCatalogue) -> None:
    """The reserve is given back at once."""
    store = MemoryStore(clock=lambda: 1.0)
    caller = caller_with()
    assert caller.key is not None
    key = caller.key.changed({"requests_per_minute": 5, "tokens_per_day": 5000})
    limits = Limits(
        store,
        clock=lambda: 1.0,
        new_id=str,
        answer_tokens=100,
        points_per_usd=1,
        spawn=lambda work: work(),
    )
    app.extensions["poeflask"] = SimpleNamespace(
        limits=limits,
        count_prompt=lambda _: lambda: 7,
        metering=SimpleNamespace(
            watched=lambda _caller, _prompts, wants, _catalogue: SimpleNamespace(
                wants=wants, watch=None
            )
        ),
    )
    upstream = SimpleNamespace(bridge=Refusing(), catalogue=catalogue)
    with pytest.raises(OwnError, match="Full"):
        ask(replace(caller, key=key), upstream, Prompt(bot="B", messages=()), Wants())  # type: ignore[arg-type] # parts of one

    assert {"requests_per_minute": (0, 5), "tokens_per_day": (0, 5000)} == spent(store, key, 1.0)
    assert 4 == g.gauges["requests"].remaining
