"""From what a client wishes to the parameters that a bot declares.

Poe's protocol knows a temperature, stop sequences and nothing more of the kind. How much a bot
thinks, whether it searches the web and so on are parameters of the single bot, under names and with
values of its own, published in Poe's list of models. What the client itself gives as a parameter
wins; of the rest, what the bot declares is set, in the nearest value that the bot allows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from poeflask.core import json_text
from poeflask.core.profile import Parameter, Profile
from poeflask.core.prompt import Message, Prompt, Text, Thinking
from poeflask.filters.reply_side import ReplySide

_Declared = Mapping[str, Parameter]

# Names of the same thing, as the bots of Poe's list spell them (2026-03-27), the best first.
_EFFORT = ("reasoning_effort", "output_effort", "thinking_level")
_BUDGET = ("thinking_budget",)
_SWITCH = ("enable_thinking", "deep_thinking", "reasoning_enabled", "enable_reasoning")
_WEB_SEARCH = ("web_search", "enable_web_search", "web_search_enabled", "tool_web_search")
_WEB_SEARCH_EFFORT = "websearch_reasoning_effort"

_LEVELS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

_SHARES = {"minimal": 0.1, "low": 0.2, "medium": 0.5, "high": 0.8, "xhigh": 0.95, "max": 1.0}
"""How much of a bot's largest thinking budget an effort is worth; OpenRouter's shares."""

_EFFORT_BUDGETS = (
    (0, "none"),
    (1024, "minimal"),
    (4096, "low"),
    (16384, "medium"),
    (32768, "high"),
)
"""Up to how many tokens of budget an effort reaches; what is more is "xhigh"."""

_USUAL_BUDGET = 32000
"""The largest thinking budget of a bot that does not say its own; most of Claude's have it."""

_SETTINGS: Mapping[str, tuple[Callable[[Prompt], Any], tuple[str, ...]]] = {
    "temperature": (lambda prompt: prompt.sampling.temperature, ("temperature",)),
    "top_p": (lambda prompt: prompt.sampling.top_p, ("top_p",)),
    "top_k": (lambda prompt: prompt.sampling.top_k, ("top_k",)),
    "seed": (lambda prompt: prompt.sampling.seed, ("seed",)),
    "presence_penalty": (lambda prompt: prompt.sampling.presence_penalty, ("presence_penalty",)),
    "frequency_penalty": (lambda prompt: prompt.sampling.frequency_penalty, ("frequency_penalty",)),
    "max_tokens": (lambda prompt: prompt.limits.max_tokens, ("max_output_tokens",)),
}
"""Wishes that are one value: what the client said, and the parameters that take it."""

_HONOURED_ANYWAY = ("temperature", "max_tokens")
"""Poe's protocol takes the one, poeflask keeps the other itself."""

_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")


class Parameters(ReplySide):
    """The prompt side: sets the bot's parameters. Replies pass unchanged."""

    settled = True

    def __init__(self, profile: Profile) -> None:
        """`profile` tells which parameters the bot declares, and how it wants them."""
        self._profile = profile

    def on_prompt(self, prompt: Prompt) -> Prompt:
        parameters = parameters_for(prompt, self._profile)
        prompt = _with_usual_temperature(prompt, parameters, self._profile)
        if self._profile.flags and parameters:
            return _with_flags(prompt, parameters)
        return replace(prompt, parameters=parameters)


def parameters_for(prompt: Prompt, profile: Profile) -> dict[str, Any]:
    """All parameters that the bot should get with this prompt."""
    declared = profile.parameters
    mapped = {
        **_single_settings(prompt, declared),
        **_web_search(prompt.web_search, declared),
        **_verbosity(prompt.verbosity, declared),
        **_thinking(prompt.thinking, declared),
    }
    usual = _in_its_type(profile.defaults, declared)
    return {**usual, **mapped, **_in_its_type(prompt.parameters, declared)}


def _in_its_type(given: Mapping[str, Any], declared: _Declared) -> dict[str, Any]:
    return {
        name: coerced(value, declared[name].schema) if name in declared else value
        for name, value in given.items()
    }


