"""A Messages request as a Prompt, and what the answer's shape depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.core.prompt import Limits, OutputFormat, Prompt, Sampling, Thinking
from poeflask.endpoints.common_fields import (
    SkipSystemPrompt,
    own_parameters,
    skips_system_prompt,
    unknown_fields,
)
from poeflask.endpoints.messages.content import read_conversation
from poeflask.endpoints.messages.schema import MESSAGES_ENVELOPE, PROMPT_ENVELOPE
from poeflask.endpoints.messages.tools import read_tools
from poeflask.endpoints.shapes import read_envelope

ThoughtsShown = Literal["none", "signature", "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesRequest:
    """A request for a message, understood.

    Attributes:
        model: the bot's name as the client wrote it; also `prompt.bot`.
        prompt: what is asked.
        stream: whether the answer is streamed.
        thoughts: whether thinking blocks are given: not at all, because the client did not ask
            for thinking; without their text; or whole.
        extras: unknown fields with plain values; only the bot's profile can tell.
        ignored: names of fields and paths of blocks that were accepted and have no effect.
    """

    model: str
    prompt: Prompt
    stream: bool = False
    thoughts: ThoughtsShown = "none"
    extras: Mapping[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


_COLOUR: Mapping[str, tuple[Any, ...]] = {
    "top_p": (1,),
    "top_k": (0, -1),
    "service_tier": ("auto", "standard_only"),
    "speed": ("standard",),
    "container": (),
    "inference_geo": (),
    "mcp_servers": ([],),
}
"""Fields without effect at Poe, each with the values that ask for nothing. What only labels the
request (metadata, cache hints, diagnostics) is not here: nobody would miss it in the answer."""

_MAX_IGNORED = 64


def decode(body: object, *, skip_system_prompt: SkipSystemPrompt = "auto") -> MessagesRequest:
    """Read the JSON body of a request for a message.

    Args:
        body: the parsed JSON, whatever it is.
        skip_system_prompt: whether the bot leaves its own persona aside; "auto" means that it does
            when the client brought system messages of its own.

    Raises:
        ClientError: kind INVALID_REQUEST for the first field that is wrong; NOT_FOUND, code
            thread_not_found, for a conversation whose beginning the server should know.
    """
    envelope = read_envelope(MESSAGES_ENVELOPE, body)
    sent = envelope if not isinstance(body, dict) else body
    _refuse_thread(envelope)
    conversation = read_conversation(envelope.get("system"), envelope["messages"])
    toolbox = read_tools(envelope)
    extras, strangers = unknown_fields(sent, MESSAGES_ENVELOPE)
    prompt = Prompt(
        bot=envelope["model"],
        messages=conversation.messages,
        tools=toolbox.tools,
        tool_choice=toolbox.choice,
        output_format=_output_format(envelope),
        sampling=_sampling(envelope),
        thinking=_thinking(envelope),
        limits=_limits(envelope),
        web_search=toolbox.web_search or None,
        parameters=own_parameters(envelope),
        skip_system_prompt=skips_system_prompt(skip_system_prompt, conversation.messages),
    )
    without_effect = (*_colour(envelope), *conversation.left_out, *strangers)
    return MessagesRequest(
        model=envelope["model"],
        prompt=prompt,
        stream=envelope.get("stream", False),
        thoughts=_thoughts(envelope.get("thinking", {})),
        extras=extras,
        ignored=without_effect[:_MAX_IGNORED],
    )


def decode_count(body: object) -> Prompt:
    """The prompt whose tokens a request wants counted.

    Raises:
        ClientError: kind INVALID_REQUEST for the first field that is wrong.
    """
    envelope = read_envelope(PROMPT_ENVELOPE, body)
    conversation = read_conversation(envelope.get("system"), envelope["messages"])
    return Prompt(
        bot=envelope["model"],
        messages=conversation.messages,
        tools=read_tools(envelope).tools,
        output_format=_output_format(envelope),
    )


def _refuse_thread(envelope: Mapping[str, Any]) -> None:
    """Conversations are not kept. The official SDKs hear of it and send the whole history."""
    if envelope.get("thread", {}).get("type") == "continue":
        raise ClientError(
            ErrorKind.NOT_FOUND,
            "This server keeps no threads: send the whole conversation, with 'thread' of type "
            "'create' or without.",
            param="thread",
            code="thread_not_found",
        )


def _colour(envelope: Mapping[str, Any]) -> list[str]:
    sent = [name for name in _COLOUR if name in envelope]
    return [name for name in sent if envelope[name] not in _COLOUR[name]]


def _sampling(envelope: Mapping[str, Any]) -> Sampling:
    return Sampling(
        temperature=envelope.get("temperature"),
        top_p=envelope.get("top_p"),
        top_k=envelope.get("top_k"),
    )


def _limits(envelope: Mapping[str, Any]) -> Limits:
    # An empty text would stop every answer before it begins; user interfaces send it for "none".
    stops = tuple(stop for stop in envelope.get("stop_sequences", ()) if stop)
    return Limits(max_tokens=envelope["max_tokens"], stop=stops)


def _thinking(envelope: Mapping[str, Any]) -> Thinking:
    """Adaptive thinking leaves it to the bot, as saying nothing does; effort says how much."""
    thinking = envelope.get("thinking", {})
    return Thinking(
        effort=envelope.get("output_config", {}).get("effort"),
        budget_tokens=thinking.get("budget_tokens"),
        enabled={"enabled": True, "disabled": False}.get(thinking.get("type", "")),
    )


def _thoughts(thinking: Mapping[str, Any]) -> ThoughtsShown:
    """As at Anthropic: none unless asked for, so that an answer begins with its text."""
    if thinking.get("type", "disabled") in ("disabled", "between_tools"):
        return "none"
    return "signature" if thinking.get("display") == "omitted" else "text"


def _output_format(envelope: Mapping[str, Any]) -> OutputFormat:
    config = envelope.get("output_config", {})
    wanted = config.get("format", envelope.get("output_format"))
    if wanted is None:
        return OutputFormat()
    return OutputFormat(
        kind="json_schema", name=wanted.get("name", ""), schema=wanted["schema"], strict=True
    )
