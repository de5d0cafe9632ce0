"""The envelope of POST /v1/chat/completions: which fields there are and what each may hold.

Every field that OpenAI's reference names, and a few that others added and clients send. Messages
and tools are only counted here; `messages` and `tools` beside this file read them, since they are
many and their paths must be exact.
"""

from __future__ import annotations

from marshmallow import fields

from poeflask.endpoints.shapes import (
    Array,
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

MAX_MESSAGES = 10_000
MAX_TOOLS = 512
MAX_STOPS = 32
"""OpenAI takes 4; agents send more, and here nothing is bound to that number."""

MAX_CHOICES = 16
"""Each choice is a question of its own to the bot, paid for on its own."""

_MAX_TOKENS = 2**31 - 1
_INT64 = 2**63

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


class StreamOptions(Envelope):
    """What a stream carries beside the answer."""

    include_usage = Flag()
    include_obfuscation = Flag()


class JsonSchemaFormat(Envelope):
    """The schema that the answer must match."""

    name = Name(required=True)
    description = Words()
    schema = Table()
    strict = Flag()


class ResponseFormat(Envelope):
    """The form that the answer's text must have."""

    type = Words("text", "json_object", "json_schema", required=True)
    json_schema = fields.Nested(JsonSchemaFormat)


class ReasoningOptions(Envelope):
    """Reasoning as OpenRouter's clients ask for it."""

    effort = Words(*EFFORTS)
    max_tokens = Whole(0, _MAX_TOKENS)
    enabled = Flag()


class ThinkingOptions(Envelope):
    """Reasoning as Anthropic's clients ask for it."""

    type = Words("enabled", "disabled", "adaptive", "auto")
    budget_tokens = Whole(0, _MAX_TOKENS)


class ChatEnvelope(Envelope):
    """A request for a chat completion, around its messages and tools."""

    model = Name(required=True)
    messages = Array(MAX_MESSAGES, min_items=1, required=True)

    stream = Flag()
    stream_options = fields.Nested(StreamOptions)
    n = Whole(1, MAX_CHOICES)

    temperature = Number(0, 2)
    top_p = Number(0, 1)
    top_k = Whole(-1, _MAX_TOKENS)
    frequency_penalty = Number(-2, 2)
    presence_penalty = Number(-2, 2)
    seed = Whole(-_INT64, _INT64 - 1)
    logit_bias = Numbers(-100, 100)
    max_tokens = Whole(1, _MAX_TOKENS)
    max_completion_tokens = Whole(1, _MAX_TOKENS)
    stop = WordList(MAX_STOPS, or_one=True)

    tools = Array(MAX_TOOLS)
    tool_choice = fields.Raw()
    parallel_tool_calls = Flag()
    functions = Array(MAX_TOOLS)
    function_call = fields.Raw()
    response_format = fields.Nested(ResponseFormat)

    reasoning_effort = Words(*EFFORTS)
    reasoning = fields.Nested(ReasoningOptions)
    include_reasoning = Flag()
    thinking = fields.Nested(ThinkingOptions)
    enable_thinking = Flag()
    google = Table()
    verbosity = Words("low", "medium", "high")
    web_search_options = Table()

    logprobs = Flag()
    top_logprobs = Whole(0, 20)
    modalities = WordList(8)
    audio = Table()
    prediction = Table()
    moderation = Table()

    metadata = Table()
    store = Flag()
    service_tier = Words()
    user = Words()
    safety_identifier = Words()
    prompt_cache_key = Words()
    prompt_cache_options = Table()
    prompt_cache_retention = Words()

    poe = Table()
    extra_body = Table()


CHAT_ENVELOPE = ChatEnvelope()
