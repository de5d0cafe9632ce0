"""The envelopes of POST /v1/messages and /v1/messages/count_tokens: fields and what each may hold.

Every field that Anthropic's reference names, and a few that older and beta clients send. Messages,
system blocks and tools are only counted here; `content` and `tools` beside this file read them.
"""

from __future__ import annotations

from marshmallow import fields

from poeflask.endpoints.shapes import (
    Array,
    Envelope,
    Flag,
    Name,
    Number,
    Table,
    Whole,
    WordList,
    Words,
)

MAX_MESSAGES = 100_000
"""Anthropic's own limit."""

MAX_TOOLS = 1_000
MAX_STOPS = 128

_MAX_TOKENS = 2**31 - 1

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
THINKING_TYPES = ("enabled", "disabled", "adaptive", "between_tools", "auto")


class ThinkingOptions(Envelope):
    """How much the bot thinks, and how much of that is shown.

    A budget as large as `max_tokens` is against Anthropic's rule, but clients send it.
    """

    type = Words(*THINKING_TYPES, required=True)
    budget_tokens = Whole(0, _MAX_TOKENS)
    display = Words()


class JsonFormat(Envelope):
    """The JSON Schema that the answer must match."""

    type = Words("json_schema", required=True)
    schema = Table(required=True)
    name = Words()


class OutputConfig(Envelope):
    """The answer's form and the effort it is worth."""

    effort = Words(*EFFORTS)
    format = fields.Nested(JsonFormat)


class ThreadOptions(Envelope):
    """A conversation whose beginning the server is asked to keep or to have kept."""

    type = Words(required=True)
    previous_message_id = Words()


class PromptEnvelope(Envelope):
    """What a request says of the prompt, around its messages and tools."""

    model = Name(required=True)
    messages = Array(MAX_MESSAGES, min_items=1, required=True)
    system = fields.Raw()
    tools = Array(MAX_TOOLS)
    tool_choice = fields.Raw()
    thinking = fields.Nested(ThinkingOptions)
    output_config = fields.Nested(OutputConfig)
    output_format = fields.Nested(JsonFormat)

    cache_control = fields.Raw()
    container = fields.Raw()
    context_management = fields.Raw()
    mcp_servers = Array(MAX_TOOLS)
    speed = Words()
    user_profile_id = fields.Raw()
    workspace_id = fields.Raw()


class MessagesEnvelope(PromptEnvelope):
    """A request for a message."""

    max_tokens = Whole(1, _MAX_TOKENS, required=True)
    stream = Flag()
    stop_sequences = WordList(MAX_STOPS)
    temperature = Number(0, 2)
    top_p = Number(0, 1)
    top_k = Whole(-1, _MAX_TOKENS)
    thread = fields.Nested(ThreadOptions)

    metadata = Table()
    service_tier = Words()
    diagnostics = fields.Raw()
    inference_geo = fields.Raw()

    poe = Table()
    extra_body = Table()


PROMPT_ENVELOPE = PromptEnvelope()
MESSAGES_ENVELOPE = MessagesEnvelope()
