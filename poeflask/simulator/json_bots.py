"""Bots that write JSON as the prompt's text asks for it: at once, or when told of a mistake."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from poeflask.core import json_text
from poeflask.simulator.bot import Bot
from poeflask.simulator.prompted import json_objects
from poeflask.simulator.query import Query
from poeflask.simulator.samples import Words, sample
from poeflask.simulator.steps import DONE, Steps, spoken

_COMPLAINT = re.compile(r"\b(?:error|invalid|not valid|does not match|is missing|wrong)\b", re.I)

_WANTED = re.compile(r"\bJSON\b")
_ALONE = re.compile(r"\b(?:only|nothing (?:else|other))\b")
_KEYS = re.compile(r"((?:[`'\"]\w+[`'\"](?:, | and )?)+) (?:keys|fields)\b")

ANSWER: Mapping[str, Any] = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
}
"""The schema where the prompt holds none."""


def json_writer(query: Query) -> Steps:
    """Writes JSON after the schema that stands in the prompt, in a fence between two sentences."""
    fence = f"```json\n{json_asked_for(query)}\n```"
    yield from spoken(f"Here is the JSON:\n\n{fence}\n\nI hope it helps.")
    yield DONE


def json_stumbler(query: Query) -> Steps:
    """Writes JSON that breaks the prompt's schema first, and JSON that keeps it when told so."""
    told = any(message.role == "bot" for message in query.messages)
    corrected = told or _COMPLAINT.search(query.words)
    yield from spoken(
        json_asked_for(query) if corrected else '{"oops": ["this is not", "what you"]}'
    )
    yield DONE


def asks_for_json(query: Query) -> bool:
    """Whether the user's last message wants JSON and nothing else."""
    return bool(_WANTED.search(query.words) and _ALONE.search(query.words))


def json_asked_for(query: Query) -> str:
    """JSON after the schema that stands in the prompt, with the user's words in it."""
    words = Words(query.words.partition("\n\n")[0])
    return json_text.write(sample(find_schema(query.instructions), words))


def find_schema(prompt: str) -> Mapping[str, Any]:
    """The last JSON schema that stands in the text, else one of keys it names, else `ANSWER`."""
    found = [schema for value in json_objects(prompt) for schema in _schemas_in(value)]
    return found[-1] if found else _schema_of_keys(prompt) or ANSWER


def _schema_of_keys(prompt: str) -> Mapping[str, Any] | None:
    named = _KEYS.search(prompt)
    if named is None:
        return None
    properties = {
        key: {"type": "string"} for key in re.findall(r"\w+", named.group(1)) if key != "and"
    }
    return {"type": "object", "properties": properties}


def _schemas_in(value: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(value, dict):
        return
    if "$schema" in value or isinstance(value.get("properties"), dict) or "anyOf" in value:
        yield value
        return
    if value.get("type") in {"array", "object", "string", "number", "integer", "boolean"}:
        yield value
        return
    for inner in value.values():
        yield from _schemas_in(inner)


JSON_BOTS = (Bot("Json-Writer", json_writer), Bot("Json-Stumbler", json_stumbler))
