"""The envelopes of Ollama's requests: which fields there are and what each may hold.

Messages, tools, and fields of several types are only named here; `messages`, `tools` and `decode`
beside this file read them.
"""

from __future__ import annotations

from marshmallow import fields

from poeflask.endpoints.shapes import (
    Array,
    Envelope,
    Flag,
    Name,
    Number,
    RoundNumber,
    Table,
    WordList,
    Words,
)

MAX_MESSAGES = 10_000
MAX_TOOLS = 512
MAX_IMAGES = 100
MAX_STOPS = 32

MAX_INPUTS = 2048
MAX_CHARS = 100_000
MAX_ALL_CHARS = 2_000_000
"""Texts of one request for vectors: how many, how long each, and how long all together."""

_MOST = 2**31 - 1
_INT64 = 2**63


class Options(Envelope):
    """The options that a bot of Poe's may know; Ollama has many more, which are let be."""

    temperature = Number(0, 2)
    top_p = Number(0, 1)
    top_k = RoundNumber(-1, _MOST)
    seed = RoundNumber(-_INT64, _INT64 - 1)
    presence_penalty = Number(-2, 2)
    frequency_penalty = Number(-2, 2)
    num_predict = RoundNumber(-2, _MOST)
    stop = WordList(MAX_STOPS, or_one=True)


class _Asking(Envelope):
    """What both ways of asking have."""

    model = Name(required=True)
    stream = Flag()
    format = fields.Raw()
    think = fields.Raw()
    keep_alive = fields.Raw()
    options = fields.Nested(Options)
    logprobs = Flag()
    template = Words()
    poe = Table()


class ChatEnvelope(_Asking):
    """A request to /api/chat, around its messages and tools."""

    messages = Array(MAX_MESSAGES)
    tools = Array(MAX_TOOLS)


class GenerateEnvelope(_Asking):
    """A request to /api/generate."""

    prompt = Words()
    system = Words()
    suffix = Words()
    images = Array(MAX_IMAGES)
    context = Array(10_000_000)
    raw = Flag()


class ShowEnvelope(Envelope):
    """A request to /api/show; old clients say `name`."""

    model = Name()
    name = Name()


class EmbedEnvelope(Envelope):
    """A request for vectors; old clients send one text as `prompt`."""

    model = Name(required=True)
    input = fields.Raw()
    prompt = Words()
    dimensions = RoundNumber(1, _MOST)
    truncate = Flag()


CHAT_ENVELOPE = ChatEnvelope()
GENERATE_ENVELOPE = GenerateEnvelope()
SHOW_ENVELOPE = ShowEnvelope()
EMBED_ENVELOPE = EmbedEnvelope()
OPTIONS = Options()
