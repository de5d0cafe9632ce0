"""From what a dialect decoded to a prompt for a bot that is there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from flask import g

from poeflask.bridge import Answer
from poeflask.core.caller import Caller
from poeflask.core.profile import Profile
from poeflask.core.prompt import Prompt
from poeflask.endpoints.common_fields import SkipSystemPrompt, skips_system_prompt
from poeflask.filters.chain import Wants
from poeflask.filters.media_parameters import fitted
from poeflask.filters.parameters import left_out
from poeflask.poe.shown_catalogue import ShownCatalogue
from poeflask.web.services import Upstream

_FIELD = re.compile(r"[\w.\[\]-]{1,64}", re.ASCII)
_MOST_FIELDS = 40


def address(
    prompt: Prompt, extras: Mapping[str, Any], catalogue: ShownCatalogue
) -> tuple[Prompt, tuple[str, ...]]:
    """The prompt under the bot's own name, and the names of what this bot cannot honour.

    The owner's aliases and names that other APIs give to models (`core.model_names`) are
    understood. Names that mean no bot that is known are passed on as they are: private bots are
    not listed.

    Args:
        prompt: as decoded; `bot` is the model's name as the client wrote it.
        extras: fields of the request that no dialect knows; those that the bot declares as
            parameters are taken as such.
        catalogue: the bots that clients may ask.

    Raises:
        ClientError: kind FORBIDDEN, if the owner has disabled the bot.
    """
    bot = catalogue.resolve(prompt.bot)
    name = prompt.bot if bot is None else bot.handle
    profile = catalogue.profile(name)
    declared = {field: value for field, value in extras.items() if field in profile.parameters}
    strangers = tuple(field for field in extras if field not in declared)
    g.model = name
    addressed = replace(prompt, bot=name, parameters={**declared, **prompt.parameters})
    return addressed, (*left_out(addressed, profile), *strangers)


class Making(NamedTuple):
    """A prompt for a bot that makes files, what is known of the bot, and what it cannot honour."""

    prompt: Prompt
    profile: Profile
    ignored: tuple[str, ...]


def address_maker(
    prompt: Prompt,
    extras: Mapping[str, Any],
    wishes: Mapping[str, Any],
    catalogue: ShownCatalogue,
    *,
    skip_system_prompt: SkipSystemPrompt,
) -> Making:
    """As `address`, with wishes for pictures, sounds and films in the bot's own parameters.

    What the client names as the bot's parameter wins over a wish.
    """
    skips = skips_system_prompt(skip_system_prompt, prompt.messages)
    prompt = replace(prompt, skip_system_prompt=skips)
    addressed, left_out = address(prompt, extras, catalogue)
    profile = catalogue.profile(addressed.bot)
    found = fitted(wishes, profile)
    parameters = {**found.parameters, **addressed.parameters}
    ignored = (*left_out, *found.ignored)
    return Making(replace(addressed, parameters=parameters), profile, ignored)


def ask(caller: Caller, upstream: Upstream, prompt: Prompt, wants: Wants, *, n: int = 1) -> Answer:
    """Ask a bot for a caller, `n` times at once.

    Raises:
        PoeflaskError: the caller may not ask this now.
    """
    return ask_all(caller, upstream, (prompt,) * n, wants)


def ask_all(caller: Caller, upstream: Upstream, prompts: Sequence[Prompt], wants: Wants) -> Answer:
    """As `ask`, for prompts that differ: the events of reply number i answer `prompts[i]`.

    Every answer of every API is asked for here, and nowhere else.
    """
    return upstream.bridge.open_all(prompts, caller, wants)


def ignored_header(fields: Iterable[str]) -> dict[str, str]:
    """The header that names what was accepted and not honoured; no header if nothing was."""
    named = [field for field in dict.fromkeys(fields) if _FIELD.fullmatch(field)]
    return {"x-poeflask-ignored": ", ".join(named[:_MOST_FIELDS])} if named else {}
