"""What requests of several dialects have in common."""

from __future__ import annotations

from marshmallow import Schema, fields

from poeflask.core.prompt import Message, Text
from poeflask.endpoints.common_fields import (
    own_parameters,
    skips_system_prompt,
    unknown_fields,
)

SCHEMA = Schema.from_dict({"model": fields.Raw()})()
SYSTEM = Message("system", (Text("Be brief."),))
USER = Message("user", (Text("Hello"),))


def test_plain_unknown_fields_may_be_parameters():
    """Strings, numbers and booleans are kept; known fields and nulls are none of it."""
    sent = {"model": "m", "aspect": "1:1", "n": 2, "b": True, "f": 0.5, "none": None}

    assert ({"aspect": "1:1", "n": 2, "b": True, "f": 0.5}, []) == unknown_fields(sent, SCHEMA)


def test_other_unknown_fields_are_named():
    """A name that no header could carry is not even named."""
    sent = {"list": [1], "object": {}, "huge": float("inf"), "li ne\n": []}

    assert ({}, ["list", "object", "huge"]) == unknown_fields(sent, SCHEMA)


def test_poe_is_the_deliberate_place_for_parameters():
    """`poe` wins over `extra_body`."""
    envelope = {"extra_body": {"a": 1, "b": 1}, "poe": {"b": 2}}

    assert {"a": 1, "b": 2} == own_parameters(envelope)
    assert {} == own_parameters({})


def test_a_client_s_system_message_replaces_the_bot_s_persona():
    """With "auto"; else the setting decides alone."""
    assert skips_system_prompt("auto", (SYSTEM, USER))
    assert not skips_system_prompt("auto", (USER,))
    assert skips_system_prompt("always", (USER,))
    assert not skips_system_prompt("never", (SYSTEM,))
