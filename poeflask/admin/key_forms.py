"""What the form of a gateway key says, as `GatewayKey.changed` takes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from werkzeug.datastructures import MultiDict

from poeflask.core.gateway_key import LIMITS, MOST

EXPIRIES: Mapping[str, tuple[str, float | None]] = {
    "never": ("keys.expiry_never", None),
    "1d": ("keys.expiry_day", 86_400.0),
    "7d": ("keys.expiry_week", 7 * 86_400.0),
    "30d": ("keys.expiry_month", 30 * 86_400.0),
    "90d": ("keys.expiry_quarter", 90 * 86_400.0),
    "365d": ("keys.expiry_year", 365 * 86_400.0),
}
"""How long a key may live, as the form offers it: the text, and seconds from now."""

KEEP = "keep"
ON = "on"
"""Further choices: the end that the key has, and a day that the form names."""

LIMIT_TEXTS: Mapping[str, str] = {
    "requests_per_minute": "keys.limit_requests_minute",
    "tokens_per_minute": "keys.limit_tokens_minute",
    "concurrent": "keys.limit_concurrent",
    "points_per_day": "keys.limit_points_day",
    "points_per_month": "keys.limit_points_month",
    "tokens_per_day": "keys.limit_tokens_day",
    "tokens_per_month": "keys.limit_tokens_month",
}
"""What each limit is called, in the order of the form."""

PRESETS: tuple[tuple[str, Mapping[str, object]], ...] = (
    (
        "keys.preset_family",
        {
            "expiry": "never",
            "requests_per_minute": 20,
            "concurrent": 3,
            "points_per_day": 20_000,
            "points_per_month": 300_000,
        },
    ),
    (
        "keys.preset_agent",
        {
            "expiry": "90d",
            "requests_per_minute": 120,
            "tokens_per_minute": 2_000_000,
            "concurrent": 8,
            "points_per_day": 200_000,
        },
    ),
    (
        "keys.preset_guest",
        {
            "expiry": "1d",
            "requests_per_minute": 10,
            "concurrent": 1,
            "tokens_per_day": 100_000,
            "points_per_day": 5_000,
        },
    ),
    ("keys.preset_open", {"expiry": "never"}),
)
"""What the form can be filled in with at a click: the text, and the fields that are not empty."""

_LONGEST = 100
_MOST_MODELS = 200
_NUMBER = re.compile(r"[0-9]{1,13}")
_BLANKS = re.compile(r"[\s,_\u00a0\u202f]")


class FormFaultError(ValueError):
    """A field cannot be taken.

    Args:
        field: the field's name.
        text: the name of the text that says what would be right.
    """

    def __init__(self, field: str, text: str) -> None:
        super().__init__(f"{field}: {text}")
        self.field = field
        self.text = text


def read(form: MultiDict[str, str], now_s: float) -> dict[str, Any]:
    """What the form says of a key, all of it.

    Args:
        form: as a browser sends it.
        now_s: seconds since 1970.

    Raises:
        FormFaultError: the first field that cannot be taken.
    """
    said: dict[str, Any] = {
        "name": _name(form.get("name", "")),
        "models": _models(form.getlist("models")),
        "recorded": form.get("recorded") == "on",
        **{name: _limit(name, form.get(name, "")) for name in LIMITS},
    }
    if form.get("expiry", KEEP) != KEEP:
        said["expires_s"] = _expiry(form["expiry"], form.get("expires_on", ""), now_s)
    return said


def _name(text: str) -> str:
    name = text.strip()
    if not 1 <= len(name) <= _LONGEST or not name.isprintable():
        raise FormFaultError("name", "keys.fault_name")
    return name


def _models(entries: list[str]) -> list[str]:
    named = [part.strip() for entry in entries for part in entry.split(",")]
    models = list(dict.fromkeys(filter(None, named)))
    is_right = all(len(model) <= _LONGEST and model.isprintable() for model in models)
    if not is_right or len(models) > _MOST_MODELS:
        raise FormFaultError("models", "keys.fault_models")
    return models


def _limit(name: str, text: str) -> int | None:
    digits = _BLANKS.sub("", text)
    if not digits:
        return None
    if not _NUMBER.fullmatch(digits) or not 1 <= int(digits) <= MOST:
        raise FormFaultError(name, "keys.fault_number")
    return int(digits)


def _expiry(choice: str, day: str, now_s: float) -> float | None:
    if choice in EXPIRIES:
        lives_s = EXPIRIES[choice][1]
        return None if lives_s is None else now_s + lives_s
    try:
        expires_s = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise FormFaultError("expires_on", "keys.fault_day") from error
    if choice != ON or expires_s <= now_s:
        raise FormFaultError("expires_on", "keys.fault_day")
    return expires_s
