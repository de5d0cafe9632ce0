"""What is offered for copying does what it says, whatever a model is called."""

from __future__ import annotations

import ast
import json
import shlex

import pytest

from poeflask.admin.key_samples import samples

BASE = "https://poe.example/bridge"
KEY = "pf-0123456789ab-" + "0" * 48
HOSTILE = 'it\'s "x" $(touch /tmp/x) `y` \\ ; é\u2028'


@pytest.mark.parametrize("model", ["Echo", HOSTILE])
def test_samples_are_words_of_their_language(model: str) -> None:
    """The shell and Python read the same address, key and model out of them."""
    text = {sample.name: sample.text for sample in samples(BASE, KEY, model)}
    curl = shlex.split(text["curl"].replace("\\\n", " "))
    tree = ast.parse(text["python"])
    strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    claude = shlex.split(text["claude-code"])

    assert f"{BASE}/v1/chat/completions" == curl[1]
    assert f"Authorization: Bearer {KEY}" in curl
    assert model == json.loads(curl[-1])["model"]
    assert {f"{BASE}/v1", KEY, model} <= strings
    assert [
        *("export", f"ANTHROPIC_BASE_URL={BASE}", "export", f"ANTHROPIC_AUTH_TOKEN={KEY}"),
        *("claude", "--model", model),
    ] == claude
    assert [f"OPENAI_BASE_URL={BASE}/v1", f"OPENAI_API_KEY={KEY}"] == shlex.split(
        text["environment"]
    )
