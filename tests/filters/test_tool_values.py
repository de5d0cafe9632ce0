"""Names, broken JSON and Python, as bots write them."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.core.json_text import repaired
from poeflask.core.prompt import Tool
from poeflask.filters.tool_values import Toolbox, fits, mend_json, python_calls, read_json

TOOL = Tool(name="t", schema={"properties": {"a": {"type": "integer"}}, "required": ["a"]})


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


def test_a_guess_must_be_believable() -> None:
    """Mended arguments that lack a key, invent one or have a wrong type are not believed."""
    got = [fits(TOOL, value) for value in ({"a": "1"}, {}, {"a": 1, "b": 2}, {"a": "x"}, [])]

    assert got == [True, False, False, False, False]


def test_names_are_found() -> None:
    """Exact names come first; a near miss counts only if there is one."""
    box = Toolbox([Tool(name="get_it"), Tool(name="get-It"), Tool(name="run.fast"), TOOL])
    found = [box.find(name) for name in ("get_it", "GET_IT", "Run.Fast", "functions.t:2", 3, "")]

    assert [tool and tool.name for tool in found] == ["get_it", None, "run.fast", "t", None, None]


def test_python_is_read_not_run() -> None:
    """Calls with literal values are read; anything else is refused."""
    got = list(python_calls("print(api.run('x', n=[1]))\ny = now()"))

    assert got == [("api.run", ["x"], {"n": [1]}), ("now", [], {})]
    for text in ("run(open('x'))", "run(x)", "1 + 1", "run(", "run({1, 2})"):
        with pytest.raises(ValueError, match=r"."):
            list(python_calls(text))