def _with_usual_temperature(prompt: Prompt, parameters: dict[str, Any], profile: Profile) -> Prompt:
    """The prompt with the bot's default temperature where Poe's protocol has its place for one.

    It is taken out of the parameters: bots that declare none are not sent any.
    """
    usual = profile.defaults.get("temperature")
    if usual is None or "temperature" in profile.parameters or "temperature" in prompt.parameters:
        return prompt
    parameters.pop("temperature", None)
    if prompt.sampling.temperature is not None:
        return prompt
    return replace(prompt, sampling=replace(prompt.sampling, temperature=usual))


def left_out(prompt: Prompt, profile: Profile) -> tuple[str, ...]:
    """Neutral names of the wishes for which neither Poe, the bot nor poeflask has a place.

    Wishes that the client also gives as a parameter of the bot's count as honoured.
    """
    known = {*profile.parameters, *prompt.parameters}
    thinks = (*_EFFORT, *_BUDGET, *_SWITCH)
    wishes = {
        name: (read(prompt), takers)
        for name, (read, takers) in _SETTINGS.items()
        if name not in _HONOURED_ANYWAY
    }
    wishes["verbosity"] = (prompt.verbosity, ("verbosity",))
    wishes["thinking"] = (None if prompt.thinking == Thinking() else prompt.thinking, thinks)
    wishes["web_search"] = (prompt.web_search, (*_WEB_SEARCH, _WEB_SEARCH_EFFORT))
    return tuple(
        name
        for name, (wish, takers) in wishes.items()
        if wish is not None and known.isdisjoint(takers)
    )


def coerced(value: Any, schema: Mapping[str, Any]) -> Any:
    """The value in the type that the schema asks for; unchanged if it is not clear how.

    Poe's enumerations write numbers as strings ("5"), and clients write booleans as strings.
    """
    if isinstance(schema.get("enum"), list | tuple):
        return _member(value, schema["enum"])
    match schema.get("type"):
        case "boolean":
            return _boolean(value)
        case "number" | "integer" as kind:
            return _number(value, whole=kind == "integer")
        case "string" if isinstance(value, bool | int | float):
            return _plain(value)
        case _:
            return value


def _single_settings(prompt: Prompt, declared: _Declared) -> dict[str, Any]:
    settings = {}
    for read, takers in _SETTINGS.values():
        value = read(prompt)
        for name in takers:
            if value is not None and name in declared:
                settings[name] = _fitting(value, declared[name])
    return settings


def _web_search(wanted: bool | None, declared: _Declared) -> dict[str, Any]:
    if wanted is None:
        return {}
    switch = _first(_WEB_SEARCH, declared)
    if switch:
        return {switch: coerced(wanted, declared[switch].schema)}
    if _WEB_SEARCH_EFFORT in declared:
        level = _nearest("low" if wanted else "none", declared[_WEB_SEARCH_EFFORT])
        return {_WEB_SEARCH_EFFORT: level}
    return {}


def _verbosity(wanted: str | None, declared: _Declared) -> dict[str, Any]:
    if wanted is None or "verbosity" not in declared:
        return {}
    return {"verbosity": _nearest(wanted, declared["verbosity"])}


def _thinking(wanted: Thinking, declared: _Declared) -> dict[str, Any]:
    """Effort, budget and switch, each from the others where the client did not say it."""
    if wanted == Thinking():
        return {}
    off = wanted.enabled is False or wanted.effort == "none"
    off = off or (wanted.effort is None and wanted.budget_tokens == 0)
    settings: dict[str, Any] = {}
    if switch := _first(_SWITCH, declared):
        settings[switch] = coerced(not off, declared[switch].schema)
    effort, budget = _first(_EFFORT, declared), _first(_BUDGET, declared)
    if effort and (level := _level(wanted, off=off, parameter=declared[effort], alone=not budget)):
        settings[effort] = _nearest(level, declared[effort])
    if budget:
        tokens = _tokens(wanted, off=off, parameter=declared[budget], alone=not effort)
        if tokens is not None:
            settings[budget] = _fitting(tokens, declared[budget])
    return settings


