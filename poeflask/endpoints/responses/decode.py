"""A request for a response as a Prompt, and what the answer's shape depends on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.core.prompt import (
    Limits,
    Message,
    OutputFormat,
    Prompt,
    Sampling,
    Text,
    Thinking,
)
from poeflask.endpoints.common_fields import (
    SkipSystemPrompt,
    own_parameters,
    skips_system_prompt,
    unknown_fields,
)
from poeflask.endpoints.responses.ids import input_id
from poeflask.endpoints.responses.items import Item, read_items
from poeflask.endpoints.responses.schema import CONVERSATION_ENVELOPE, MAX_ITEMS, RESPONSES_ENVELOPE
from poeflask.endpoints.responses.tools import Naming, read_tools
from poeflask.endpoints.shapes import (
    a_name,
    a_text,
    an_array,
    an_object,
    kind_of,
    read_envelope,
    wrong,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What a request points at and does not hold; empty where it points at nothing.

    Attributes:
        previous: the id of the response that it continues.
        conversation: the id of the conversation that it belongs to.
        items: the ids of the items that it refers to.
    """

    previous: str = ""
    conversation: str = ""
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsesRequest:
    """A request for a response, understood.

    Attributes:
        model: the bot's name as the client wrote it; also `prompt.bot`.
        prompt: what is asked.
        items: what the client said with this request, as items.
        echo: the response's fields that repeat the request.
        naming: how the bot's names for tools read in the client's words.
        stream: whether the answer is streamed.
        background: whether the client polls for the answer.
        store: whether the answer is kept.
        extras: unknown fields with plain values; only the bot's profile can tell what they are.
        ignored: names of fields and paths of parts that were accepted and have no effect.
    """

    model: str
    prompt: Prompt
    items: tuple[Item, ...]
    echo: Mapping[str, Any]
    naming: Naming
    stream: bool = False
    background: bool = False
    store: bool = True
    extras: Mapping[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


_COLOUR: Mapping[str, tuple[Any, ...]] = {
    "top_p": (1,),
    "truncation": ("disabled",),
    "service_tier": ("auto", "default"),
    "max_tool_calls": (),
    "context_management": ([],),
    "moderation": (),
    "access_programs": (),
    "image": (),
}
"""Fields without effect at Poe, each with the values that ask for nothing. What only labels the
request (user, metadata, cache hints) is not here: nobody would miss it in the answer."""

_MAX_IGNORED = 64


def links_of(body: Mapping[str, Any]) -> Links:
    """What must be looked up before the request can be read.

    Raises:
        ClientError: kind INVALID_REQUEST, if a link is no id or there are two of a kind.
    """
    previous, conversation = body.get("previous_response_id"), body.get("conversation")
    if previous is not None and conversation is not None:
        raise wrong(
            "previous_response_id",
            "cannot be sent together with 'conversation': each says what came before.",
        )
    if isinstance(conversation, dict):
        conversation = a_name(conversation.get("id"), "conversation.id")
    elif conversation is not None:
        conversation = a_name(conversation, "conversation")
    return Links(
        previous="" if previous is None else a_name(previous, "previous_response_id"),
        conversation=conversation or "",
        items=tuple(_references(body.get("input"))),
    )


def _references(items: object) -> Iterable[str]:
    """The ids in items that are nothing but a reference."""
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and isinstance(item.get("id"), str):
            kind = item.get("type")
            if kind == "item_reference" or (kind is None and "role" not in item):
                yield item["id"]


def decode(
    body: object,
    *,
    history: Sequence[Item] = (),
    references: Mapping[str, Item] | None = None,
    skip_system_prompt: SkipSystemPrompt = "auto",
) -> ResponsesRequest:
    """Read a request's JSON body.

    Args:
        body: the parsed JSON, whatever it is.
        history: the items of the response or conversation that it continues, oldest first.
        references: the items that it refers to, by id, as far as they were found.
        skip_system_prompt: whether the bot leaves its own persona aside; "auto" means that it does
            when the client brought instructions of its own.

    Raises:
        ClientError: kind INVALID_REQUEST for the first field that is wrong; NOT_FOUND for a
            reference that leads nowhere; UNSUPPORTED_PARAMETER for a field whose result the client
            would read and cannot be given.
    """
    envelope = read_envelope(RESPONSES_ENVELOPE, body)
    sent = an_object(body, "body")
    _refuse_unsupported(envelope)
    known = references or {}
    items = _items(envelope.get("input"))
    if not items and not history:
        raise wrong("input", "is missing or empty: it must be a string or an array of items.")
    spoken = read_items(history, items, known)
    toolbox = read_tools(
        [(envelope.get("tools", []), "tools"), *spoken.tools],
        envelope.get("tool_choice"),
        parallel=envelope.get("parallel_tool_calls", True),
    )
    messages = (*_instructions(envelope.get("instructions"), known), *spoken.messages)
    if not any(message.parts for message in messages):
        raise wrong("input", "says nothing: it must hold a message with some content.")
    extras, strangers = unknown_fields(sent, RESPONSES_ENVELOPE)
    prompt = Prompt(
        bot=envelope["model"],
        messages=messages,
        tools=toolbox.tools,
        tool_choice=toolbox.choice,
        output_format=_output_format(envelope),
        sampling=Sampling(temperature=envelope.get("temperature"), top_p=envelope.get("top_p")),
        thinking=Thinking(effort=envelope.get("reasoning", {}).get("effort")),
        limits=Limits(max_tokens=envelope.get("max_output_tokens")),
        verbosity=envelope.get("text", {}).get("verbosity"),
        web_search=_web_search(envelope, offered=toolbox.web_search),
        parameters=own_parameters(envelope),
        skip_system_prompt=skips_system_prompt(skip_system_prompt, messages),
    )
    without_effect = (*_colour(envelope), *spoken.left_out, *toolbox.left_out, *strangers)
    return ResponsesRequest(
        model=envelope["model"],
        prompt=prompt,
        items=tuple(_resolved(item, known) for item in items),
        echo=_echo(envelope),
        naming=toolbox.naming,
        stream=envelope.get("stream", False),
        background=envelope.get("background", False),
        store=envelope.get("store", True),
        extras=extras,
        ignored=without_effect[:_MAX_IGNORED],
    )


def decode_conversation(body: object) -> tuple[dict[str, str], tuple[Item, ...]]:
    """The labels and the first items of a new conversation.

    Raises:
        ClientError: kind INVALID_REQUEST, for the first thing that is wrong.
    """
    envelope = read_envelope(CONVERSATION_ENVELOPE, body)
    items = envelope.get("items", [])
    read_items((), items, {})
    return envelope.get("metadata", {}), tuple(items)


def decode_labels(body: object) -> dict[str, str]:
    """The labels that a conversation is to have from here on; null is none.

    Raises:
        ClientError: kind INVALID_REQUEST, if there are none in the body, or wrong ones.
    """
    envelope = read_envelope(CONVERSATION_ENVELOPE, body)
    if isinstance(body, Mapping) and "metadata" not in body:
        raise wrong("metadata", "is missing: it must be an object.")
    labels: dict[str, str] = envelope.get("metadata", {})
    return labels


def _refuse_unsupported(envelope: Mapping[str, Any]) -> None:
    if envelope.get("top_logprobs"):
        raise _unsupported("top_logprobs", "Poe's bots do not say how likely their words are.")
    if "prompt" in envelope:
        raise _unsupported("prompt", "No prompt templates are kept here; send 'input'.")
    if envelope.get("background") and not envelope.get("store", True):
        raise wrong("background", "needs 'store': true, since what is not kept cannot be polled.")


def _unsupported(param: str, why: str) -> ClientError:
    sentence = f"'{param}' cannot be given what it asks for. {why}"
    return ClientError(ErrorKind.UNSUPPORTED_PARAMETER, sentence, param=param)


def _items(value: object) -> list[Any]:
    match value:
        case None | "":
            return []
        case str():
            return [{"type": "message", "role": "user", "content": value}]
        case list():
            return an_array(value, "input", MAX_ITEMS)
    raise wrong("input", f"must be a string or an array of items, not {kind_of(value)}.")


def _instructions(value: object, references: Mapping[str, Item]) -> tuple[Message, ...]:
    match value:
        case None | "":
            return ()
        case list():
            return read_items((), an_array(value, "instructions", MAX_ITEMS), references).messages
    return (Message("system", (Text(a_text(value, "instructions")),)),)


def _resolved(item: Item, references: Mapping[str, Item]) -> Item:
    """The item that a reference means, or the item itself."""
    kind = item.get("type")
    refers = kind == "item_reference" or (kind is None and "role" not in item)
    return references.get(item.get("id", ""), item) if refers else item


def kept_items(items: Sequence[Item], response_id: str) -> list[dict[str, Any]]:
    """Items as they are kept and shown again: each with a type, an id, and parts for content.

    OpenAI shows a status with each, and strict clients demand it; what was sent is complete.
    """
    return [_kept(item, response_id, index) for index, item in enumerate(items)]


def _kept(item: Item, response_id: str, index: int) -> dict[str, Any]:
    kind = item.get("type", "message")
    prefix = _PREFIXES.get(kind, "item")
    whole = {**item, "type": kind, "id": item.get("id") or input_id(prefix, response_id, index)}
    if kind in _PREFIXES:
        whole["status"] = item.get("status") or "completed"
    content = item.get("content")
    if kind == "message" and isinstance(content, str):
        part = "output_text" if item.get("role") == "assistant" else "input_text"
        extra: dict[str, Any] = {"annotations": []} if part == "output_text" else {}
        whole["content"] = [{"type": part, "text": content, **extra}]
    return whole


_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
}


