"""The envelopes of Gemini's requests: which fields there are and what each may hold.

Contents, tools and schemas are only named here; `contents`, `tools` and `declared` beside this file
read them. Google's servers take every field also in snake case, as its examples write some of
them: `camel` makes the one of the other, one object at a time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from poeflask.endpoints.shapes import (
    Array,
    Envelope,
    Flag,
    Number,
    RoundNumber,
    Table,
    WordList,
    Words,
)

MAX_CONTENTS = 10_000
MAX_PARTS = 10_000
MAX_TOOLS = 512
MAX_STOPS = 32
MAX_CANDIDATES = 16
"""Each candidate is a question of its own to the bot, paid for on its own; Google has 8."""

_MOST = 2**31 - 1


class ThinkingConfig(Envelope):
    """How much the bot thinks, and whether it shows what it thought."""

    include_thoughts = Flag(data_key="includeThoughts")
    thinking_budget = RoundNumber(-1, _MOST, data_key="thinkingBudget")
    thinking_level = Words(data_key="thinkingLevel")


class GenerationConfig(Envelope):
    """How the answer is made."""

    temperature = Number(0, 2)
    top_p = Number(0, 1, data_key="topP")
    top_k = RoundNumber(0, _MOST, data_key="topK")
    seed = RoundNumber(-(2**63), 2**63 - 1)
    presence_penalty = Number(-2, 2, data_key="presencePenalty")
    frequency_penalty = Number(-2, 2, data_key="frequencyPenalty")
    candidate_count = RoundNumber(1, MAX_CANDIDATES, data_key="candidateCount")
    max_output_tokens = RoundNumber(1, _MOST, data_key="maxOutputTokens")
    stop_sequences = WordList(MAX_STOPS, data_key="stopSequences")
    response_mime_type = Words(
        *("text/plain", "application/json", "text/x.enum"), data_key="responseMimeType"
    )
    response_schema = Table(data_key="responseSchema")
    response_json_schema = Table(data_key="responseJsonSchema")
    response_modalities = WordList(8, data_key="responseModalities")
    response_logprobs = Flag(data_key="responseLogprobs")
    logprobs = RoundNumber(0, 20)
    speech_config = Table(data_key="speechConfig")
    image_config = Table(data_key="imageConfig")
    media_resolution = Words(data_key="mediaResolution")
    thinking_config = fields.Nested(ThinkingConfig, data_key="thinkingConfig")


class FunctionCallingConfig(Envelope):
    """Which functions the bot may or must call."""

    mode = Words("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED")
    allowed_function_names = WordList(MAX_TOOLS, data_key="allowedFunctionNames")


class ToolConfig(Envelope):
    """The choice among the tools."""

    function_calling_config = fields.Nested(FunctionCallingConfig, data_key="functionCallingConfig")


class GenerateEnvelope(Envelope):
    """A request to generateContent or streamGenerateContent, around its contents and tools."""

    contents = Array(MAX_CONTENTS, min_items=1, required=True)
    system_instruction = fields.Raw(data_key="systemInstruction")
    tools = Array(MAX_TOOLS)
    tool_config = fields.Nested(ToolConfig, data_key="toolConfig")
    generation_config = fields.Nested(GenerationConfig, data_key="generationConfig")
    safety_settings = Array(64, data_key="safetySettings")
    cached_content = Words(data_key="cachedContent")
    labels = Table()
    service_tier = Words(data_key="serviceTier")
    store = Flag()
    poe = Table()


class CountEnvelope(Envelope):
    """A request to countTokens: contents alone, or a whole request inside."""

    contents = Array(MAX_CONTENTS)
    generate_content_request = Table(data_key="generateContentRequest")


GENERATE_ENVELOPE = GenerateEnvelope()
COUNT_ENVELOPE = CountEnvelope()
GENERATION_CONFIG = GenerationConfig()

_INSIDE: Mapping[str, Any] = {
    "generationConfig": {"thinkingConfig": {}},
    "toolConfig": {"functionCallingConfig": {}},
}
"""Objects of the envelope whose fields are renamed too; all others hold the client's own names."""

_SNAKE = re.compile(r"_([a-z])")


def camel(value: Any, inside: Mapping[str, Any] | None = None) -> Any:
    """An object with its fields' names in camel case; any other value as it is.

    Args:
        value: the object.
        inside: the fields whose values are such objects too, and theirs.
    """
    if not isinstance(value, dict):
        return value
    named = {_SNAKE.sub(_upper, name): value[name] for name in value}
    deeper = inside or {}
    return {
        name: camel(field, deeper[name]) if name in deeper else field
        for name, field in named.items()
    }


def camel_request(body: Any) -> Any:
    """A request with the names of its envelope's fields in camel case."""
    return camel(body, _INSIDE)


def _upper(match: re.Match[str]) -> str:
    return match[1].upper()
