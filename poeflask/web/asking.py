"""From what a dialect decoded to a prompt for a bot that is there."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from werkzeug.datastructures import Headers

from poeflask.bridge import Answer
from poeflask.core.bot import Bot
from poeflask.core.caller import Caller
from poeflask.core.errors import ClientError, ErrorKind, PoeError, PoeflaskError
from poeflask.core.gateway_key import GatewayKey
from poeflask.core.profile import Profile
from poeflask.core.prompt import Prompt
from poeflask.core.quota import Amount
from poeflask.endpoints.common_fields import SkipSystemPrompt, skips_system_prompt
from poeflask.filters.chain import Wants
from poeflask.filters.media_parameters import fitted
from poeflask.filters.parameters import left_out
from poeflask.poe.shown_catalogue import ShownCatalogue
from poeflask.web.current import current_request, kept
from poeflask.web.grants import Grant, Wish
from poeflask.web.services import Upstream, services
from poeflask.web.watching import together

_FIELD = re.compile(r"[\w.\[\]-]{1,64}", re.ASCII)
_MOST_FIELDS = 40
_LETTERS_PER_TOKEN = 3
_MOST_LETTERS = 100
"""Of a bot's name, in an error; a longer one is like no other."""
_ALIKE = 0.75
"""How alike names must be for one to be taken for the other, from 0 to 1."""


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
    now = kept()
    now.asked = prompt.bot
    bot = catalogue.resolve(prompt.bot)
    name = prompt.bot if bot is None else bot.handle
    profile = catalogue.profile(name)
    declared = {field: value for field, value in extras.items() if field in profile.parameters}
    strangers = tuple(field for field in extras if field not in declared)
    now.model = name
    addressed = prompt
    if name != prompt.bot or declared:
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

    Raises:
        ClientError: kind INVALID_REQUEST, if the header `x-poeflask-timeout` is no time.
        PoeflaskError: the caller may not ask this now.
    """
    bound_s = total_s(current_request().headers)
    grant = None if caller.key is None else _granted(caller.key, upstream, prompts)
    metering = services().metering
    watched = metering.watched(caller, prompts, wants, upstream.catalogue)
    wants = watched.wants
    if grant is not None:
        prompts = grant.bounded(prompts)
        wants = replace(wants, usage=wants.usage or grant.counts_tokens)
    watch = together([grant, watched.watch])
    try:
        answer = upstream.bridge.open_all(prompts, caller, wants, watch, total_s=bound_s)
    except PoeflaskError:
        if grant is not None:
            grant.cancel()
        raise
    metering.opened(watched.meter, answer)
    return answer


def total_s(headers: Headers) -> float | None:
    """How many seconds the client gives the whole answer; None if it does not say.

    Raises:
        ClientError: kind INVALID_REQUEST, if it says what is no time.
    """
    said = headers.get("x-poeflask-timeout")
    if said is None:
        return None
    try:
        seconds = float(said)
    except ValueError:
        seconds = 0.0
    if math.isfinite(seconds) and seconds > 0:
        return seconds
    raise ClientError(
        ErrorKind.INVALID_REQUEST,
        f"The header x-poeflask-timeout holds {said[:40]!r}; "
        "it should be a number of seconds above 0.",
    )


@contextmanager
def spending(
    caller: Caller, model: str, texts: Sequence[str | Sequence[int]]
) -> Iterator[Callable[[int], None]]:
    """Count what a model of this service's own reads, as a request to a bot counts.

    Texts may be tokens already.

    What is given is told how many tokens it truly was. If the block fails, nothing counts.

    Raises:
        PoeflaskError: the caller may not ask this now.
    """
    grant = None if caller.key is None else _granted_own(caller.key, model, texts)
    if grant is None:
        yield lambda tokens: None
        return
    try:
        yield lambda tokens: grant.settle(Amount(requests=1, tokens=tokens))
    finally:
        grant.cancel()


def shown(caller: Caller, catalogue: ShownCatalogue, bots: Iterable[Bot]) -> tuple[Bot, ...]:
    """Those of the bots that the caller may ask."""
    return tuple(bot for bot in bots if is_shown(caller, catalogue, bot))


def is_shown(caller: Caller, catalogue: ShownCatalogue, bot: Bot) -> bool:
    """Whether the caller may ask the bot."""
    # An alias is listed as a bot of its own; what counts is whom it means.
    return caller.key is None or _allows(caller.key, _meaning(catalogue, bot.handle), catalogue)


def perhaps(name: str, caller: Caller, catalogue: ShownCatalogue) -> str:
    """A sentence about the bot that a name of none may mean, with a space before it; or nothing."""
    if len(name) > _MOST_LETTERS:
        return ""
    bots = shown(caller, catalogue, catalogue.at_hand())
    spelled = {bot.handle.lower(): bot.handle for bot in bots}
    near = difflib.get_close_matches(name.lower(), spelled, n=1, cutoff=_ALIKE)
    return f" Perhaps {spelled[near[0]]!r} is meant." if near else ""


def explained(
    error: PoeflaskError, bot: str, caller: Caller, catalogue: ShownCatalogue
) -> PoeflaskError:
    """What the caller is told of a bot's error.

    Where Poe knows no such bot it does not say which; clients often send a name that nobody chose.
    """
    if error.kind is not ErrorKind.UNKNOWN_MODEL:
        return error
    said = error.message.rstrip(".")
    if bot not in said:
        said = f"Poe says of {bot[:_MOST_LETTERS]!r}: {said}"
    hint = perhaps(bot, caller, catalogue)
    return PoeError(
        error.kind,
        f"{said}.{hint} GET /v1/models lists the bots.",
        param="model",
        code=error.code,
        allow_retry=error.allow_retry,
    )


def fallbacks_for(caller: Caller, catalogue: ShownCatalogue, bot: str) -> tuple[str, ...]:
    """The bots that may answer the caller in place of this one, the best first."""
    names = catalogue.fallbacks(bot)
    if caller.key is None:
        return names
    return tuple(name for name in names if _allows(caller.key, name, catalogue))


def _granted(key: GatewayKey, upstream: Upstream, prompts: Sequence[Prompt]) -> Grant | None:
    bot = prompts[0].bot
    if not _allows(key, bot, upstream.catalogue):
        raise _not_allowed(key, bot)
    here = services()
    counted: dict[int, int] = {}
    if key.limits.of_tokens or key.limits.of_points:
        counted = {
            id(one): here.count_prompt(one)() for one in {id(p): p for p in prompts}.values()
        }
    wishes = [Wish(counted.get(id(one), 0), one.limits.max_tokens) for one in prompts]
    known = upstream.catalogue.find(bot) if key.limits.of_points else None
    return here.limits.admit(key, wishes, bot=bot, pricing={} if known is None else known.pricing)


def _granted_own(key: GatewayKey, model: str, texts: Sequence[str | Sequence[int]]) -> Grant | None:
    if not key.allows(model, meaning=str, members=_no_members):
        raise _not_allowed(key, model)
    tokens = sum(map(_about_tokens, texts))
    return services().limits.admit(key, [Wish(tokens, 0)], bot=model, pricing=None)


def _about_tokens(text: str | Sequence[int]) -> int:
    return len(text) // _LETTERS_PER_TOKEN + 1 if isinstance(text, str) else len(text)


def _allows(key: GatewayKey, bot: str, catalogue: ShownCatalogue) -> bool:
    return key.allows(
        bot,
        meaning=lambda name: _meaning(catalogue, name),
        members=lambda group: catalogue.group(group) or (),
    )


def _meaning(catalogue: ShownCatalogue, name: str) -> str:
    """The bot's own name behind a name; what means none, or one that is disabled, stays."""
    try:
        found = catalogue.resolve(name)
    except ClientError:
        return name
    return name if found is None else found.handle


def _no_members(_group: str) -> tuple[str, ...]:
    return ()


def _not_allowed(key: GatewayKey, model: str) -> ClientError:
    return ClientError(
        ErrorKind.FORBIDDEN,
        f"The key {key.name!r} may not ask {model[:100]!r}. GET /v1/models lists what it may ask.",
        param="model",
        code="model_not_allowed",
    )


def ignored_header(fields: Iterable[str]) -> dict[str, str]:
    """The header that names what was accepted and not honoured; no header if nothing was."""
    named = [field for field in dict.fromkeys(fields) if _FIELD.fullmatch(field)]
    return {"x-poeflask-ignored": ", ".join(named[:_MOST_FIELDS])} if named else {}