def _colour(envelope: Mapping[str, Any]) -> list[str]:
    sent = [name for name in _COLOUR if name in envelope]
    return [name for name in sent if envelope[name] not in _COLOUR[name]]


def _web_search(envelope: Mapping[str, Any], *, offered: bool) -> bool | None:
    return True if offered and envelope.get("tool_choice") != "none" else None


def _output_format(envelope: Mapping[str, Any]) -> OutputFormat:
    wanted = envelope.get("text", {}).get("format", {"type": "text"})
    if wanted["type"] != "json_schema":
        return OutputFormat(kind=wanted["type"])
    for name in ("name", "schema"):
        if name not in wanted:
            raise wrong(f"text.format.{name}", "is missing: a json_schema format needs it.")
    return OutputFormat(
        kind="json_schema",
        name=wanted["name"],
        description=wanted.get("description", ""),
        schema=wanted["schema"],
        strict=wanted.get("strict", False),
    )


def _echo(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """The response's fields that say again what was asked, each with the API's own default."""
    text = envelope.get("text", {})
    reasoning = envelope.get("reasoning", {})
    conversation = links_of(envelope).conversation
    return {
        **{name: envelope.get(name, default) for name, default in _ECHOED.items()},
        "text": {**text, "format": text.get("format", {"type": "text"})},
        "reasoning": {"effort": reasoning.get("effort"), "summary": reasoning.get("summary")},
        "conversation": {"id": conversation} if conversation else None,
        "service_tier": "default",
    }


_ECHOED: Mapping[str, Any] = {
    "instructions": None,
    "previous_response_id": None,
    "background": False,
    "store": True,
    "tools": [],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "temperature": 1.0,
    "top_p": 1.0,
    "top_logprobs": 0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "truncation": "disabled",
    "metadata": {},
    "user": None,
    "safety_identifier": None,
    "prompt_cache_key": None,
}
