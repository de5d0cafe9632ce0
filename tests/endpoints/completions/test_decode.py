"""Completion requests become Prompts that ask a bot to go on with a text."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.core.prompt import Limits, Message, Sampling, Text
from poeflask.endpoints.completions.decode import INSTRUCTION, CompletionRequest, decode

GOOD = {"model": "Echo", "prompt": "Once upon a"}


def decoded(**fields: Any) -> CompletionRequest:
    """A good request with these fields, read."""
    return decode({**GOOD, **fields})


def test_a_text_becomes_a_users_message_behind_the_instruction():
    """The bot is told to complete; the text itself is not touched."""
    asked = decoded(prompt=" Once\n ")

    assert (
        Message("system", (Text(INSTRUCTION),)),
        Message("user", (Text(" Once\n "),)),
    ) == asked.prompts[0].messages
    assert ("Echo", "Echo", 1) == (asked.model, asked.prompts[0].bot, asked.n)
    assert not asked.prompts[0].skip_system_prompt


def test_each_text_of_a_list_is_a_prompt_of_its_own():
    """Their order is kept."""
    asked = decoded(prompt=["a", "b", "c"], n=2)

    assert ("a", "b", "c") == asked.texts
    assert ["a", "b", "c"] == [prompt.messages[-1].text for prompt in asked.prompts]


def test_a_suffix_is_part_of_the_instruction():
    """The bot reads what comes behind, as text that it must not repeat."""
    system = decoded(suffix="  the end {0}").prompts[0].messages[0]

    assert system.text.startswith(INSTRUCTION)
    assert "\n-----\n  the end {0}\n-----" in system.text


@pytest.mark.parametrize(
    ("prompt", "param", "word"),
    [
        (None, "prompt", "missing"),
        (7, "prompt", "a number"),
        ({"text": "x"}, "prompt", "an object"),
        ([], "prompt", "at least 1"),
        ("", "prompt", "no text"),
        (" \n", "prompt", "no text"),
        (["a", ""], "prompt[1]", "no text"),
        (["a", {}], "prompt[1]", "an object"),
        ([1, 2, 3], "prompt", "token ids"),
        ([[1, 2], [3]], "prompt", "token ids"),
        (["a", [3]], "prompt", "token ids"),
        (list(range(5000)), "prompt", "token ids"),
        (["a"] * 33, "prompt", "at most 32"),
    ],
)
def test_a_prompt_that_is_no_text_is_refused(prompt: Any, param: str, word: str):
    """The error names the place and says what would be right."""
    with pytest.raises(ClientError) as caught:
        decoded(prompt=prompt)

    assert (ErrorKind.INVALID_REQUEST, param) == (caught.value.kind, caught.value.param)
    assert word in caught.value.message


def test_prompts_times_choices_are_bounded():
    """Each is a question that is paid for."""
    with pytest.raises(ClientError) as caught:
        decoded(prompt=["a"] * 5, n=7)

    assert "n" == caught.value.param
    assert 32 == len(decoded(prompt=["a"] * 4, n=8).prompts) * 8


@pytest.mark.parametrize("logprobs", [0, 1, 5, True, "yes"])
def test_probabilities_are_refused_as_what_cannot_be_given(logprobs: Any):
    """A client would read them, so silence would be a lie."""
    with pytest.raises(ClientError) as caught:
        decoded(logprobs=logprobs)

    assert ErrorKind.UNSUPPORTED_PARAMETER == caught.value.kind
    assert "logprobs" == caught.value.param


@pytest.mark.parametrize("logprobs", [None, False])
def test_asking_for_no_probabilities_is_fine(logprobs: Any):
    """Null and false are what clients send for "none"."""
    assert decoded() == decoded(logprobs=logprobs)


def test_the_best_of_more_is_the_first_of_those_asked_for():
    """Nothing here can judge answers, so no more are paid for, and the header says so."""
    assert ("best_of",) == decoded(n=2, best_of=4).ignored
    assert () == decoded(n=2, best_of=2).ignored
    with pytest.raises(ClientError, match="at least 'n', which is 3"):
        decoded(n=3, best_of=2)


def test_sampling_and_limits_reach_the_prompt():
    """An empty stop text, which would end everything, is dropped."""
    prompt = decoded(temperature=0.5, top_p=1, seed=3, max_tokens=9, stop=["", "x"]).prompts[0]

    assert Sampling(temperature=0.5, top_p=1, seed=3) == prompt.sampling
    assert Limits(max_tokens=9, stop=("x",)) == prompt.limits


def test_unknown_fields_are_kept_for_the_bot_or_named():
    """Plain ones may be the bot's own parameters."""
    asked = decoded(quality="high", strange=[1], poe={"aspect": "1:1"})

    assert {"quality": "high"} == asked.extras
    assert ("strange",) == asked.ignored
    assert {"aspect": "1:1"} == asked.prompts[0].parameters


def test_the_setting_may_silence_every_persona():
    """By itself it stays, since the client brought no system message."""
    assert decode(GOOD, skip_system_prompt="always").prompts[0].skip_system_prompt
    assert not decode(GOOD, skip_system_prompt="never").prompts[0].skip_system_prompt


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, st.sampled_from(["prompt", "n", "best_of", "stop", "suffix", "stream_options", "zzz"]))
def test_whatever_comes_is_read_or_refused(value: Any, field: str):
    """No value of any field breaks the reading."""
    with suppress(ClientError):
        asked = decoded(**{field: value})

        assert 1 <= len(asked.prompts) * asked.n <= 32
