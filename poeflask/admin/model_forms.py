"""The form of one model: what `models.yaml` says as the fields of a form, and back again.

Only what a form changes is written: a field that says what the file said before is left alone, and
one that is empty is left to Poe's list again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from werkzeug.datastructures import MultiDict

from poeflask.admin.model_rows import A_MILLION, TOKEN_PRICES, dollars
from poeflask.core import json_text
from poeflask.core.override import Override

PRICES = ("prompt", "completion", "input_cache_read", "input_cache_write", "request", "image")
MODALITIES = ("text", "image", "audio", "video")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "tools": ("auto", "native", "prompted"),
    "reasoning": ("any", "quote", "tags", "none"),
    "buffered": ("yes", "no"),
    "flags": ("yes", "no"),
}
"""The fields of which one value is chosen, and their values."""

_YES_OR_NO = {"yes": True, "no": False}


class FormError(ValueError):
    """A field holds something that it cannot.

    Args:
        text: the name of the text that says so.
        field: the field's name in the form.
    """

    def __init__(self, text: str, field: str) -> None:
        super().__init__(text, field)
        self.text = text
        self.field = field


def said(form: MultiDict[str, str], before: Override) -> dict[str, Any]:
    """What the file must say otherwise after this form; None for a field that it leaves to Poe.

    Args:
        form: as the editor's form sends it; a field that is missing is empty.
        before: what the file says of the bot.

    Raises:
        FormError: a field cannot be understood.
    """
    wanted, had = _wanted(form), _had(before)
    changed = {name: value for name, value in wanted.items() if value != had[name]}
    if changed.get("price"):
        changed["price"] = {name: format(one, "f") for name, one in changed["price"].items()}
    return changed


def lines(text: str) -> list[str]:
    """The names in a text with one a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def choice(value: str | bool | None) -> str:
    """A value as `CHOICES` has it; empty if nothing is said."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value or ""


def _wanted(form: MultiDict[str, str]) -> dict[str, Any]:
    return {
        "alias": lines(form.get("alias", "")) or None,
        "hidden": None if "shown" in form else True,
        "disabled": None if "enabled" in form else True,
        "owner": form.get("owner", "").strip() or None,
        "description": form.get("description", "").replace("\r\n", "\n").strip() or None,
        "parameters": parameters(form.get("parameters", "")) or None,
        "fallback": lines(form.get("fallback", "")) or None,
        "price": _price(form) or None,
        "input": _ticked(form.getlist("input")),
        "output": _ticked(form.getlist("output")),
        "context_tokens": _count("context_tokens", form.get("context_tokens", "")),
        "max_output_tokens": _count("max_output_tokens", form.get("max_output_tokens", "")),
        **{name: _chosen(name, form.get(name, "")) for name in CHOICES},
    }


def _had(before: Override) -> dict[str, Any]:
    return {
        "alias": list(before.aliases) or None,
        "hidden": before.hidden or None,
        "disabled": before.disabled or None,
        "owner": (before.owner or "").strip() or None,
        # As a browser gives it back.
        "description": (before.description or "").replace("\r\n", "\n").strip() or None,
        "parameters": dict(before.parameters) or None,
        "fallback": list(before.fallbacks) or None,
        "price": {name: Decimal(amount) for name, amount in before.price.items()} or None,
        "input": list(before.input_modalities) or None,
        "output": list(before.output_modalities) or None,
        "context_tokens": before.context_tokens,
        "max_output_tokens": before.max_output_tokens,
        "tools": before.tools,
        "reasoning": before.reasoning,
        "buffered": before.buffered,
        "flags": before.flags,
    }


def parameters(text: str) -> dict[str, Any]:
    """Parameters written as a JSON object, or as lines with a name, "=" and a value.

    A value is JSON, or else a text as it stands there.

    Raises:
        FormError: it is neither.
    """
    if text.strip().startswith("{"):
        try:
            value = json_text.read(text)
        except json_text.NotJsonError as error:
            raise FormError("models.bad_json", "parameters") from error
        return dict(value)
    pairs = [line.partition("=") for line in lines(text)]
    if any(not (name.strip() and sign) for name, sign, _ in pairs):
        raise FormError("models.bad_json", "parameters")
    return {name.strip(): _value(value.strip()) for name, _, value in pairs}


def written(values: Mapping[str, Any]) -> str:
    """Parameters as `parameters` reads them: as lines, where these can say them."""
    pairs = [
        (name, value if isinstance(value, str) else json_text.write(value))
        for name, value in values.items()
    ]
    text = "\n".join(f"{name}={value}" for name, value in pairs)
    return text if _reads_as(text, values) else json_text.write(dict(values))


def _reads_as(text: str, values: Mapping[str, Any]) -> bool:
    try:
        return json_text.write(parameters(text)) == json_text.write(dict(values))
    except FormError:
        return False


def _value(text: str) -> Any:
    try:
        return json_text.read(text)
    except json_text.NotJsonError:
        return text


def _chosen(name: str, value: str) -> str | bool | None:
    if not value:
        return None
    if value not in CHOICES[name]:
        raise FormError("models.bad_choice", name)
    return _YES_OR_NO.get(value, value)


def _ticked(values: Iterable[str]) -> list[str] | None:
    return [one for one in MODALITIES if one in set(values)] or None


def _count(name: str, text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and int(text)):
        raise FormError("models.bad_count", name)
    return int(text)


def _price(form: MultiDict[str, str]) -> dict[str, Decimal]:
    written = {name: form.get(f"price.{name}", "").strip() for name in PRICES}
    return {name: _dollars(name, text) for name, text in written.items() if text}


def _dollars(name: str, text: str) -> Decimal:
    amount = dollars(text)
    if amount is None:
        raise FormError("models.bad_price", f"price.{name}")
    return amount / A_MILLION if name in TOKEN_PRICES else amount
