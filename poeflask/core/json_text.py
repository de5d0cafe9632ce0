"""JSON as text and as values: the one place that says how both are read, written and repaired.

What can be read is what the standard library reads, because it keeps what others lose: integers of
any size, and lone surrogates (half an emoji, as bots send it when a piece ends inside one). Long
bodies are read in less time where that is known to give the same. orjson writes, in a tenth of the
time, and says so where it cannot write such things; then the library does that as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, cast

import orjson

from poeflask.core.json_bulk import LONG, read_around
from poeflask.core.json_swift import read_swiftly

# Made once: json.dumps would make an encoder for each call with these options.
_AS_IT_IS = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_EXACTLY = json.JSONEncoder(allow_nan=False).encode
_IN_ASCII = json.JSONEncoder(separators=(",", ":")).encode


class NotJsonError(ValueError):
    """The text is no JSON; the message is a sentence that says why."""


def read(text: str | bytes | bytearray) -> Any:
    """The value that a JSON text stands for.

    Raises:
        NotJsonError: bad UTF-8, bad JSON, NaN or Infinity, an integer of thousands of digits, or
            brackets nested deeper than can be followed.
    """
    if isinstance(text, str):
        return _read_by_library(text)
    if len(text) > LONG:
        value, was_read = read_around(text, _read_bytes)
        if was_read:
            return value
    return _read_bytes(text)


def _read_bytes(text: bytes | bytearray) -> Any:
    value, is_sure = read_swiftly(text)
    return value if is_sure else _read_by_library(text)


def _read_by_library(text: str | bytes | bytearray) -> Any:
    try:
        if not isinstance(text, str):
            text = text.decode("utf-8-sig")
        try:
            # Nearly always there is no white space around the value, and none need be looked for.
            value, end = _SCAN(text, 0)
        except StopIteration:
            end = -1
        return value if end == len(text) else _DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise NotJsonError(f"it is not UTF-8: byte {error.start} is wrong") from error
    except RecursionError as error:
        raise NotJsonError("its brackets are nested too deeply") from error
    except json.JSONDecodeError as error:
        raise NotJsonError(f"{error.msg} at line {error.lineno}, column {error.colno}") from error
    except NotJsonError:
        raise
    except ValueError as error:
        # Nothing else is left; Python's own words advise to change the interpreter's limit.
        raise NotJsonError("it holds an integer of thousands of digits") from error


def read_strings(strings: Sequence[bytes]) -> str:
    """The texts that JSON strings stand for, joined.

    Raises:
        NotJsonError: one is no string, or holds half a character; then `read` knows more.
    """
    try:
        if len(strings) == 1:
            return cast("str", orjson.loads(strings[0]))
        return "".join(orjson.loads(b"[%b]" % b",".join(strings)))
    except orjson.JSONDecodeError as error:
        raise NotJsonError("it is no plain string") from error


def write(value: Any) -> str:
    """The value as compact JSON, in characters as they are; can always be encoded as UTF-8.

    What JSON has no word for, such as infinity, becomes null: see `write_exactly`.
    """
    return written(value).decode("utf-8")


def written(value: Any) -> bytes:
    """As `write`, in UTF-8."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        # Halves of characters, integers of more than 64 bits, keys that are no text.
        text = _AS_IT_IS(value)
        return (text if _is_utf8(text) else _IN_ASCII(value)).encode("utf-8")


def write_exactly(value: Any) -> str:
    """As `write`, for values that were guessed or computed.

    Raises:
        ValueError: JSON has no word for something in the value, such as infinity.
    """
    _EXACTLY(value)
    return write(value)


def repaired(text: str) -> Any:
    """The value that a broken JSON text most probably stands for: a guess, to be checked.

    Takes some milliseconds a kilobyte; whoever calls it bounds the text.

    Raises:
        NotJsonError: nothing can be made of it.
    """
    import json_repair

    try:
        return json_repair.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotJsonError("it cannot be repaired") from error


def _refuse_constant(name: str) -> NoReturn:
    raise NotJsonError(f"{name} is not a JSON number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
"""Made once: `json.loads` makes another at each call that names an option, at twice the time."""

_SCAN: Callable[[str, int], tuple[Any, int]] = vars(_DECODER)["scan_once"]
"""What the decoder does when nothing stands around the value; StopIteration: there is none."""


def _is_utf8(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
