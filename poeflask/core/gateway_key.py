"""A key that the owner of this service gives out: who may ask for what, how much, and until when.

Here is what is known of a key, never the key itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from fnmatch import fnmatchcase
from typing import Any

from marshmallow import Schema, ValidationError, validate
from marshmallow import fields as kinds

MOST = 10**12
"""The largest limit: a thousandth part of it is still counted exactly, by every store."""

_LONGEST_NAME = 100
_MOST_MODELS = 200


class KeyFaultError(ValueError):
    """What was said of a key cannot be; the message is a sentence that names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLimits:
    """How much may be done with a key; None is no limit.

    Attributes:
        requests_per_minute, tokens_per_minute: within any 60 seconds.
        concurrent: answers that are given at a time.
        points_per_day, points_per_month, tokens_per_day, tokens_per_month: in a day or a month of
            the calendar, UTC.
    """

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent: int | None = None
    points_per_day: int | None = None
    points_per_month: int | None = None
    tokens_per_day: int | None = None
    tokens_per_month: int | None = None

    @property
    def of_tokens(self) -> tuple[int, ...]:
        """All limits on tokens that there are."""
        return _there(self.tokens_per_minute, self.tokens_per_day, self.tokens_per_month)

    @property
    def has_budget(self) -> bool:
        """Whether there is so much for a day or a month."""
        return bool(self.of_points or _there(self.tokens_per_day, self.tokens_per_month))

    @property
    def of_points(self) -> tuple[int, ...]:
        """All limits on points that there are."""
        return _there(self.points_per_day, self.points_per_month)


LIMITS = tuple(one.name for one in fields(KeyLimits))
"""The names of all limits."""

NO_LIMITS = KeyLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayKey:
    """What is known of a key.

    Attributes:
        id: names the key for ever; it is the key's second part, and no secret.
        name: what the owner calls it.
        created_s: seconds since 1970.
        expires_s: from when on it is refused, in seconds since 1970; None for never.
        models: what it may ask: names and aliases of bots, patterns such as "Claude-*", and groups
            such as "@cheap". Empty: everything.
        limits: how much it may ask.
        disabled: it is refused until that is taken back.
        recorded: its questions and answers may be kept where the owner records them.
        last4: the last four letters of the key, to tell it from others.
    """

    id: str
    name: str
    created_s: float
    expires_s: float | None = None
    models: tuple[str, ...] = ()
    limits: KeyLimits = field(default=NO_LIMITS)
    disabled: bool = False
    recorded: bool = True
    last4: str = ""

    def has_expired(self, now_s: float) -> bool:
        """Whether its time is over."""
        return self.expires_s is not None and self.expires_s <= now_s

    def allows(
        self,
        bot: str,
        *,
        meaning: Callable[[str], str],
        members: Callable[[str], Iterable[str]],
    ) -> bool:
        """Whether the bot of this name may be asked.

        Args:
            bot: the bot's own name, no alias; patterns look at nothing else, so that no alias
                smuggles in a bot that they do not mean.
            meaning: the bot's own name behind a name or an alias; what means none is given back.
            members: the names of the bots in a group, without its "@"; nothing if there is none.
        """
        wanted = bot.lower()
        return not self.models or any(
            _fits(entry, wanted, meaning, members) for entry in self.models
        )

    def changed(self, said: Mapping[str, Any]) -> GatewayKey:
        """The key with what is said of it, under the names of `GatewayKey` and `KeyLimits`.

        Raises:
            KeyFaultError: a field is unknown or holds what it cannot hold.
        """
        known = _checked(said)
        limits = {name: known.pop(name) for name in LIMITS if name in known}
        return replace(self, limits=replace(self.limits, **limits), **known)

    def record(self) -> dict[str, Any]:
        """The key as JSON says it."""
        return {**asdict(self), "models": list(self.models)}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> GatewayKey:
        """The key that `record` told of."""
        limits = KeyLimits(**record["limits"])
        return cls(**{**record, "models": tuple(record["models"]), "limits": limits})


def _there(*limits: int | None) -> tuple[int, ...]:
    return tuple(limit for limit in limits if limit is not None)


def _fits(
    entry: str,
    bot: str,
    meaning: Callable[[str], str],
    members: Callable[[str], Iterable[str]],
) -> bool:
    if entry.startswith("@"):
        return any(meaning(member).lower() == bot for member in members(entry[1:]))
    if "*" in entry or "?" in entry:
        return fnmatchcase(bot, entry.lower().replace("[", "[[]"))
    return meaning(entry).lower() == bot


class _Printable(validate.Validator):
    """One line of text that anybody can read."""

    def __call__(self, value: str) -> str:
        if not value.isprintable() or value != value.strip():
            raise ValidationError("Must be one line of text, without blanks around it.")
        return value


class _Number(kinds.Integer):
    """A whole number above zero, and nothing that looks like one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST:
            raise ValidationError(f"Must be a whole number from 1 to {MOST}, or nothing.")
        return value


class _Switch(kinds.Field[bool]):
    """true or false, and nothing that looks like them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool:
        if isinstance(value, bool):
            return value
        raise ValidationError("Must be true or false.")


def _line(most: int) -> kinds.String:
    return kinds.String(validate=[validate.Length(1, most), _Printable()])


_SAID = Schema.from_dict(
    {
        "name": _line(_LONGEST_NAME),
        "expires_s": kinds.Float(
            allow_none=True, validate=validate.Range(0, 253_402_300_799), allow_nan=False
        ),
        "models": kinds.List(_line(_LONGEST_NAME), validate=validate.Length(max=_MOST_MODELS)),
        "disabled": _Switch(),
        "recorded": _Switch(),
        **{name: _Number(allow_none=True) for name in LIMITS},
    }
)()


def _checked(said: Mapping[str, Any]) -> dict[str, Any]:
    try:
        known: dict[str, Any] = _SAID.load(dict(said))
    except ValidationError as error:
        raise KeyFaultError(_first_fault(error.messages)) from error
    if "models" in known:
        known["models"] = tuple(dict.fromkeys(known["models"]))
    return known


def _first_fault(messages: Any, path: str = "") -> str:
    """The first sentence in marshmallow's tree of faults, behind the path that leads to it."""
    if isinstance(messages, dict):
        name, inner = next(iter(messages.items()))
        return _first_fault(inner, f"{path}.{name}" if path else str(name))
    return f"{path}: {messages[0]}"
