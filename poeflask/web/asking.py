"""From what a dialect decoded to a prompt for a bot that is there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from flask import g

from poeflask.core.prompt import Prompt
from poeflask.filters.parameters import left_out
from poeflask.poe.catalogue import Catalogue

_FIELD = re.compile(r"[\w.\[\]-]{1,64}", re.ASCII)
_MOST_FIELDS = 40


def address(
    prompt: Prompt, extras: Mapping[str, Any], catalogue: Catalogue
) -> tuple[Prompt, tuple[str, ...]]:
    """The prompt under the bot's own name, and the names of what this bot cannot honour.

    Names that other APIs give to models are understood (`core.model_names`). Names that mean no
    bot that Poe lists are passed on as they are: private bots are not listed.

    Args:
        prompt: as decoded; `bot` is the model's name as the client wrote it.
        extras: fields of the request that no dialect knows; those that the bot declares as
            parameters are taken as such.
        catalogue: the bots that Poe lists.
    """
    bot = catalogue.resolve(prompt.bot)
    name = prompt.bot if bot is None else bot.handle
    profile = catalogue.profile(name)
    declared = {field: value for field, value in extras.items() if field in profile.parameters}
    strangers = tuple(field for field in extras if field not in declared)
    g.model = name
    addressed = replace(prompt, bot=name, parameters={**declared, **prompt.parameters})
    return addressed, (*left_out(addressed, profile), *strangers)


def ignored_header(fields: Iterable[str]) -> dict[str, str]:
    """The header that names what was accepted and not honoured; no header if nothing was."""
    named = [field for field in dict.fromkeys(fields) if _FIELD.fullmatch(field)]
    return {"x-poeflask-ignored": ", ".join(named[:_MOST_FIELDS])} if named else {}
