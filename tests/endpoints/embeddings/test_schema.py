"""The envelope of an embeddings request."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.core.errors import ClientError
from poeflask.endpoints.embeddings.schema import EMBEDDING_ENVELOPE
from poeflask.endpoints.shapes import read_envelope


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", None),
        ("model", ""),
        ("model", 1),
        ("dimensions", 0),
        ("dimensions", 257),
        ("dimensions", 1536),
        ("dimensions", "64"),
        ("dimensions", 10**50),
        ("encoding_format", "hex"),
        ("encoding_format", 1),
        ("user", 1),
    ],
)
def test_what_a_field_cannot_hold_is_told_by_its_name(field: str, value: Any):
    """Each field has its type and its range."""
    with pytest.raises(ClientError) as caught:
        read_envelope(EMBEDDING_ENVELOPE, {"model": "m", field: value})

    assert field == caught.value.param
