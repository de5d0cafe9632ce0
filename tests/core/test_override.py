"""The owner's word on a bot."""

from __future__ import annotations

from poeflask.core.bot import Bot
from poeflask.core.override import KnownBot, Override
from poeflask.core.profile import Profile

BOT = Bot(id="b", handle="B", owned_by="Poe", pricing={"prompt": "1", "request": None})


def test_an_override_changes_the_profile_and_nothing_else():
    """What the owner does not speak of stays Poe's."""
    profile = Profile(bot="B", native_tools=True, context_tokens=7)
    said = Override(tools="prompted", buffered=True, parameters={"effort": "low"})

    assert Profile(
        bot="B",
        native_tools=True,
        context_tokens=7,
        tools_mode="prompted",
        buffered=True,
        defaults={"effort": "low"},
    ) == said.applied(profile)
    assert profile == Override().applied(profile)


def test_an_override_changes_what_is_told_of_the_bot():
    """Prices one by one, everything else as a whole; where nothing is said it is the same bot."""
    said = Override(
        owner="me", created_s=5, output_modalities=("image",), price={"completion": "2"}
    )
    shown = said.shown(BOT)

    assert ("me", 5, ("image",)) == (shown.owned_by, shown.created_s, shown.output_modalities)
    assert {"prompt": "1", "request": None, "completion": "2"} == shown.pricing
    assert BOT is Override(hidden=True).shown(BOT)


def test_a_name_is_shown_unless_something_is_against_it():
    """A bot must be Poe's or the owner's own, and neither hidden, disabled nor shadowed."""
    cases = {
        "listed": KnownBot(bot=BOT),
        "custom": KnownBot(bot=BOT, is_listed=False, override=Override(custom=True)),
        "private": KnownBot(bot=BOT, is_listed=False),
        "hidden": KnownBot(bot=BOT, override=Override(hidden=True)),
        "disabled": KnownBot(bot=BOT, override=Override(disabled=True)),
        "shadowed": KnownBot(bot=BOT, shadowed_by="C"),
        "unhidden": KnownBot(bot=BOT, override=Override(hidden=False, disabled=False)),
    }

    assert ["listed", "custom", "unhidden"] == [
        name for name, known in cases.items() if known.shows_its_name
    ]
