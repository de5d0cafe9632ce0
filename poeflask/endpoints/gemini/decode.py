"""Requests of Gemini's API as Prompts, and what the answer's shape depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.core.prompt import (
    Limits,
    OutputFormat,
    Prompt,
    Sampling,
    Thinking,
)
from poeflask.endpoints.common_fields import (
    SkipSystemPrompt,
    skips_system_prompt,
    unknown_fields,
)
from poeflask.endpoints.gemini.contents import read_contents
from poeflask.endpoints.gemini.declared import json_schema
from poeflask.endpoints.gemini.schema import (
    COUNT_ENVELOPE,
    GENERATE_ENVELOPE,
    GENERATION_CONFIG,
    camel,
    camel_request,
)
from poeflask.endpoints.gemini.tools import read_tools
from poeflask.endpoints.shapes import Envelope, one_of, read_envelope, shown, wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class GeminiRequest:
    """A request to generateContent or streamGenerateContent, understood.

    Attributes:
        prompt: what is asked.
        candidates: how many answers are wanted.
        show_thoughts: whether the bot's thoughts are part of the answer.
        extras: unknown fields with plain values; some may be the bot's own parameters, which only
            its profile can tell.
        ignored: names of fields and paths of parts that were accepted and have no effect.
    """

    prompt: Prompt
    candidates: int = 1
    show_thoughts: bool = False
    extras: Mapping[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


_LEVELS = ("minimal", "low", "medium", "high", "xhigh")
_UNSPECIFIED = "thinking_level_unspecified"

_WITHOUT_EFFECT = {
    "speech_config": "speechConfig",
    "image_config": "imageConfig",
    "media_resolution": "mediaResolution",
}


def decode(
    body: object, model: str, *, skip_system_prompt: SkipSystemPrompt = "auto"
) -> GeminiRequest:
    """Read a request's JSON body.

    Args:
        body: the parsed JSON, whatever it is.
        model: the bot's name as the client wrote it in the path.
        skip_system_prompt: whether the bot leaves its own persona aside; "auto" means that it does
            when the client brought a system instruction of its own.

    Raises:
        ClientError: kind INVALID_REQUEST for the first field that is wrong; UNSUPPORTED_PARAMETER
            for a field whose result the client would read and cannot be given.
    """
    sent = camel_request(body)
    envelope = read_envelope(GENERATE_ENVELOPE, sent)
    config = envelope.get("generation_config", {})
    _refuse_unsupported(envelope, config)
    conversation = read_contents(envelope["contents"], envelope.get("system_instruction"))
    choice = envelope.get("tool_config", {}).get("function_calling_config", {})
    toolbox = read_tools(envelope.get("tools", []), choice)
    extras, strangers = _extras(sent)
    thinking = config.get("thinking_config", {})
    prompt = Prompt(
        bot=model,
        messages=conversation.messages,
        tools=toolbox.tools,
        tool_choice=toolbox.choice,
        output_format=_output_format(config),
        sampling=Sampling(
            temperature=config.get("temperature"),
            top_p=config.get("top_p"),
            top_k=config.get("top_k"),
            seed=config.get("seed"),
            presence_penalty=config.get("presence_penalty"),
            frequency_penalty=config.get("frequency_penalty"),
        ),
        thinking=_thinking(thinking),
        limits=Limits(
            max_tokens=config.get("max_output_tokens"),
            stop=tuple(stop for stop in config.get("stop_sequences", ()) if stop),
        ),
        web_search=True if toolbox.web_search else None,
        parameters=envelope.get("poe", {}),
        skip_system_prompt=skips_system_prompt(skip_system_prompt, conversation.messages),
    )
    without_effect = (*_colour(config), *conversation.left_out, *toolbox.left_out, *strangers)
    return GeminiRequest(
        prompt=prompt,
        candidates=config.get("candidate_count", 1),
        show_thoughts=thinking.get("include_thoughts", False),
        extras=extras,
        ignored=without_effect,
    )


def decode_count(body: object, model: str) -> Prompt:
    """The prompt whose tokens are to be counted: contents alone, or a whole request.

    Raises:
        ClientError: kind INVALID_REQUEST for the first field that is wrong.
    """
    envelope = read_envelope(COUNT_ENVELOPE, camel(body))
    if "generate_content_request" in envelope:
        return decode(envelope["generate_content_request"], model).prompt
    return decode({"contents": envelope.get("contents")}, model).prompt


def _refuse_unsupported(envelope: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    if envelope.get("cached_content"):
        raise _unsupported("cachedContent", "Nothing is cached here; send the contents themselves.")
    if config.get("response_logprobs") or config.get("logprobs"):
        name = "responseLogprobs" if config.get("response_logprobs") else "logprobs"
        raise _unsupported(
            f"generationConfig.{name}", "Poe's bots do not say how likely their words are."
        )


def _unsupported(param: str, why: str) -> ClientError:
    sentence = f"'{param}' cannot be given what it asks for. {why}"
    return ClientError(ErrorKind.UNSUPPORTED_PARAMETER, sentence, param=param)


def _extras(sent: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Unknown fields of the request and of its generationConfig."""
    plain, others = unknown_fields(_strange(sent, GENERATE_ENVELOPE), _NO_FIELDS)
    config = _strange(sent.get("generationConfig") or {}, GENERATION_CONFIG)
    plain_there, others_there = unknown_fields(config, _NO_FIELDS)
    named = [f"generationConfig.{name}" for name in others_there]
    return {**plain, **plain_there}, [*others, *named]


_NO_FIELDS = Envelope()


def _strange(sent: Mapping[str, Any], schema: Envelope) -> dict[str, Any]:
    """What the schema has no field for; its fields are called otherwise here than there."""
    known = {field.data_key or name for name, field in schema.fields.items()}
    return {name: value for name, value in sent.items() if name not in known}


def _colour(config: Mapping[str, Any]) -> list[str]:
    names = [name for field, name in _WITHOUT_EFFECT.items() if field in config]
    if any(modality.upper() != "TEXT" for modality in config.get("response_modalities", ())):
        names.append("responseModalities")
    if config.get("response_mime_type") == "text/x.enum":
        names.append("responseMimeType")
    return [f"generationConfig.{name}" for name in names]


def _output_format(config: Mapping[str, Any]) -> OutputFormat:
    """JSON where it is asked for, by its type or by a schema alone."""
    kind, own = config.get("response_mime_type"), config.get("response_schema")
    schema = config.get("response_json_schema")
    if schema is None and own is not None:
        schema = json_schema(own)
    if kind == "text/x.enum":
        return OutputFormat()
    if schema is not None:
        return OutputFormat(kind="json_schema", name="answer", schema=schema)
    return OutputFormat(kind="json_object" if kind == "application/json" else "text")


def _thinking(config: Mapping[str, Any]) -> Thinking:
    """A budget of 0 is none, -1 leaves it to the bot."""
    budget, level = config.get("thinking_budget"), config.get("thinking_level", "").lower()
    if level in ("", _UNSPECIFIED):
        effort = None
    elif level in _LEVELS:
        effort = level
    else:
        at = "generationConfig.thinkingConfig.thinkingLevel"
        raise wrong(at, f"must be {one_of(map(str.upper, _LEVELS))}, not {shown(level)}.")
    if budget == 0:
        return Thinking(effort=effort, enabled=False)
    return Thinking(effort=effort, budget_tokens=None if budget == -1 else budget)
