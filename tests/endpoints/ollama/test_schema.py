"""The envelopes of Ollama's requests."""

from __future__ import annotations

import pytest

from poeflask.endpoints.ollama.schema import CHAT_ENVELOPE, GENERATE_ENVELOPE, SHOW_ENVELOPE
from poeflask.endpoints.shapes import read_envelope


@pytest.mark.parametrize("schema", [CHAT_ENVELOPE, GENERATE_ENVELOPE])
def test_nulls_and_fields_of_tomorrow_do_no_harm(schema):
    """An optional field that is null was not sent; an unknown one is not ours."""
    sent = {"model": "m", "options": None, "think": None, "keep_alive": None, "warp": {"x": 1}}

    assert {"model": "m"} == read_envelope(schema, sent)


def test_options_may_be_written_with_a_point():
    """Home automation writes every number so."""
    sent = {"model": "m", "options": {"seed": 7.0, "num_predict": 5.0, "num_ctx": 8192.0}}

    assert {"seed": 7, "num_predict": 5} == read_envelope(CHAT_ENVELOPE, sent)["options"]


def test_old_clients_say_name():
    """Where new ones say model."""
    assert {"name": "m"} == read_envelope(SHOW_ENVELOPE, {"name": "m"})