def _level(wanted: Thinking, *, off: bool, parameter: Parameter, alone: bool) -> str | None:
    """The effort to ask for; None leaves it to the bot."""
    if off:
        return "none"
    if wanted.effort is not None:
        return wanted.effort
    if wanted.budget_tokens is not None:
        return _effort_of(wanted.budget_tokens) if alone else None
    return "medium" if alone and parameter.default in ("none", "minimal") else None


def _tokens(wanted: Thinking, *, off: bool, parameter: Parameter, alone: bool) -> int | None:
    """The budget to ask for; None leaves it to the bot."""
    if off:
        return 0
    if wanted.budget_tokens is not None:
        return wanted.budget_tokens
    if wanted.effort is not None and not alone:
        return None
    if wanted.effort is None and parameter.default:
        return None
    largest = parameter.schema.get("maximum", _USUAL_BUDGET)
    return int(largest * _SHARES.get(wanted.effort or "medium", _SHARES["medium"]))


def _effort_of(budget_tokens: int) -> str:
    for most, effort in _EFFORT_BUDGETS:
        if budget_tokens <= most:
            return effort
    return "xhigh"


def _nearest(level: str, parameter: Parameter) -> str:
    """The allowed level next to the wished one, of two the lower; "none" only if it was wished."""
    allowed = [one for one in parameter.schema.get("enum", ()) if one in _LEVELS]
    if level in allowed or level not in _LEVELS or not allowed:
        return level
    wished = _LEVELS.index(level)
    places = sorted(_LEVELS.index(one) for one in allowed if one != "none" or len(allowed) == 1)
    return _LEVELS[min(places, key=lambda place: abs(place - wished))]


def _fitting(value: Any, parameter: Parameter) -> Any:
    """The value in the parameter's type and within its bounds."""
    fitting = coerced(value, parameter.schema)
    if isinstance(fitting, bool) or not isinstance(fitting, int | float):
        return fitting
    fitting = max(fitting, parameter.schema.get("minimum", fitting))
    return min(fitting, parameter.schema.get("maximum", fitting))


def _first(names: Sequence[str], declared: _Declared) -> str | None:
    return next((name for name in names if name in declared), None)


def _member(value: Any, members: Sequence[Any]) -> Any:
    """The member that reads like the value."""
    for member in members:
        if type(member) is type(value) and member == value:
            return member
    plain = _plain(value).casefold()
    return next((member for member in members if _plain(member).casefold() == plain), value)


def _boolean(value: Any) -> Any:
    plain = _plain(value).strip().casefold()
    if plain in _TRUE:
        return True
    return False if plain in _FALSE else value


def _number(value: Any, *, whole: bool) -> Any:
    if isinstance(value, str):
        value = _read_number(value)
    if isinstance(value, float) and value.is_integer() and (whole or abs(value) < 2**53):
        return int(value)
    return value


def _read_number(text: str) -> Any:
    """The number that the text spells, or the text itself."""
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        return text
    return int(text) if text.strip().lstrip("+-").isdecimal() else number


def _plain(value: Any) -> str:
    """How a flag or an enumeration writes a value: true, 5, 0.5, or a string as it is."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json_text.write(value)


def _with_flags(prompt: Prompt, parameters: Mapping[str, Any]) -> Prompt:
    """The prompt with `--name value` behind the user's last text, as Poe's bots once wanted."""
    flags = " ".join(f"--{name} {' '.join(_plain(v).split())}" for name, v in parameters.items())
    messages = list(prompt.messages)
    for place in reversed(range(len(messages))):
        if messages[place].role == "user":
            messages[place] = _flagged(messages[place], flags)
            return replace(prompt, messages=tuple(messages), parameters={})
    return replace(prompt, parameters=parameters)


def _flagged(message: Message, flags: str) -> Message:
    parts = list(message.parts)
    for place in reversed(range(len(parts))):
        part = parts[place]
        if isinstance(part, Text):
            parts[place] = Text(f"{part.text} {flags}")
            return replace(message, parts=tuple(parts))
    return replace(message, parts=(*parts, Text(flags)))
