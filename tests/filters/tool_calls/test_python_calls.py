"""Calls as Python."""

from __future__ import annotations

import pytest

from poeflask.core.prompt import Tool
from poeflask.filters.tool_calls.python_calls import placed, python_calls


def test_python_is_read_not_run() -> None:
    """Calls with literal values are read; anything else is refused."""
    got = list(python_calls("print(api.run('x', n=[1]))\ny = now()"))

    assert got == [("api.run", ["x"], {"n": [1]}), ("now", [], {})]
    for text in ("run(open('x'))", "run(x)", "1 + 1", "run(", "run({1, 2})"):
        with pytest.raises(ValueError, match=r"."):
            list(python_calls(text))


def test_values_by_place_get_names() -> None:
    """A schema's properties name them in order; a custom tool has one name; more are too many."""
    tool = Tool(name="t", schema={"properties": {"a": {}, "b": {}}})

    assert {"a": 1, "b": 2} == placed(tool, [1], {"b": 2})
    assert {"input": "x"} == placed(Tool(name="c", kind="custom"), ["x"], {})
    with pytest.raises(ValueError, match="more values"):
        placed(tool, [1, 2, 3], {})
