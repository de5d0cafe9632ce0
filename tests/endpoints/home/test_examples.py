"""The examples on the front page."""

from __future__ import annotations

import ast
import json
import re
import shlex

import pytest

from poeflask.endpoints.home.examples import examples

ADDRESS = "https://bridge.example"


def by_title(key: str) -> dict[str, str]:
    """The texts of all examples."""
    return {example.title: example.text for example in examples(ADDRESS, key)}


@pytest.mark.parametrize("key", ["", "demo"])
def test_each_names_the_address_and_a_key(key: str) -> None:
    """The one that works here, or the place where the reader's own belongs."""
    for text in by_title(key).values():
        assert f"{ADDRESS}/v1" in text
        assert (key or "$POE_API_KEY") in text
        assert "{{" not in text


def test_the_demo_asks_a_bot_that_the_simulator_has() -> None:
    """Claude is no bot of the simulator, Echo none of Poe."""
    assert all("Echo" in text for text in by_title("demo").values())
    assert all("Claude" in text for text in by_title("").values())


def test_the_command_is_one_that_a_shell_reads() -> None:
    """Its body is JSON."""
    words = shlex.split(by_title("demo")["curl"].replace("\\\n", " "))
    body = json.loads(words[words.index("-d") + 1])

    assert "curl" == words[0]
    assert (True, "Echo") == (body["stream"], body["model"])


def test_the_python_is_python() -> None:
    """It can be compiled as it stands."""
    assert ast.parse(by_title("demo")["Python"]).body


def test_the_javascript_closes_what_it_opens() -> None:
    """As many brackets of each kind open as close."""
    marks = re.sub(r"[^(){}\[\]]", "", by_title("demo")["JavaScript"])
    while (fewer := re.sub(r"\(\)|\{\}|\[\]", "", marks)) != marks:
        marks = fewer

    assert "" == marks
