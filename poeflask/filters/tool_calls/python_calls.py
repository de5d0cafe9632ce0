"""Calls as Python: `print(default_api.x(k="v"))`. The text is parsed, never run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from poeflask.core import json_text
from poeflask.core.coerce import properties
from poeflask.core.prompt import Tool
from poeflask.filters.tool_calls.lenient_json import MAX_REPAIR_CHARS
from poeflask.filters.tool_text import CUSTOM_KEY


def python_calls(text: str) -> Iterator[tuple[str, list[Any], dict[str, Any]]]:
    """The calls that a piece of Python makes, `print(...)` around them left out.

    Yields:
        The function's name, its values by place, its values by name.

    Raises:
        ValueError: it is no Python, or not made of calls with literal values.
    """
    if len(text) > MAX_REPAIR_CHARS:
        raise ValueError("it is too long to be read as Python")
    try:
        tree = ast.parse(text.strip())
    except (SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError("it is no Python") from error
    for line in tree.body:
        yield _python_call(line)


def _python_call(line: ast.stmt) -> tuple[str, list[Any], dict[str, Any]]:
    node = line.value if isinstance(line, ast.Expr | ast.Assign) else None
    while isinstance(node, ast.Call) and _function(node) == "print" and len(node.args) == 1:
        node = node.args[0]
    if not isinstance(node, ast.Call) or not _function(node):
        raise ValueError("it is not made of calls")
    try:
        by_place = [ast.literal_eval(value) for value in node.args]
        by_name = {pair.arg: ast.literal_eval(pair.value) for pair in node.keywords if pair.arg}
        json_text.write([by_place, by_name])
    except (TypeError, RecursionError) as error:
        raise ValueError("its values are no JSON") from error
    return _function(node), by_place, by_name


def _function(node: ast.Call) -> str:
    """The dotted name that is called; empty if it is something else."""
    steps: list[str] = []
    found = node.func
    while isinstance(found, ast.Attribute):
        steps.insert(0, found.attr)
        found = found.value
    return ".".join([found.id, *steps]) if isinstance(found, ast.Name) else ""


def placed(tool: Tool, by_place: list[Any], by_name: dict[str, Any]) -> dict[str, Any]:
    """Values given by place, under the names that the tool's schema has in that place.

    Raises:
        ValueError: there are more values than names.
    """
    named = [CUSTOM_KEY] if tool.kind == "custom" else list(properties(tool.schema))
    if len(by_place) > len(named):
        raise ValueError("it has more values than the tool has parameters")
    return {**dict(zip(named, by_place, strict=False)), **by_name}
