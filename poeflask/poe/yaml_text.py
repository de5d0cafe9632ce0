"""YAML as people write it: read strictly, and edited so that all else in it stays as it is. Pure.

Only plain values are read: no names for nodes (which can make a small file huge), no key twice, no
types of programs, no endless nesting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml

try:
    from yaml import CSafeLoader as _Reader
except ImportError:
    from yaml import SafeLoader as _Reader  # type: ignore[assignment] # as strict, but slower

MAX_BYTES = 1024 * 1024
"""The largest text that is read; the whole of Poe's bots with three fields each is 40 kB."""

_MAX_DEPTH = 16
_BLOCK_DEPTH = 2
"""Tables down to here are written one key a line, deeper ones in one line."""

_ENDLESS = 10**9


_SWITCH = "tag:yaml.org,2002:bool"


class YamlError(ValueError):
    """The text cannot be read; the message says where and why, and shows nothing of the text."""


class _StrictReader(_Reader):
    """Refuses a key that stands twice in a table, of which YAML's reader would drop the first.

    Only true and false are switches, as of YAML 1.2: "On" and "No" are names like others.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 - it takes the place of the reader's own
        first: [(tag, form) for tag, form in resolvers if tag != _SWITCH]
        for first, resolvers in _Reader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise YamlError(f"line {_line(key)}: '<<' is not understood here; write it out.")
            if not isinstance(key, yaml.ScalarNode):
                raise YamlError(f"line {_line(key)}: the name of a field must be a text.")
            if key.value in seen:
                raise YamlError(
                    f"line {_line(key)}: {key.value[:100]!r} stands twice in the same table; "
                    "make one of both."
                )
            seen.add(key.value)
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made


_StrictReader.add_implicit_resolver(
    _SWITCH, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def read(text: str) -> Any:
    """The value of the text, made of plain values; None if nothing stands there.

    Raises:
        YamlError: it is too large, no YAML, or uses more of YAML than plain values need.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise YamlError(f"it is larger than {MAX_BYTES // 1024} kB.")
    try:
        _check(text)
        return yaml.load(text, Loader=_StrictReader)  # noqa: S506 - it is a safe one
    except yaml.MarkedYAMLError as error:
        raise YamlError(f"it is no YAML: {_told(error)}") from error
    except (yaml.YAMLError, UnicodeError) as error:
        raise YamlError("it is no YAML: it holds characters that no text has.") from error
    except ValueError as error:
        if isinstance(error, YamlError):
            raise
        raise YamlError("it holds a date or a number that there is not; quote it.") from error


