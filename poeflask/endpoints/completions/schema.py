"""The body of POST /v1/completions: which fields there are and what each may hold."""

from __future__ import annotations

from marshmallow import fields

from poeflask.endpoints.shapes import (
    Envelope,
    Flag,
    Name,
    Number,
    Numbers,
    Table,
    Whole,
    WordList,
    Words,
)

MAX_PROMPTS = 32
MAX_CHOICES = 16
MAX_ANSWERS = 32
"""Prompts times choices: each is a question of its own to the bot, paid for on its own."""

MAX_STOPS = 32

_MAX_TOKENS = 2**31 - 1
_INT64 = 2**63


class StreamOptions(Envelope):
    """What a stream carries beside the answer."""

    include_usage = Flag()
    include_obfuscation = Flag()


class CompletionEnvelope(Envelope):
    """A request for a completion; `decode` reads the prompt, which has four forms."""

    model = Name(required=True)
    prompt = fields.Raw()
    suffix = Words()
    echo = Flag()

    n = Whole(1, MAX_CHOICES)
    best_of = Whole(1, MAX_CHOICES)
    stream = Flag()
    stream_options = fields.Nested(StreamOptions)
    logprobs = fields.Raw()

    max_tokens = Whole(1, _MAX_TOKENS)
    stop = WordList(MAX_STOPS, or_one=True)
    temperature = Number(0, 2)
    top_p = Number(0, 1)
    top_k = Whole(-1, _MAX_TOKENS)
    frequency_penalty = Number(-2, 2)
    presence_penalty = Number(-2, 2)
    seed = Whole(-_INT64, _INT64 - 1)
    logit_bias = Numbers(-100, 100)
    user = Words()

    poe = Table()
    extra_body = Table()


COMPLETION_ENVELOPE = CompletionEnvelope()
