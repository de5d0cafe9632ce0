"""The envelope's own kinds of fields."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.core.errors import ClientError
from poeflask.endpoints.responses.schema import CONVERSATION_ENVELOPE, RESPONSES_ENVELOPE
from poeflask.endpoints.shapes import read_envelope


def test_labels_up_to_their_limits() -> None:
    """Sixteen pairs, keys of 64 and values of 512 characters."""
    labels = {f"{number:064}": "x" * 512 for number in range(16)}

    assert {"metadata": labels} == read_envelope(CONVERSATION_ENVELOPE, {"metadata": labels})


@pytest.mark.parametrize(
    "labels",
    [{str(number): "" for number in range(17)}, {"x" * 65: ""}, {"a": "x" * 513}, {"a": None}, []],
)
def test_labels_beyond_them(labels: Any) -> None:
    """Each limit is one that OpenAI has."""
    with pytest.raises(ClientError) as caught:
        read_envelope(CONVERSATION_ENVELOPE, {"metadata": labels})

    assert (caught.value.param or "").startswith("metadata")


def test_unknown_fields_never_fail() -> None:
    """The API grows faster than its servers."""
    body = {"model": "b", "warp": 9, "reasoning": {"context": "auto", "new": []}}

    expected = {"model": "b", "reasoning": {"context": "auto"}}
    assert expected == read_envelope(RESPONSES_ENVELOPE, body)
