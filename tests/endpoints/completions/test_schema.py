"""The envelope of a completion request."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.core.errors import ClientError
from poeflask.endpoints.completions.schema import COMPLETION_ENVELOPE
from poeflask.endpoints.shapes import read_envelope


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", 0),
        ("n", 17),
        ("n", True),
        ("n", 10**40),
        ("best_of", 0),
        ("best_of", "2"),
        ("max_tokens", 0),
        ("max_tokens", 1.5),
        ("temperature", 2.1),
        ("top_p", -1),
        ("echo", "yes"),
        ("stream", 1),
        ("suffix", ["x"]),
        ("stop", [1]),
        ("stop", ["x"] * 33),
        ("logit_bias", {"50256": 101}),
        ("model", ""),
        ("model", None),
        ("stream_options", "usage"),
    ],
)
def test_what_a_field_cannot_hold_is_told_by_its_name(field: str, value: Any):
    """Each field has its type and its range."""
    with pytest.raises(ClientError) as caught:
        read_envelope(COMPLETION_ENVELOPE, {"model": "Echo", field: value})

    assert (caught.value.param or "").startswith(field)


def test_null_is_absent_and_strangers_pass():
    """What clients send as null, or besides, does no harm."""
    sent = {"model": "Echo", "n": None, "stop": "x", "zzz": 1}

    assert {"model": "Echo", "stop": ["x"]} == read_envelope(COMPLETION_ENVELOPE, sent)
