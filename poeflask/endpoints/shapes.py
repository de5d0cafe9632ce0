"""Reading a JSON body strictly: exact types, exact ranges, and errors that name the field.

Two ways with one voice. `Envelope` and its fields are marshmallow's, for what a body holds once;
the `a_…` functions are plain calls, for what it holds a thousand times (messages, parts, tools).
Neither converts: "1", 1 and true are three different things, as they are to the APIs.

Every error is a `ClientError` of kind INVALID_REQUEST whose `param` is the field's path as OpenAI
spells it, such as "messages[2].content[0].text".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from math import isfinite
from typing import Any, cast

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load

from poeflask.core.errors import ClientError, ErrorKind

MAX_DEPTH = 100
"""The deepest value that is handed on unread; coding agents were seen to send 11 levels."""

_SHOWN_CHARS = 40


def wrong(param: str, what: str) -> ClientError:
    """The error for a field: `what` completes the sentence that begins with the field's path."""
    return ClientError(ErrorKind.INVALID_REQUEST, f"'{param}' {what}", param=param)


def kind_of(value: object) -> str:
    """What JSON calls the value, with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
    return "an object"


def shown(value: object) -> str:
    """A value inside an error's sentence: short, whatever it is."""
    if isinstance(value, (dict, list)):
        return kind_of(value)
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"


def one_of(choices: Iterable[str]) -> str:
    """The choices as an English list: 'a', 'b' or 'c'."""
    *others, last = [f"'{choice}'" for choice in choices]
    return f"{', '.join(others)} or {last}" if others else last


def a_text(value: object, param: str) -> str:
    """The value, which must be a string."""
    if isinstance(value, str):
        return value
    raise _not(value, param, "a string")


def a_name(value: object, param: str, max_chars: int = 256) -> str:
    """The value, which must be a string of 1 to `max_chars` characters."""
    text = a_text(value, param)
    if not 0 < len(text) <= max_chars:
        raise wrong(param, f"must be 1 to {max_chars} characters long, not {len(text)}.")
    return text


def an_object(value: object, param: str) -> dict[str, Any]:
    """The value, which must be an object."""
    if isinstance(value, dict):
        return value
    raise _not(value, param, "an object")


def an_array(value: object, param: str, max_items: int) -> list[Any]:
    """The value, which must be an array of at most `max_items`."""
    if not isinstance(value, list):
        raise _not(value, param, "an array")
    if len(value) > max_items:
        raise wrong(param, f"may hold at most {max_items} items, not {len(value)}.")
    return value


def a_flag(value: object, param: str) -> bool:
    """The value, which must be true or false."""
    if isinstance(value, bool):
        return value
    raise _not(value, param, "true or false")


def handed_on(value: object, param: str) -> dict[str, Any]:
    """An object that nobody here reads and that is written out again: finite and not too deep."""
    if (fault := _unwritable(an_object(value, param))) is not None:
        raise wrong(param, fault)
    return cast(dict[str, Any], value)


def _not(value: object, param: str, what: str) -> ClientError:
    if value is None:
        return wrong(param, f"is missing: it must be {what}.")
    return wrong(param, f"must be {what}, not {kind_of(value)}.")


def _unwritable(value: object) -> str | None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for node in level:
            below.extend(node.values() if type(node) is dict else node)
        checked = [child for child in below if type(child) in _CHECKED]
        if not all(isfinite(child) for child in checked if type(child) is float):
            return "holds a number that is too large."
        level = [child for child in checked if type(child) is not float]
        if not level:
            return None
    return f"is nested more than {MAX_DEPTH} levels deep."


_CHECKED = frozenset({dict, list, float})


class Envelope(Schema):
    """The base of all request schemas: null means absent, unknown fields never fail."""

    error_messages = {"type": "must be an object."}  # noqa: RUF012 - marshmallow's own way

    class Meta:
        """Unknown fields are left to the caller, who still has the body."""

        unknown = EXCLUDE

    @pre_load
    def drop_nulls(self, data: Any, **_: Any) -> Any:
        """An optional field that is null was not sent."""
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if value is not None}


def read_envelope(schema: Schema, body: object) -> dict[str, Any]:
    """The fields that the schema declares and the body has, checked.

    Raises:
        ClientError: kind INVALID_REQUEST, for the first field that is wrong.
    """
    if not isinstance(body, dict):
        sentence = f"The request's body must be a JSON object, not {kind_of(body)}."
        raise ClientError(ErrorKind.INVALID_REQUEST, sentence)
    try:
        return cast(dict[str, Any], _of_what_was_sent(schema, body).load(body))
    except ValidationError as error:
        path, what = _first(error.messages)
        raise wrong(path, what) from error


def _of_what_was_sent(schema: Schema, body: Mapping[str, Any]) -> Schema:
    """The schema without the many fields that a request leaves out: each costs a long look."""
    narrow = copy(schema)
    narrow.load_fields = {
        name: one
        for name, one in schema.load_fields.items()
        if one.required or (one.data_key or name) in body
    }
    return narrow


