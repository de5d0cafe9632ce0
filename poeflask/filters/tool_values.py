"""What stands inside a call: names, JSON as bots write it, arguments as the tool wants them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from poeflask.core import json_text
from poeflask.core.coerce import (
    closed,
    coerce,
    has_types,
    keeps_text,
    literal,
    plain,
    properties,
    property_named,
    required,
)
from poeflask.core.prompt import Tool
from poeflask.core.reply import ToolCallDelta
from poeflask.filters.tool_text import CUSTOM_KEY, escaped

Repair = Callable[[str], object]
"""Makes a value of a text that is nearly JSON; may be slow. Raises ValueError if it cannot."""

MAX_REPAIR_CHARS = 64 * 1024
"""The longest text that is repaired: repairing takes some milliseconds a kilobyte."""

HOLD_CHARS = 2048
"""How much of a call is held until it is whole.

A call that breaks while it is held can be mended, asked for again, or given back as text. What is
longer is a file being written, in a block that only its closing tag can break: it streams.
"""

NAME_KEYS = ("name", "tool", "tool_name", "function_name", "function", "recipient_name")
ARGUMENT_KEYS = ("arguments", "parameters", "input", "args", "params")

_INVISIBLE = re.compile("[\u200b-\u200d\u2060\ufeff]")
_PREFIX = re.compile(r"^(?:functions?|tools?|default_api|api)[.:/]", re.IGNORECASE)
_NUMBERED = re.compile(r":\d+$")
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')
_QUOTE = re.compile(r'\\.|"', re.DOTALL)
_AFTER_STRING = re.compile(r"\s{0,200}(?:[:\]}]|,\s{0,200}(?:[\"{\[\d-]|true|false|null)|\Z)")
_QUOTED = "[\"'\u201c\u201d]"


class BrokenCallError(ValueError):
    """A call that cannot be read; the message is a sentence that tells the bot why."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call whole: its tool, and its arguments as a JSON text or, for a custom tool, its text."""

    tool: Tool
    arguments: str


class Toolbox:
    """The tools that may be called, found by what bots call them."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._plain: dict[str, list[Tool]] = {}
        for tool in self._tools.values():
            self._plain.setdefault(plain(tool.name), []).append(tool)

    def find(self, name: object) -> Tool | None:
        """The tool that was meant: by its name, or by the only one that it nearly is."""
        if not isinstance(name, str):
            return None
        said = _INVISIBLE.sub("", name).strip().strip("\"'`")
        for form in (said, _NUMBERED.sub("", said)):
            for bare in (form, _PREFIX.sub("", form), form.rsplit(".", 1)[-1]):
                if bare in self._tools:
                    return self._tools[bare]
        near = self._plain.get(plain(_PREFIX.sub("", _NUMBERED.sub("", said))), [])
        return near[0] if len(near) == 1 else None

    def named_in(self, text: str) -> Tool | None:
        """The tool that a text which cannot be read was to call, if it also holds arguments."""
        keys = "|".join(ARGUMENT_KEYS)
        if not re.search(rf"{_QUOTED}?(?:{keys}){_QUOTED}?\s*:", text):
            return None
        return self.named_at_all_in(text)

    def named_at_all_in(self, text: str) -> Tool | None:
        """The tool that a text which cannot be read names."""
        names = "|".join(NAME_KEYS)
        pattern = rf"(?<!\w){_QUOTED}?(?:{names}){_QUOTED}?\s*:\s*{_QUOTED}?([\w.:/-]+)"
        for found in re.finditer(pattern, text[:MAX_REPAIR_CHARS]):
            tool = self.find(found[1])
            if tool is not None:
                return tool
        return None


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
        return json_text.read(json_text.write(_repaired(text, repair)))


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


def _repaired(text: str, repair: Repair) -> object:
    try:
        return repair(text)
    except RecursionError as error:
        raise ValueError("its brackets are nested too deeply") from error


def calls_in(value: Any, toolbox: Toolbox) -> Iterator[tuple[Tool, Any]]:
    """The calls that a JSON value stands for, as tools and their arguments as they were written.

    Raises:
        KeyError: something in it is no call of a known tool; its message says why. It starts with
            "arguments" if only those are missing.
    """
    if isinstance(value, list):
        for item in value:
            yield from calls_in(item, toolbox)
        return
    if not isinstance(value, Mapping):
        raise KeyError("no object")
    if isinstance(value.get("tool_calls"), list) and not _named(value):
        yield from calls_in(value["tool_calls"], toolbox)
        return
    if isinstance(value.get("function"), Mapping):
        value = value["function"]
    if isinstance(value.get("function_call"), Mapping):
        value = value["function_call"]
    tool = toolbox.find(_named(value))
    if tool is None:
        raise KeyError("no known tool")
    key = next((key for key in ARGUMENT_KEYS if key in value), None)
    if key is None:
        raise KeyError("arguments are missing")
    yield tool, value[key]


def _named(value: Mapping[str, Any]) -> Any:
    return next((value[key] for key in NAME_KEYS if isinstance(value.get(key), str)), None)


def arguments_of(tool: Tool, value: Any, repair: Repair) -> Any:
    """The arguments as a dict, or as a text for a custom tool, whatever they were wrapped in.

    Raises:
        BrokenCallError: they are neither.
    """
    if tool.kind == "custom":
        return custom_text(value)
    if value is None or value == "":
        return {}
    for _ in range(2):
        if not isinstance(value, str):
            break
        value = _decoded(value, repair)
    if isinstance(value, dict):
        return value
    raise BrokenCallError('the arguments are no JSON object such as {"key": "value"}.')


def _decoded(text: str, repair: Repair) -> Any:
    try:
        return read_json(text)
    except ValueError as error:
        first = error
    try:
        return mend_json(text, repair)
    except ValueError as error:
        raise BrokenCallError(f"the arguments are not JSON: {first}.") from error


def custom_text(value: Any) -> str:
    """The free text that a custom tool was called with."""
    if isinstance(value, dict) and isinstance(value.get(CUSTOM_KEY), str):
        return str(value[CUSTOM_KEY])
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    return value if isinstance(value, str) else json_text.write(value)


def fits(tool: Tool, value: Any) -> bool:
    """Whether mended arguments are believable: one that invents or loses keys is wrong."""
    if tool.kind == "custom":
        return True
    if not isinstance(value, dict):
        return False
    made = coerce(value, tool.schema)
    keys = set(made)
    if not keys.issuperset(required(tool.schema)) or not has_types(made, tool.schema):
        return False
    named = properties(tool.schema)
    open_on_purpose = "additionalProperties" in tool.schema and not closed(tool.schema)
    return open_on_purpose or not named or keys.issubset(named)


def written(tool: Tool, value: Any) -> str:
    """The arguments as they are sent: JSON that fits the tool's schema, or the custom text."""
    if tool.kind == "custom":
        return custom_text(value)
    made = coerce(value, tool.schema)
    items = (f"{_key(key)}{_value(item)}" for key, item in made.items())
    return "{" + ",".join(items) + "}"


