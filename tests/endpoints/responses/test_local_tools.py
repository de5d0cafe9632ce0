"""Tools that the client runs."""

from __future__ import annotations

import pytest

from poeflask.core.prompt import Tool
from poeflask.endpoints.responses.local_tools import BY_CALL, BY_NAME, BY_RESULT, LocalTool


@pytest.mark.parametrize("tool", BY_NAME.values(), ids=lambda tool: tool.name)
def test_a_bot_sees_a_function_with_the_actions_fields(tool: LocalTool) -> None:
    """What must be there is among what is described."""
    function = tool.as_function()

    assert isinstance(function, Tool)
    assert (tool.name, "function") == (function.name, function.kind)
    assert set(tool.schema["required"]) <= set(tool.schema["properties"])


def test_each_is_found_by_its_call_and_its_result() -> None:
    """A conversation that is sent back holds both."""
    assert len(BY_NAME) == len(BY_CALL) == len(BY_RESULT)
    assert {"shell_call", "local_shell_call", "apply_patch_call"} == set(BY_CALL)
    assert all(BY_CALL[name.removesuffix("_output")] is BY_RESULT[name] for name in BY_RESULT)
