"""Tools that are described in the prompt's text: finding them, calling them, reading results.

The form of such a prompt is nobody's standard. What is looked for is what all of them have: each
tool as a JSON object with its name and schema, an example of a call in tags, and results in tags.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from poeflask.core import json_text
from poeflask.simulator.query import ToolOffer

_SCHEMA_NAMES = ("parameters", "input_schema", "inputSchema", "schema")
_DECODER = json.JSONDecoder()

_OPENING = re.compile(r"<(tool_calls?|tool_use|function_calls?|tool-call|toolcall)\b([^<>]*)>")
_RESULT = re.compile(
    r"<(tool_results?|tool_outputs?|tool_responses?|function_results?|function_response)\b[^<>]*>"
    r"(.*?)</\1>",
    re.DOTALL,
)


def json_objects(prompt: str) -> Iterator[Any]:
    """Every JSON object or array of objects that stands in the text, outermost only."""
    position = 0
    for opening in re.finditer(r"[{\[]", prompt):
        if opening.start() < position:
            continue
        try:
            value, position = _DECODER.raw_decode(prompt, opening.start())
        except (json.JSONDecodeError, RecursionError):
            continue
        yield value


def offers(prompt: str) -> tuple[ToolOffer, ...]:
    """The tools that the text describes, in order, each name once."""
    found = (offer for value in json_objects(prompt) for offer in _offers_in(value))
    return tuple({offer.name: offer for offer in found}.values())


def call_text(prompt: str, name: str, arguments: Mapping[str, Any]) -> str:
    """A call, written the way in which the text's first example writes it."""
    example = _OPENING.search(prompt)
    tag, attributes = example.groups() if example else ("tool_call", "")
    written = json_text.write(arguments)
    if re.search(r"\bname\s*=", attributes):
        return f'<{tag} name="{name}">\n{written}\n</{tag}>'
    inside = prompt[example.end() :] if example else ""
    if inside.lstrip().startswith("<invoke"):
        return f"<{tag}>\n{_invoke(name, arguments)}\n</{tag}>"
    key = "input" if re.search(r'^\s*\{[^{}]*"input"\s*:', inside) else "arguments"
    call = json_text.write({"name": name, key: arguments})
    return f"<{tag}>\n{call}\n</{tag}>"


def results(text: str) -> tuple[str, ...]:
    """What tools gave, as far as the text shows it in tags."""
    return tuple(found[1].strip() for found in _RESULT.findall(text))


def _offers_in(value: Any) -> Iterator[ToolOffer]:
    if isinstance(value, list):
        for one in value:
            yield from _offers_in(one)
        return
    if not isinstance(value, dict):
        return
    schema = next((value[n] for n in _SCHEMA_NAMES if isinstance(value.get(n), dict)), None)
    if isinstance(value.get("name"), str) and schema is not None:
        yield ToolOffer(value["name"], str(value.get("description") or ""), schema)
        return
    for one in (value.get("function"), value.get("tools")):
        yield from _offers_in(one)


def _invoke(name: str, arguments: Mapping[str, Any]) -> str:
    lines = [
        f'<parameter name="{key}">{value if isinstance(value, str) else json_text.write(value)}'
        "</parameter>"
        for key, value in arguments.items()
    ]
    return "\n".join([f'<invoke name="{name}">', *lines, "</invoke>"])
