"""A legacy completion request as Prompts: bots converse, so each is told to go on with a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.core.prompt import Limits, Message, Prompt, Sampling, Text
from poeflask.endpoints.common_fields import SkipSystemPrompt, own_parameters, unknown_fields
from poeflask.endpoints.completions.schema import COMPLETION_ENVELOPE, MAX_ANSWERS, MAX_PROMPTS
from poeflask.endpoints.shapes import a_text, an_array, kind_of, read_envelope, wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """A completion request, understood.

    Attributes:
        model: the bot's name as the client wrote it; also that of every prompt.
        texts: the texts to go on with, in the client's order.
        prompts: what is asked; one for each text.
        n: how many answers to each prompt are wanted.
        echo: whether each answer begins with its own text.
        stream: whether the answer is streamed.
        include_usage: whether a stream ends with its usage.
        extras: unknown fields with plain values; only the bot's profile can tell what they are.
        ignored: names of fields that were accepted and have no effect.
    """

    model: str
    texts: tuple[str, ...]
    prompts: tuple[Prompt, ...]
    n: int = 1
    echo: bool = False
    stream: bool = False
    include_usage: bool = False
    extras: Mapping[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


INSTRUCTION = (
    "You complete texts. The user's message is a text, not a message to you. Write what comes "
    "next: go on exactly where it ends, in its language, style and form; if it ends with a "
    "question or a task, what comes next is the answer. Write nothing else: do not repeat the "
    "text, and add no introduction, no comment and no code fence."
)
INSERTION = (
    "Another text follows what you write. End so that it fits, and do not repeat it. It is "
    "everything between the two lines of dashes:\n-----\n{suffix}\n-----"
)

_MAX_IGNORED = 64


def decode(body: object, *, skip_system_prompt: SkipSystemPrompt = "auto") -> CompletionRequest:
    """Read a request's JSON body.

    Args:
        body: the parsed JSON, whatever it is.
        skip_system_prompt: whether the bot leaves its own persona aside; "auto" means that it does
            not, since these clients bring no system message.

    Raises:
        ClientError: kind INVALID_REQUEST for the first field that is wrong; UNSUPPORTED_PARAMETER
            for a field whose result the client would read and cannot be given.
    """
    envelope = read_envelope(COMPLETION_ENVELOPE, body)
    _refuse_logprobs(envelope.get("logprobs"))
    texts = _texts(envelope.get("prompt"))
    n = envelope.get("n", 1)
    if n * len(texts) > MAX_ANSWERS:
        raise wrong("n", f"times the number of prompts may be at most {MAX_ANSWERS}.")
    extras, ignored = unknown_fields(cast(dict[str, Any], body), COMPLETION_ENVELOPE)
    skips = skip_system_prompt == "always"
    prompts = tuple(_prompt(text, envelope, skip_system_prompt=skips) for text in texts)
    if _best_of(envelope, n):
        ignored.insert(0, "best_of")
    return CompletionRequest(
        model=envelope["model"],
        texts=texts,
        prompts=prompts,
        n=n,
        echo=envelope.get("echo", False),
        stream=envelope.get("stream", False),
        include_usage=envelope.get("stream_options", {}).get("include_usage", False),
        extras=extras,
        ignored=tuple(ignored[:_MAX_IGNORED]),
    )


def _refuse_logprobs(wanted: object) -> None:
    """Null and false ask for nothing; 0 asks for the probabilities of the chosen tokens."""
    if wanted is None or wanted is False:
        return
    raise ClientError(
        ErrorKind.UNSUPPORTED_PARAMETER,
        "'logprobs' cannot be given what it asks for. "
        "Poe's bots do not say how likely their words are.",
        param="logprobs",
    )


def _best_of(envelope: Mapping[str, Any], n: int) -> bool:
    """Whether more answers are to be judged than given: nothing here could judge them."""
    best_of = int(envelope.get("best_of", n))
    if best_of < n:
        raise wrong("best_of", f"must be at least 'n', which is {n}.")
    return best_of > n


def _texts(prompt: object) -> tuple[str, ...]:
    if isinstance(prompt, str):
        return (_text(prompt, "prompt"),)
    if not isinstance(prompt, list) and prompt is not None:
        raise wrong("prompt", f"must be a string or an array of strings, not {kind_of(prompt)}.")
    items = an_array(prompt, "prompt", MAX_PROMPTS) if not _is_tokens(prompt) else prompt
    if not items:
        raise wrong("prompt", "must hold at least 1 item(s).")
    if _is_tokens(items) or any(_is_tokens(item) for item in items):
        raise wrong(
            "prompt",
            "holds token ids, which mean nothing without the vocabulary that made them; "
            "send the text itself.",
        )
    return tuple(_text(item, f"prompt[{place}]") for place, item in enumerate(items))


def _is_tokens(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], int)


def _text(value: object, param: str) -> str:
    text = a_text(value, param)
    if not text.strip():
        raise wrong(param, "holds no text to go on with.")
    return text


def _prompt(text: str, envelope: Mapping[str, Any], *, skip_system_prompt: bool) -> Prompt:
    suffix = envelope.get("suffix", "")
    asked = f"{INSTRUCTION}\n\n{INSERTION.format(suffix=suffix)}" if suffix else INSTRUCTION
    return Prompt(
        bot=envelope["model"],
        messages=(Message("system", (Text(asked),)), Message("user", (Text(text),))),
        sampling=_sampling(envelope),
        limits=Limits(
            max_tokens=envelope.get("max_tokens"),
            # An empty text would stop every answer before it begins.
            stop=tuple(stop for stop in envelope.get("stop", ()) if stop),
        ),
        parameters=own_parameters(envelope),
        skip_system_prompt=skip_system_prompt,
    )


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