def _first(messages: Any) -> tuple[str, str]:
    """The path and the text of the first message in marshmallow's tree of messages."""
    path = ""
    while isinstance(messages, Mapping):
        key, messages = next(iter(messages.items()))
        path += _step(key, at_start=not path)
    return path, messages[0]


def _step(key: str | int, *, at_start: bool) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    if key == "_schema":
        return ""
    name = key[:_SHOWN_CHARS]
    return name if at_start else f".{name}"


class _Strict(fields.Field[Any]):
    """A field that takes a value as it is or says what it must be."""

    what = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.error_messages["required"] = f"is missing: it must be {self.what}."

    def _refuse(self, value: object) -> ValidationError:
        return ValidationError(f"must be {self.what}, not {kind_of(value)}.")


class Flag(_Strict):
    """true or false."""

    what = "true or false"

    def _deserialize(self, value: object, *_: Any, **__: Any) -> bool:
        if isinstance(value, bool):
            return value
        raise self._refuse(value)


class Number(_Strict):
    """A number within a range, bounds included."""

    _types: tuple[type, ...] = (int, float)
    _noun = "a number"

    def __init__(self, low: float, high: float, **options: Any) -> None:
        self.low, self.high = low, high
        self.what = f"{self._noun} from {low} to {high}"
        super().__init__(**options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._refuse(value)
        if not isinstance(value, self._types) or not self.low <= value <= self.high:
            raise ValidationError(f"must be {self.what}, not {shown(value)}.")
        return value


class Whole(Number):
    """A whole number within a range, bounds included."""

    _types = (int,)
    _noun = "a whole number"


class RoundNumber(Whole):
    """A whole number that may also be written as 5.0, as clients of Go's and Google's APIs do."""

    def _deserialize(self, value: Any, *rest: Any, **named: Any) -> Any:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return super()._deserialize(value, *rest, **named)


class Words(_Strict):
    """A string; if `choices` are given, one of them."""

    def __init__(self, *choices: str, **options: Any) -> None:
        self.choices = choices
        self.what = one_of(choices) if choices else "a string"
        super().__init__(**options)

    def _deserialize(self, value: object, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            raise self._refuse(value)
        if self.choices and value not in self.choices:
            raise ValidationError(f"must be {self.what}, not {shown(value)}.")
        return value


class Name(Words):
    """A string of 1 to `max_chars` characters."""

    def __init__(self, max_chars: int = 256, **options: Any) -> None:
        self.max_chars = max_chars
        super().__init__(**options)

    def _deserialize(self, value: object, *_: Any, **__: Any) -> str:
        text = super()._deserialize(value)
        if not 0 < len(text) <= self.max_chars:
            raise ValidationError(f"must be 1 to {self.max_chars} characters long.")
        return text


class Table(_Strict):
    """An object that is kept as it is: finite and not too deep."""

    what = "an object"

    def _deserialize(self, value: object, *_: Any, **__: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._refuse(value)
        if (fault := _unwritable(value)) is not None:
            raise ValidationError(fault)
        return value


class Array(_Strict):
    """An array whose items somebody else reads."""

    def __init__(self, max_items: int, min_items: int = 0, **options: Any) -> None:
        self.max_items, self.min_items = max_items, min_items
        self.what = "an array"
        super().__init__(**options)

    def _deserialize(self, value: object, *_: Any, **__: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self._refuse(value)
        if len(value) < self.min_items:
            raise ValidationError(f"must hold at least {self.min_items} item(s).")
        if len(value) > self.max_items:
            raise ValidationError(f"may hold at most {self.max_items} items, not {len(value)}.")
        return value


class WordList(Array):
    """An array of strings; with `or_one`, a single string stands for an array of one."""

    def __init__(self, max_items: int, *, or_one: bool = False, **options: Any) -> None:
        self.or_one = or_one
        super().__init__(max_items, **options)
        self.what = "a string or an array of strings" if or_one else "an array of strings"

    def _deserialize(self, value: object, *_: Any, **__: Any) -> list[str]:
        if self.or_one and isinstance(value, str):
            return [value]
        words = super()._deserialize(value)
        for index, word in enumerate(words):
            if not isinstance(word, str):
                raise ValidationError({index: [f"must be a string, not {kind_of(word)}."]})
        return words


class Numbers(Table):
    """An object whose values are numbers within a range, bounds included."""

    def __init__(self, low: float, high: float, **options: Any) -> None:
        self.value = Number(low, high)
        super().__init__(**options)

    def _deserialize(self, value: object, *_: Any, **__: Any) -> dict[str, float]:
        table = super()._deserialize(value)
        for name, number in table.items():
            try:
                self.value._deserialize(number)
            except ValidationError as error:
                raise ValidationError({name: error.messages}) from error
        return table
