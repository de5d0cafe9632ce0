"""A chat completion request as a Prompt, and what the answer's shape depends on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
from poeflask.endpoints.chat.messages import read_messages
from poeflask.endpoints.chat.schema import CHAT_ENVELOPE
from poeflask.endpoints.chat.tools import read_tools
from poeflask.endpoints.common_fields import (
    SkipSystemPrompt,
    own_parameters,
    skips_system_prompt,
    unknown_fields,
)
from poeflask.endpoints.shapes import an_object, read_envelope, wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """A chat completion request, understood.

    Attributes:
        model: the bot's name as the client wrote it; also `prompt.bot`.
        prompt: what is asked.
        stream: whether the answer is streamed.
        include_usage: whether a stream ends with its usage.
        n: how many answers are wanted.
        legacy_functions: the client knows only `function_call`, so the answer must say so.
        reasoning_names: the fields that the answer's reasoning is written to.
        extras: unknown fields with plain values, such as a bot's own parameters that an SDK's
            `extra_body` put beside the known fields; only the bot's profile can tell.
        ignored: names of fields and paths of parts that were accepted and have no effect.
        spellings: the fields in which the request said what a Prompt calls otherwise.
    """

    model: str
    prompt: Prompt
    stream: bool = False
    include_usage: bool = False
    n: int = 1
    legacy_functions: bool = False
    reasoning_names: tuple[str, ...] = ("reasoning_content",)
    extras: Mapping[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    spellings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def spelled(self, wishes: Iterable[str]) -> list[str]:
        """These wishes of the prompt by the names of the fields that the client wrote."""
        return [name for wish in wishes for name in self.spellings.get(wish, (wish,))]


_THINKING_FIELDS = ("reasoning", "thinking", "enable_thinking", "google")
"""What `extra_body` may hold that is no bot's parameter, when a client sends it literally."""

_SPELLINGS = {
    "thinking": ("reasoning_effort", *_THINKING_FIELDS),
    "web_search": ("web_search_options",),
}
"""The fields that say what a Prompt calls by the one name."""

_COLOUR: Mapping[str, tuple[Any, ...]] = {
    "audio": (),
    "prediction": (),
    "moderation": (),
    "store": (False,),
    "service_tier": ("auto", "default"),
}
"""Fields without effect at Poe, each with the values that ask for nothing. What only labels the
request (user, metadata, cache hints) is not here: nobody would miss it in the answer."""

_MAX_IGNORED = 64


def decode(body: object, *, skip_system_prompt: SkipSystemPrompt = "auto") -> ChatRequest:
    """Read a request's JSON body.

    Args:
        body: the parsed JSON, whatever it is.
        skip_system_prompt: whether the bot leaves its own persona aside; "auto" means that it does
            when the client brought system messages of its own.

    Raises:
        ClientError: kind INVALID_REQUEST for the first field that is wrong; UNSUPPORTED_PARAMETER
            for a field whose result the client would read and cannot be given.
    """
    sent = _sent(body)
    envelope = read_envelope(CHAT_ENVELOPE, sent)
    _refuse_unsupported(envelope)
    conversation = read_messages(envelope["messages"])
    legacy = bool(envelope.get("functions")) and not envelope.get("tools")
    parallel = envelope.get("parallel_tool_calls", True) and not legacy
    toolbox = read_tools(envelope, parallel=parallel)
    extras, strangers = unknown_fields(sent, CHAT_ENVELOPE)
    prompt = Prompt(
        bot=envelope["model"],
        messages=conversation.messages,
        tools=toolbox.tools,
        tool_choice=toolbox.choice,
        output_format=_output_format(envelope),
        sampling=_sampling(envelope),
        thinking=_thinking(envelope),
        limits=_limits(envelope),
        verbosity=envelope.get("verbosity"),
        web_search=True if toolbox.web_search or "web_search_options" in envelope else None,
        parameters=own_parameters(envelope),
        skip_system_prompt=skips_system_prompt(skip_system_prompt, conversation.messages),
    )
    without_effect = (*_colour(envelope), *conversation.left_out, *toolbox.left_out, *strangers)
    return ChatRequest(
        model=envelope["model"],
        prompt=prompt,
        stream=envelope.get("stream", False),
        include_usage=envelope.get("stream_options", {}).get("include_usage", False),
        n=envelope.get("n", 1),
        legacy_functions=legacy,
        reasoning_names=_reasoning_names(envelope),
        extras=extras,
        ignored=without_effect[:_MAX_IGNORED],
        spellings=_spellings(envelope),
    )


