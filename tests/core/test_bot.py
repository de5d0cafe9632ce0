"""A bot of Poe's list."""

from __future__ import annotations

from poeflask.core.bot import Bot
from poeflask.core.profile import Parameter, Profile


def test_a_bot_of_which_nothing_is_known_can_what_any_can() -> None:
    """Its profile is that of a bot that is not listed."""
    assert Profile(bot="Echo") == Bot(id="echo", handle="Echo").profile


def test_the_profile_says_what_the_list_says() -> None:
    """Tools, parameters by name, what goes in and out, and how much."""
    effort = Parameter(name="effort", default="low")
    bot = Bot(
        id="x",
        handle="X",
        features=("web_search", "tools"),
        parameters=(effort,),
        input_modalities=("text", "image"),
        output_modalities=("audio",),
        context_tokens=1000,
        max_output_tokens=10,
    )

    assert bot.profile == Profile(
        bot="X",
        native_tools=True,
        parameters={"effort": effort},
        input_modalities=("text", "image"),
        output_modalities=("audio",),
        context_tokens=1000,
        max_output_tokens=10,
    )


def test_all_that_poe_said_is_in_no_log_line() -> None:
    """The repr leaves it out."""
    assert "canary" not in repr(Bot(id="x", handle="X", entry={"a": "canary"}))
