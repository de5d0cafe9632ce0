"""Models as lines of a table."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.admin.model_rows import counted, kinds, priced, row
from poeflask.core.bot import Bot
from poeflask.core.override import KnownBot, Override


def known(override: Override | None = None, /, **said: Any) -> KnownBot:
    """A bot of Poe's list, of which the owner says this."""
    bot = Bot(id="a-bot", handle="A-Bot", **said)
    override = override or Override()
    return KnownBot(bot=override.shown(bot), override=override)


@pytest.mark.parametrize(
    ("modalities", "shown"),
    [
        (("text",), ("text",)),
        (("video", "text"), ("text", "video")),
        (("3d", "smell"), ("other",)),
        ((), ()),
    ],
)
def test_what_a_model_gives_is_one_of_few_kinds(
    modalities: tuple[str, ...], shown: tuple[str, ...]
) -> None:
    """In one order, and what has no name is "other"."""
    assert shown == kinds(modalities)


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, ""), (0, ""), (999, "999"), (32_000, "32k"), (400_000, "400k"), (1_048_576, "1.05M")],
)
def test_numbers_of_tokens_are_short(count: int | None, text: str) -> None:
    """Three digits and a letter."""
    assert text == counted(count)


@pytest.mark.parametrize(
    ("pricing", "price_of", "price"),
    [
        ({"prompt": "0.000003", "completion": "0.000015"}, "tokens", "$3 / $15"),
        ({"prompt": "0.00000025", "completion": None}, "tokens", "$0.25 / –"),
        ({"prompt": "0", "completion": "0"}, "tokens", "$0 / $0"),
        ({"prompt": None, "request": "0.0401"}, "request", "$0.0401"),
        ({"image": "0.04"}, "image", "$0.04"),
        ({}, "", ""),
        ({"prompt": "free", "request": ["x"], "image": "-1"}, "", ""),
        ({"prompt": "1e-999999", "request": "NaN", "image": "1e999999"}, "", ""),
    ],
)
def test_prices_are_short(pricing: dict[str, Any], price_of: str, price: str) -> None:
    """For a million tokens in and out, a request or a picture; what is none is not shown."""
    made = row(known(pricing=pricing))

    assert (price_of, price) == (made.price_of, made.price)


@pytest.mark.parametrize(
    ("name", "amount", "text"),
    [
        ("prompt", "0.000003", "3"),
        ("completion", "0.0000001", "0.1"),
        ("request", "0.25", "0.25"),
        ("image", "100", "100"),
        ("image", None, ""),
    ],
)
def test_a_form_shows_prices_exactly(name: str, amount: str | None, text: str) -> None:
    """Those of tokens for a million."""
    assert text == priced(name, amount)


@pytest.mark.parametrize(
    ("override", "states"),
    [
        (Override(), "enabled"),
        (Override(disabled=True), "disabled changed"),
        (Override(hidden=True, aliases=("x",)), "enabled hidden changed"),
        (Override(custom=True), "enabled changed custom"),
    ],
)
def test_states_are_words_to_filter_by(override: Override, states: str) -> None:
    """What the owner said makes it changed."""
    assert states == row(known(override)).states


@pytest.mark.parametrize(
    ("override", "said", "tools"),
    [
        (Override(), {"features": ("tools",)}, "native"),
        (Override(), {}, "prompted"),
        (Override(tools="native"), {}, "native"),
        (Override(tools="prompted"), {"features": ("tools",)}, "prompted"),
        (Override(), {"output_modalities": ("image",)}, ""),
    ],
)
def test_how_tools_reach_a_model_is_told(
    override: Override, said: dict[str, Any], tools: str
) -> None:
    """The owner's word over Poe's; nothing of models that give no text."""
    assert tools == row(known(override, **said)).tools


def test_a_long_description_is_cut() -> None:
    """And is one line, however many it had."""
    hint = row(known(owned_by="Poe", description="one\n\ntwo " + "x" * 5000)).hint

    assert hint.startswith("Poe · one two xxx")
    assert (100, "…") == (len(hint), hint[-1])
