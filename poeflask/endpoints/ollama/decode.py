"""Requests of Ollama's API as Prompts, and what the answer's shape depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
    skips_system_prompt,
    unknown_fields,
)
from poeflask.endpoints.ollama.messages import read_images, read_messages
from poeflask.endpoints.ollama.schema import (
    CHAT_ENVELOPE,
    GENERATE_ENVELOPE,
    OPTIONS,
    SHOW_ENVELOPE,
)
from poeflask.endpoints.ollama.tools import read_tools
from poeflask.endpoints.shapes import handed_on, kind_of, one_of, read_envelope, shown, wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class OllamaRequest:
    """A request to /api/chat or /api/generate, understood.

    Attributes:
        model: the model's name as the client wrote it; `prompt.bot` is without its tag.
        prompt: what is asked; without messages if nothing is.
        stream: whether the answer is streamed.
        unload: the client wants a model out of memory, and asks nothing.
        show_thinking: whether the bot's thoughts are part of the answer.
        extras: options with plain values that are not Ollama's best known ones; some may be the
            bot's own parameters, which only its profile can tell.
        ignored: names of fields that were accepted and have no effect.
    """

    model: str
    prompt: Prompt
    stream: bool = True
    unload: bool = False
    show_thinking: bool = True
    extras: Mapping[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()

    @property
    def asks_nothing(self) -> bool:
        """Whether the client only wants the model loaded or unloaded."""
        return not self.prompt.messages


_EFFORTS = ("minimal", "low", "medium", "high", "xhigh", "max")

_MACHINE = (
    *("num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "num_keep"),
    *("numa", "use_mmap", "use_mlock", "low_vram", "f16_kv", "vocab_only"),
)
"""Options of the machine that runs a model: they change nothing that anybody could miss here."""

_AT_ONCE = (0, 0.0, "0", "0s", "0m", "0h")
_LATEST = ":latest"

_FILL_IN = (
    "The user gives the text before a gap and the text after it. Answer with the text that "
    "belongs into the gap and nothing else: no explanation, no code fence, no repetition."
)


def decode_chat(body: object, *, skip_system_prompt: SkipSystemPrompt = "auto") -> OllamaRequest:
    """Read the JSON body of a request to /api/chat.

    Args:
        body: the parsed JSON, whatever it is.
        skip_system_prompt: whether the bot leaves its own persona aside; "auto" means that it does
            when the client brought system messages of its own.

    Raises:
        ClientError: kind INVALID_REQUEST for the first field that is wrong; UNSUPPORTED_PARAMETER
            for a field whose result the client would read and cannot be given.
    """
    envelope = read_envelope(CHAT_ENVELOPE, body)
    messages = read_messages(envelope.get("messages", []))
    prompt = _prompt(envelope, messages, skip_system_prompt)
    tools = read_tools(envelope.get("tools", []))
    return _request(envelope, body, replace(prompt, tools=tools))


def decode_generate(
    body: object, *, skip_system_prompt: SkipSystemPrompt = "auto"
) -> OllamaRequest:
    """Read the JSON body of a request to /api/generate; see `decode_chat`."""
    envelope = read_envelope(GENERATE_ENVELOPE, body)
    messages = _generate_messages(envelope)
    return _request(envelope, body, _prompt(envelope, messages, skip_system_prompt))


def decode_show(body: object) -> str:
    """The bot's name in the JSON body of a request to /api/show.

    Raises:
        ClientError: kind INVALID_REQUEST, if it names none.
    """
    envelope = read_envelope(SHOW_ENVELOPE, body)
    name = envelope.get("model") or envelope.get("name")
    if not name:
        raise wrong("model", "is missing: it must be a string.")
    return bot_name(name)


def bot_name(model: str) -> str:
    """The bot that a model's name with its tag stands for."""
    return model[: -len(_LATEST)] if model.lower().endswith(_LATEST) else model


def _generate_messages(envelope: Mapping[str, Any]) -> tuple[Message, ...]:
    text, after = envelope.get("prompt", ""), envelope.get("suffix", "")
    images = read_images(envelope.get("images"), "images")
    if not text and not images and not after:
        return ()
    system = [envelope["system"]] if envelope.get("system") else []
    if after:
        system.append(_FILL_IN)
        text = f"<before>\n{text}\n</before>\n<after>\n{after}\n</after>"
    said = [Text(text)] if text else []
    return (
        *(Message("system", (Text(words),)) for words in system),
        Message("user", (*said, *images)),
    )


def _prompt(
    envelope: Mapping[str, Any], messages: tuple[Message, ...], skip: SkipSystemPrompt
) -> Prompt:
    options = envelope.get("options", {})
    most = options.get("num_predict", 0)
    return Prompt(
        bot=bot_name(envelope["model"]),
        messages=messages,
        output_format=_output_format(envelope.get("format")),
        sampling=Sampling(
            temperature=options.get("temperature"),
            top_p=options.get("top_p"),
            top_k=options.get("top_k"),
            seed=options.get("seed"),
            presence_penalty=options.get("presence_penalty"),
            frequency_penalty=options.get("frequency_penalty"),
        ),
        thinking=_thinking(envelope.get("think")),
        # Ollama's -1 and -2 mean no limit of the client's own, and 0 has none to set.
        limits=Limits(
            max_tokens=most if most > 0 else None,
            stop=tuple(stop for stop in options.get("stop", ()) if stop),
        ),
        parameters=envelope.get("poe", {}),
        skip_system_prompt=skips_system_prompt(skip, messages),
    )


def _request(envelope: Mapping[str, Any], body: Any, prompt: Prompt) -> OllamaRequest:
    if envelope.get("logprobs"):
        sentence = "'logprobs' cannot be given: Poe's bots do not say how likely their words are."
        raise ClientError(ErrorKind.UNSUPPORTED_PARAMETER, sentence, param="logprobs")
    options = body.get("options") or {}
    extras, _ = unknown_fields(options, OPTIONS)
    extras = {name: value for name, value in extras.items() if name not in _MACHINE}
    without_effect = [name for name in ("template", "context", "raw") if envelope.get(name)]
    return OllamaRequest(
        model=envelope["model"],
        prompt=prompt,
        stream=envelope.get("stream", True),
        unload=envelope.get("keep_alive") in _AT_ONCE,
        show_thinking=envelope.get("think") is not False,
        extras=extras,
        ignored=tuple(without_effect),
    )


def _output_format(value: object) -> OutputFormat:
    match value:
        case None | "":
            return OutputFormat()
        case "json":
            return OutputFormat(kind="json_object")
        case dict():
            schema = handed_on(value, "format")
            return OutputFormat(kind="json_schema", name="answer", schema=schema)
        case str():
            raise wrong("format", f"must be 'json' or a JSON schema, not {shown(value)}.")
    raise wrong("format", f"must be 'json' or a JSON schema, not {kind_of(value)}.")


def _thinking(value: object) -> Thinking:
    match value:
        case None:
            return Thinking()
        case bool():
            return Thinking(enabled=value)
        case str() if value in _EFFORTS:
            return Thinking(effort=value)
        case str():
            raise wrong("think", f"must be true, false or {one_of(_EFFORTS)}, not {shown(value)}.")
    raise wrong("think", f"must be true, false or {one_of(_EFFORTS)}, not {kind_of(value)}.")
