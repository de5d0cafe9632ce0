"""The envelopes know the fields of the API and nothing more."""

from __future__ import annotations

import inspect

from anthropic.types.message_count_tokens_params import MessageCountTokensParams
from anthropic.types.message_create_params import MessageCreateParamsBase

from poeflask.endpoints.messages.schema import MESSAGES_ENVELOPE, PROMPT_ENVELOPE


def test_every_field_of_the_official_sdk_is_known():
    """What the SDK's types name is declared, so that none of it passes for a bot's parameter."""
    asked = set(inspect.get_annotations(MessageCreateParamsBase))
    counted = set(inspect.get_annotations(MessageCountTokensParams))

    assert set() == asked - MESSAGES_ENVELOPE.fields.keys()
    assert set() == counted - PROMPT_ENVELOPE.fields.keys()
