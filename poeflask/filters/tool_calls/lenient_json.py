"""JSON as bots write it: read where it is beyond doubt, mended where it is not.

Bots leave raw line breaks and unknown escapes in strings, which has one meaning. They also forget
to escape quotes, write Python's words, comments, or a comma too many: there the most probable
meaning is a guess, and whoever asks for it must check it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn

from poeflask.core import json_text
from poeflask.core.conversions import literal

Repair = Callable[[str], object]
"""Makes a value of a text that is nearly JSON; may be slow. Raises ValueError if it cannot."""

MAX_REPAIR_CHARS = 64 * 1024
"""The longest text that is repaired: repairing takes some milliseconds a kilobyte."""

_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')
_QUOTE = re.compile(r'\\.|"', re.DOTALL)
_AFTER_STRING = re.compile(r"\s{0,200}(?:[:\]}]|,\s{0,200}(?:[\"{\[\d-]|true|false|null)|\Z)")


def read_json(text: str) -> Any:
    """The value of a JSON text, also with raw line breaks and unknown escapes in its strings.

    What passes here is understood beyond doubt: no guess is made.

    Raises:
        ValueError: the text is no such JSON; the message says where and why.
    """
    try:
        return _loads(text)
    except ValueError as error:
        if "escape" not in str(error):
            raise
    return _loads(_ESCAPE.sub(lambda found: "\\\\" if found[0] == "\\" else found[0], text))


def _loads(text: str) -> Any:
    try:
        return json.loads(text, strict=False, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("its brackets are nested too deeply") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def mend_json(text: str, repair: Repair) -> Any:
    """The value that a broken JSON text most probably stands for: a guess, to be checked.

    Raises:
        ValueError: there is none, or the text is too long to try.
    """
    try:
        return read_json(_with_inner_quotes_escaped(text))
    except ValueError:
        pass
    if len(text) > MAX_REPAIR_CHARS:
        raise ValueError("it is too long to be mended")
    try:
        return literal(text)
    except ValueError:
        return json_text.read(json_text.write(repair(text)))


def _with_inner_quotes_escaped(text: str) -> str:
    """The text with each quote escaped that cannot be the end of the string it stands in.

    A string ends where a colon, a bracket or a comma and another value follow its quote.
    """
    pieces: list[str] = []
    in_string = False
    place = 0
    for found in _QUOTE.finditer(text):
        if found[0] != '"':
            continue
        pieces.append(text[place : found.start()])
        place = found.end()
        is_inner = in_string and not _AFTER_STRING.match(text, place)
        in_string = is_inner or not in_string
        pieces.append('\\"' if is_inner else '"')
    return "".join([*pieces, text[place:]])