def _sent(body: Any) -> Any:
    """The body with what a literal `extra_body` says about thinking in its proper place."""
    if not isinstance(body, dict) or not isinstance(body.get("extra_body"), dict):
        return body
    extra = body["extra_body"]
    moved = {name: extra[name] for name in _THINKING_FIELDS if name in extra}
    rest = {name: value for name, value in extra.items() if name not in moved}
    return {**moved, **body, "extra_body": rest}


def _refuse_unsupported(envelope: Mapping[str, Any]) -> None:
    if envelope.get("logprobs"):
        raise _unsupported("logprobs", "Poe's bots do not say how likely their words are.")
    if envelope.get("top_logprobs"):
        raise _unsupported("top_logprobs", "Poe's bots do not say how likely their words are.")
    if "audio" in envelope.get("modalities", ()):
        raise _unsupported("modalities", "A chat's answer is text; POST /v1/audio/speech speaks.")


def _unsupported(param: str, why: str) -> ClientError:
    sentence = f"'{param}' cannot be given what it asks for. {why}"
    return ClientError(ErrorKind.UNSUPPORTED_PARAMETER, sentence, param=param)


def _colour(envelope: Mapping[str, Any]) -> list[str]:
    sent = [name for name in _COLOUR if name in envelope]
    names = [name for name in sent if envelope[name] not in _COLOUR[name]]
    if any(modality != "text" for modality in envelope.get("modalities", ())):
        names.append("modalities")
    return names


def _spellings(envelope: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    sent = {
        wish: tuple(name for name in names if name in envelope)
        for wish, names in _SPELLINGS.items()
    }
    return {wish: names for wish, names in sent.items() if names}


def _sampling(envelope: Mapping[str, Any]) -> Sampling:
    return Sampling(
        temperature=envelope.get("temperature"),
        top_p=envelope.get("top_p"),
        top_k=envelope.get("top_k"),
        seed=envelope.get("seed"),
        presence_penalty=envelope.get("presence_penalty"),
        frequency_penalty=envelope.get("frequency_penalty"),
        logit_bias=envelope.get("logit_bias", {}),
    )


def _limits(envelope: Mapping[str, Any]) -> Limits:
    most = envelope.get("max_completion_tokens", envelope.get("max_tokens"))
    # An empty text would stop every answer before it begins; user interfaces send it for "none".
    return Limits(max_tokens=most, stop=tuple(stop for stop in envelope.get("stop", ()) if stop))


def _thinking(envelope: Mapping[str, Any]) -> Thinking:
    """The effort, budget and switch, from whichever spelling says them; OpenAI's own wins."""
    reasoning = envelope.get("reasoning", {})
    thinking = envelope.get("thinking", {})
    switch = {"enabled": True, "disabled": False}.get(thinking.get("type", ""))
    budgets = (reasoning.get("max_tokens"), thinking.get("budget_tokens"), _google_budget(envelope))
    switches = (reasoning.get("enabled"), switch, envelope.get("enable_thinking"))
    return Thinking(
        effort=envelope.get("reasoning_effort", reasoning.get("effort")),
        budget_tokens=next((budget for budget in budgets if budget is not None), None),
        enabled=next((enabled for enabled in switches if enabled is not None), None),
    )


def _reasoning_names(envelope: Mapping[str, Any]) -> tuple[str, ...]:
    """Clients that ask in OpenRouter's words read its `reasoning`, all others DeepSeek's field."""
    asks = envelope.get("include_reasoning", "reasoning" in envelope)
    return ("reasoning_content", "reasoning") if asks else ("reasoning_content",)


def _google_budget(envelope: Mapping[str, Any]) -> int | None:
    """google.thinking_config.thinking_budget, as Gemini's clients send it; -1 leaves it open."""
    google = envelope.get("google", {})
    if (config := google.get("thinking_config")) is None:
        return None
    at = "google.thinking_config"
    budget = an_object(config, at).get("thinking_budget")
    if budget is None or budget == -1:
        return None
    if isinstance(budget, bool) or not isinstance(budget, int) or not 0 <= budget < 2**31:
        raise wrong(f"{at}.thinking_budget", "must be a whole number of tokens, or -1.")
    return budget


def _output_format(envelope: Mapping[str, Any]) -> OutputFormat:
    wanted = envelope.get("response_format", {"type": "text"})
    if wanted["type"] != "json_schema":
        return OutputFormat(kind=wanted["type"])
    if (described := wanted.get("json_schema")) is None:
        raise wrong("response_format.json_schema", "is missing: it must hold 'name' and 'schema'.")
    return OutputFormat(
        kind="json_schema",
        name=described["name"],
        description=described.get("description", ""),
        schema=described.get("schema"),
        strict=described.get("strict", False),
    )
