"""The envelope of POST /v1/responses: which fields there are and what each may hold.

Every field that OpenAI's reference names. Input items and tools are only counted here; `items` and
`tools` beside this file read them.
"""

from __future__ import annotations

from marshmallow import ValidationError, fields

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

MAX_ITEMS = 10_000
MAX_TOOLS = 1_000
MAX_LABELS = 16
MAX_LABEL_NAME_CHARS = 64
MAX_LABEL_CHARS = 512

_MAX_TOKENS = 2**31 - 1

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


class Labels(Table):
    """Up to 16 pairs of short strings that the client wants to find again."""

    def _deserialize(self, value: object, *_: object, **__: object) -> dict[str, str]:
        labels = super()._deserialize(value)
        if len(labels) > MAX_LABELS:
            raise ValidationError(f"may hold at most {MAX_LABELS} pairs, not {len(labels)}.")
        for name, label in labels.items():
            if len(name) > MAX_LABEL_NAME_CHARS:
                raise ValidationError(f"has a key of more than {MAX_LABEL_NAME_CHARS} characters.")
            if not isinstance(label, str) or len(label) > MAX_LABEL_CHARS:
                what = f"must be a string of at most {MAX_LABEL_CHARS} characters."
                raise ValidationError({name: [what]})
        return labels


class StreamOptions(Envelope):
    """What a stream carries beside the answer."""

    include_obfuscation = Flag()


class TextFormat(Envelope):
    """The form that the answer's text must have."""

    type = Words("text", "json_object", "json_schema", required=True)
    name = Name()
    description = Words()
    schema = Table()
    strict = Flag()


class TextOptions(Envelope):
    """How the answer's text should be."""

    format = fields.Nested(TextFormat)
    verbosity = Words("low", "medium", "high")


class ReasoningOptions(Envelope):
    """How much the bot should think, and what is shown of it."""

    effort = Words(*EFFORTS)
    summary = Words()
    generate_summary = Words()
    context = Words()
    mode = Words()


class ResponsesEnvelope(Envelope):
    """A request for a response, around its items and tools."""

    model = Name(required=True)
    input = fields.Raw()
    instructions = fields.Raw()
    previous_response_id = Name()
    conversation = fields.Raw()

    stream = Flag()
    stream_options = fields.Nested(StreamOptions)
    background = Flag()
    store = Flag()

    temperature = Number(0, 2)
    top_p = Number(0, 1)
    top_logprobs = Whole(0, 20)
    max_output_tokens = Whole(1, _MAX_TOKENS)
    max_tool_calls = Whole(1, _MAX_TOKENS)
    text = fields.Nested(TextOptions)
    reasoning = fields.Nested(ReasoningOptions)
    truncation = Words("auto", "disabled")

    tools = Array(MAX_TOOLS)
    tool_choice = fields.Raw()
    parallel_tool_calls = Flag()
    include = WordList(64)

    context_management = fields.Raw()
    moderation = Table()
    prompt = Table()
    access_programs = fields.Raw()
    image = Table()

    metadata = Labels()
    client_metadata = fields.Raw()
    service_tier = Words()
    user = Words()
    safety_identifier = Words()
    prompt_cache_key = Words()
    prompt_cache_options = Table()
    prompt_cache_retention = Words()

    poe = Table()
    extra_body = Table()


class ConversationEnvelope(Envelope):
    """A request for a new conversation."""

    items = Array(MAX_ITEMS)
    metadata = Labels()


RESPONSES_ENVELOPE = ResponsesEnvelope()
CONVERSATION_ENVELOPE = ConversationEnvelope()
