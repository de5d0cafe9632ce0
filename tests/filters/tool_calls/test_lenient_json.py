"""JSON as bots write it."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.core.json_text import repaired
from poeflask.filters.tool_calls.lenient_json import MAX_REPAIR_CHARS, mend_json, read_json


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": "x\ny"}', {"a": "x\ny"}),
        (r'{"a": "\d\"\u00e9\u12"}', {"a": '\\d"é\\u12'}),
    ],
)
def test_harmless_mistakes_are_read(text: str, expected: Any) -> None:
    """Raw line breaks and unknown escapes are understood beyond doubt."""
    assert expected == read_json(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": "say "hi", now"}', {"a": 'say "hi", now'}),
        ("{'a': True, 'b': None}", {"a": True, "b": None}),
        ('{"a": [1, 2,], // no\n}', {"a": [1, 2]}),
        ('{a: "x"', {"a": "x"}),
    ],
)
def test_broken_json_is_mended(text: str, expected: Any) -> None:
    """What most probably was meant is found."""
    assert expected == mend_json(text, repaired)


def test_long_texts_are_not_guessed_at() -> None:
    """Only what is cheap to mend is mended."""
    assert {"a": "x" * MAX_REPAIR_CHARS} == mend_json(
        '{"a": "%s"}' % ("x" * MAX_REPAIR_CHARS), repaired
    )
    with pytest.raises(ValueError, match="too long"):
        mend_json("{a: '" + "x" * MAX_REPAIR_CHARS, repaired)