def _check(text: str) -> None:
    """Refuse what the reader must not even try."""
    depth = 0
    for event in yaml.parse(text, Loader=_Reader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise YamlError(
                f"line {_line(event)}: names for nodes (& and *) are not read; write it out."
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            raise YamlError(f"line {_line(event)}: it is nested too deeply.")


def _told(error: yaml.MarkedYAMLError) -> str:
    """What is wrong and where, without the text around it, which may hold a secret."""
    mark = error.problem_mark or error.context_mark
    place = "" if mark is None else f" in line {mark.line + 1}, column {mark.column + 1}"
    return f"{error.problem or error.context}{place}."


def _line(node: yaml.Node | yaml.Event) -> int:
    return 0 if node.start_mark is None else int(node.start_mark.line) + 1


def written(value: Mapping[str, Any]) -> str:
    """The value as text: two levels of tables with a key a line, and what is deeper behind it."""
    return "".join(f"{line}\n" for line in _lines(value, "", _BLOCK_DEPTH))


def _lines(table: Mapping[str, Any], pad: str, depth: int) -> Iterator[str]:
    for key, value in table.items():
        if depth and isinstance(value, dict) and value:
            yield f"{pad}{_inline(key)}:"
            yield from _lines(value, pad + "  ", depth - 1)
        else:
            yield f"{pad}{_inline(key)}: {_inline(value)}"


class _Writer(yaml.SafeDumper):
    """Writes each value in one line."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(writer: _Writer, text: str) -> yaml.Node:
    style = '"' if "\n" in text or not text.isprintable() else None
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Writer.add_representer(str, _text)


def _inline(value: Any) -> str:
    made: str = yaml.dump(
        value,
        Dumper=_Writer,
        default_flow_style=True,
        sort_keys=False,
        allow_unicode=True,
        width=_ENDLESS,
    )
    return made.removesuffix("\n").removesuffix("\n...")


class _Patch(NamedTuple):
    """What stands between two places of the text from now on."""

    start: int
    end: int
    text: str


def edited(text: str, wanted: Mapping[str, Any]) -> str:
    """The text changed as little as it takes for it to say what is wanted.

    Comments, order and the way of writing stay where nothing changes. Where that cannot be done
    the whole is written anew: the text that is given always says exactly what is wanted.

    Args:
        text: one that `read` takes.
        wanted: plain values, without empty tables but for the whole.
    """
    lines = text if not text or text.endswith("\n") else text + "\n"
    before = read(lines)
    root = yaml.compose(lines, Loader=yaml.SafeLoader)
    patches = [] if root is None else list(_patches(lines, root, before, wanted, depth=0))
    made = lines + written(wanted) if root is None else _patched(lines, patches)
    return made if _says(made, wanted) else written(wanted)


def _says(text: str, wanted: Mapping[str, Any]) -> bool:
    try:
        return _same(read(text) or {}, dict(wanted))
    except YamlError:
        return False


def _same(one: Any, other: Any) -> bool:
    """Whether both are the same value of the same type, whatever order tables have."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and bool(one == other)


def _patched(text: str, patches: list[_Patch]) -> str:
    """The text after all patches; of those at one place the first one comes first."""
    places = sorted(range(len(patches)), key=lambda number: (patches[number].start, number))
    for number in reversed(places):
        patch = patches[number]
        text = text[: patch.start] + patch.text + text[patch.end :]
    return text


def _patches(text: str, node: yaml.Node, before: Any, wanted: Any, depth: int) -> Iterator[_Patch]:
    """What turns the text of this node from what it says into what is wanted."""
    if not (_is_block(node) and isinstance(wanted, dict) and wanted):
        yield _replaced(text, node, wanted, depth)
        return
    keys = {key.value: (key, value) for key, value in node.value}
    for name, (key, value) in keys.items():
        if name not in wanted:
            yield _Patch(_line_start(text, key), _line_end(text, _end(text, value)), "")
        elif _same(before[name], wanted[name]):
            continue
        elif _is_block(value) and isinstance(wanted[name], dict) and wanted[name]:
            yield from _patches(text, value, before[name], wanted[name], depth + 1)
        else:
            yield _set(text, key, value, wanted[name], depth)
    added = {name: value for name, value in wanted.items() if name not in keys}
    if added:
        place = _line_end(text, _end(text, node))
        pad = " " * node.value[0][0].start_mark.column
        lines = _lines(added, pad, max(0, _BLOCK_DEPTH - depth))
        yield _Patch(place, place, "".join(f"{line}\n" for line in lines))


def _is_block(node: yaml.Node) -> bool:
    return isinstance(node, yaml.MappingNode) and not node.flow_style


def _replaced(text: str, node: yaml.Node, wanted: Any, depth: int) -> _Patch:
    if depth == 0:
        return _Patch(node.start_mark.index, _end(text, node), written(wanted).rstrip("\n"))
    return _Patch(node.start_mark.index, _end(text, node), _inline(wanted))


def _set(text: str, key: yaml.Node, value: yaml.Node, wanted: Any, depth: int) -> _Patch:
    """The value behind a key, up to but without a comment that stands behind it."""
    start = text.index(":", key.end_mark.index) + 1
    end = max(start, _end(text, value))
    if depth < _BLOCK_DEPTH and isinstance(wanted, dict) and wanted:
        pad = " " * (key.start_mark.column + 2)
        lines = _lines(wanted, pad, _BLOCK_DEPTH - depth - 1)
        return _Patch(start, end, "".join(f"\n{line}" for line in lines))
    return _Patch(start, end, f" {_inline(wanted)}")


def _end(text: str, node: yaml.Node) -> int:
    """Behind the node's last own character; YAML's marks count what follows a block as well."""
    if isinstance(node, yaml.ScalarNode):
        end = int(node.end_mark.index)
        return len(text[:end].rstrip()) if node.style in ("|", ">") else end
    if not isinstance(node, yaml.CollectionNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(text, last[1] if isinstance(last, tuple) else last)


def _line_start(text: str, node: yaml.Node) -> int:
    return text.rfind("\n", 0, node.start_mark.index) + 1


def _line_end(text: str, place: int) -> int:
    """Behind the line's end."""
    found = text.find("\n", place)
    return len(text) if found < 0 else found + 1
