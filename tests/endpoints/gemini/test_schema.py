"""The envelopes of Gemini's requests, in camel case and in snake case."""

from __future__ import annotations

from poeflask.endpoints.gemini.schema import (
    COUNT_ENVELOPE,
    GENERATE_ENVELOPE,
    camel,
    camel_request,
)
from poeflask.endpoints.shapes import read_envelope
from tests.endpoints.gemini.bad_requests import GOOD


def test_nulls_and_fields_of_tomorrow_do_no_harm():
    """An optional field that is null was not sent; an unknown one is not ours."""
    sent = {**GOOD, "tools": None, "generationConfig": None, "warp": {"x": 1}}

    assert GOOD == read_envelope(GENERATE_ENVELOPE, sent)


def test_numbers_may_be_written_with_a_point():
    """Google's own client writes topK so."""
    sent = {**GOOD, "generationConfig": {"topK": 40.0, "maxOutputTokens": 9.0}}

    got = read_envelope(GENERATE_ENVELOPE, sent)["generation_config"]
    assert {"top_k": 40, "max_output_tokens": 9} == got


def test_every_field_is_known_in_snake_case_too():
    """Google's servers take both, and its examples mix them."""
    snake = {
        "system_instruction": {"parts": []},
        "generation_config": {"top_p": 0.5, "thinking_config": {"thinking_budget": 5}},
        "tool_config": {"function_calling_config": {"allowed_function_names": ["f_g"]}},
    }

    assert {
        "systemInstruction": {"parts": []},
        "generationConfig": {"topP": 0.5, "thinkingConfig": {"thinkingBudget": 5}},
        "toolConfig": {"functionCallingConfig": {"allowedFunctionNames": ["f_g"]}},
    } == camel_request(snake)


def test_names_that_are_the_client_s_own_stay():
    """Only the fields of one object are renamed, and only if it is one."""
    assert {"aB": {"c_d": 1}} == camel({"a_b": {"c_d": 1}})
    assert {"responseSchema": {"properties": {"my_name": {}}}} == camel(
        {"response_schema": {"properties": {"my_name": {}}}}
    )
    assert [[1], "a_b", None] == [camel([1]), camel("a_b"), camel(None)]


def test_a_count_holds_contents_or_a_request():
    """Whichever the client sends."""
    inside = {"generate_content_request": GOOD}

    assert GOOD == read_envelope(COUNT_ENVELOPE, GOOD)
    assert inside == read_envelope(COUNT_ENVELOPE, camel(inside))
