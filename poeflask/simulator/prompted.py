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

_OPENING = re.compile(
    r"<((?:tool_calls?|tool_use|function_calls?|tool-call|toolcall)(?::[\w-]+)?)\b([^<>]*)>"
)
_BLOCK = re.compile(r"<((?:arg|argument|parameter)(?::[\w-]+)?) name=")
_RESULT = re.compile(
    r"<((?:tool_results?|tool_outputs?|tool_responses?|function_results?)(?::[\w-]+)?)\b[^<>]*>"
    r"(.*?)</\1>",
    re.DOTALL,
)

_FREE_TEXT = {"type": "object", "properties": {"input": {"type": "string"}}}
"""The schema of a tool that takes text in place of arguments."""


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
    if example is None:
        return _with_name_inside("tool_call", "arguments", name, arguments)
    tag, attributes = example.groups()
    inside = prompt[example.end() :].lstrip()
    if "name=" in attributes:
        return _with_name_in_tag(prompt, tag, name, arguments)
    if inside.startswith("<invoke"):
        return f"<{tag}>\n{_invoke(name, arguments)}\n</{tag}>"
    key = "input" if re.match(r'\{[^{}]*"input"\s*:', inside) else "arguments"
    return _with_name_inside(tag, key, name, arguments)


def own_words(message: str) -> str:
    """What a person said, without the tags that were added to it."""
    return re.sub(r"<[^<>\n]*>", "", message)


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
    if isinstance(value.get("name"), str) and "text" in value:
        yield ToolOffer(value["name"], str(value.get("description") or ""), _FREE_TEXT)
        return
    for one in (value.get("function"), value.get("tools")):
        yield from _offers_in(one)


def _with_name_inside(tag: str, key: str, name: str, arguments: Mapping[str, Any]) -> str:
    call = json_text.write({"name": name, key: arguments})
    return f"<{tag}>\n{call}\n</{tag}>"


def _with_name_in_tag(prompt: str, tag: str, name: str, arguments: Mapping[str, Any]) -> str:
    """Texts that are hard to write as JSON stand in blocks of their own, if the prompt has such."""
    block = _BLOCK.search(prompt)
    hard = {key for key, value in arguments.items() if block and _is_hard(key, value, arguments)}
    short = {key: value for key, value in arguments.items() if key not in hard}
    lines = [json_text.write(short)] if short or not hard else []
    if block is not None:
        lines += [_block(block.group(1), key, arguments[key]) for key in arguments if key in hard]
    return "\n".join([f'<{tag} name="{name}">', *lines, f"</{tag}>"])


def _is_hard(key: str, value: Any, arguments: Mapping[str, Any]) -> bool:
    is_free_text = key == "input" and len(arguments) == 1
    return isinstance(value, str) and (is_free_text or any(letter in value for letter in '\n"\\'))


def _block(tag: str, key: str, value: str) -> str:
    return f'<{tag} name="{key}">\n{value}\n</{tag}>'


def _invoke(name: str, arguments: Mapping[str, Any]) -> str:
    lines = [
        f'<parameter name="{key}">{value if isinstance(value, str) else json_text.write(value)}'
        "</parameter>"
        for key, value in arguments.items()
    ]
    return "\n".join([f'<invoke name="{name}">', *lines, "</invoke>"])