def _key(key: str) -> str:
    return f'"{escaped(key)}":'


def _value(value: Any) -> str:
    return f'"{escaped(value)}"' if isinstance(value, str) else json_text.write(value)


def python_calls(text: str) -> Iterator[tuple[str, list[Any], dict[str, Any]]]:
    """The calls that a piece of Python makes, `print(...)` around them left out.

    Yields:
        The function's name, its values by place, its values by name.

    Raises:
        ValueError: it is no Python, or not made of calls with literal values.
    """
    if len(text) > MAX_REPAIR_CHARS:
        raise ValueError("it is too long to be read as Python")
    try:
        tree = ast.parse(text.strip())
    except (SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError("it is no Python") from error
    for line in tree.body:
        yield _python_call(line)


def _python_call(line: ast.stmt) -> tuple[str, list[Any], dict[str, Any]]:
    node = line.value if isinstance(line, ast.Expr | ast.Assign) else None
    while isinstance(node, ast.Call) and _function(node) == "print" and len(node.args) == 1:
        node = node.args[0]
    if not isinstance(node, ast.Call) or not _function(node):
        raise ValueError("it is not made of calls")
    try:
        by_place = [ast.literal_eval(value) for value in node.args]
        by_name = {pair.arg: ast.literal_eval(pair.value) for pair in node.keywords if pair.arg}
        json_text.write([by_place, by_name])
    except (TypeError, RecursionError) as error:
        raise ValueError("its values are no JSON") from error
    return _function(node), by_place, by_name


def _function(node: ast.Call) -> str:
    """The dotted name that is called; empty if it is something else."""
    steps: list[str] = []
    found = node.func
    while isinstance(found, ast.Attribute):
        steps.insert(0, found.attr)
        found = found.value
    return ".".join([found.id, *steps]) if isinstance(found, ast.Name) else ""


def placed(tool: Tool, by_place: list[Any], by_name: dict[str, Any]) -> dict[str, Any]:
    """Values given by place, under the names that the tool's schema has in that place.

    Raises:
        ValueError: there are more values than names.
    """
    named = [CUSTOM_KEY] if tool.kind == "custom" else list(properties(tool.schema))
    if len(by_place) > len(named):
        raise ValueError("it has more values than the tool has parameters")
    return {**dict(zip(named, by_place, strict=False)), **by_name}


class CallWriter:
    """Makes deltas of one call whose arguments come one after the other, some piece by piece.

    Everything is held until `close`, unless it grows beyond `hold_chars`: then what is certain is
    let go, and the rest as it comes. However it is cut, the joined arguments are one JSON text.
    """

    def __init__(self, tool: Tool, call_id: str, position: int, hold_chars: int) -> None:
        self.tool = tool
        self.sent = False
        self.seen = 0
        self._first = ToolCallDelta(
            position=position, call_id=call_id, name=tool.name, kind=tool.kind
        )
        self._position = position
        self._hold_chars = hold_chars
        self._held_chars = 0
        self._values: dict[str, Any] = {}
        self._key = ""
        self._pieces: list[str] = []
        self._streams = False
        self._out: list[ToolCallDelta] = []

    def begin(self, key: str) -> None:
        """A text argument begins."""
        self.seen += 1
        self._key = key
        self._pieces = []
        self._streams = self._may_stream(key)
        if self.sent and self._streams:
            self._open_text()

    def text(self, piece: str) -> None:
        """The next piece of it."""
        if self.sent and self._streams:
            self._say(self._inside(piece))
            return
        self._pieces.append(piece)
        self._held_chars += len(piece)
        if self._streams and self._held_chars > self._hold_chars:
            self._let_go()

    def end(self) -> None:
        """It ends."""
        if self.sent and self._streams:
            self._close_text()
        else:
            self._keep(self._key, "".join(self._pieces))
        self._pieces = []

    def merge(self, values: Mapping[str, Any]) -> None:
        """Several arguments at once."""
        self.seen += 1
        for key, value in values.items():
            self._keep(key, value)

    def has(self, keys: Iterable[str]) -> bool:
        """Whether an argument has come, and all of these have."""
        return bool(self.seen) and all(key in self._values for key in keys)

    def close(self) -> list[ToolCallDelta]:
        """The call is whole: the last of its deltas."""
        if self.sent:
            self._say("" if self.tool.kind == "custom" else "}")
        else:
            self._out = [_with(self._first, written(self.tool, self._values))]
        return self.take()

    def take(self) -> list[ToolCallDelta]:
        """The deltas that may go."""
        out, self._out = self._out, []
        return out

    def _may_stream(self, key: str) -> bool:
        if self.tool.kind == "custom":
            return not self._values
        name = property_named(self.tool.schema, key)
        return name is not None and name not in self._values and self._stays_text(name)

    def _stays_text(self, name: str) -> bool:
        return coerce({name: ""}, self.tool.schema) == {name: ""} and keeps_text(
            self.tool.schema, name
        )

    def _let_go(self) -> None:
        self.sent = True
        self._out.append(self._first)
        values, self._values = self._values, {}
        if self.tool.kind != "custom":
            self._say("{")
            for key, value in values.items():
                self._keep(key, value)
        pieces, self._pieces = self._pieces, []
        self._open_text()
        self._say(self._inside("".join(pieces)))

    def _keep(self, key: str, value: Any) -> None:
        if not self.sent:
            self._values[key] = value
            return
        if self.tool.kind == "custom":
            return
        for name, made in coerce({key: value}, self.tool.schema).items():
            if name not in self._values:
                self._say(f"{self._comma()}{_key(name)}{_value(made)}")
                self._values[name] = True

    def _open_text(self) -> None:
        if self.tool.kind == "custom":
            self._values[CUSTOM_KEY] = True
            return
        name = property_named(self.tool.schema, self._key) or self._key
        self._say(f'{self._comma()}{_key(name)}"')
        self._values[name] = True

    def _close_text(self) -> None:
        self._say("" if self.tool.kind == "custom" else '"')

    def _inside(self, piece: str) -> str:
        return piece if self.tool.kind == "custom" else escaped(piece)

    def _comma(self) -> str:
        return "," if self._values else ""

    def _say(self, text: str) -> None:
        if text:
            self._out.append(
                ToolCallDelta(position=self._position, arguments=text, kind=self.tool.kind)
            )


def _with(first: ToolCallDelta, arguments: str) -> ToolCallDelta:
    return ToolCallDelta(
        position=first.position,
        call_id=first.call_id,
        name=first.name,
        arguments=arguments,
        kind=first.kind,
    )
