"""What is not offered is refused with a sentence that helps."""

from __future__ import annotations

import pytest

from poeflask.core.dialect import anthropic_error, openai_error
from poeflask.endpoints.refused.absent import ANTHROPIC, OPENAI, refusal


@pytest.mark.parametrize("name", [*OPENAI])
def test_openais_own_words(name: str):
    """501, no other try, and whole sentences that name the API."""
    form = openai_error(refusal(name, OPENAI), "req_1")
    error = form.body["error"]

    assert (501, "false") == (form.status, form.headers["x-should-retry"])
    assert ("server_error", "not_offered") == (error["type"], error["code"])
    assert error["message"].startswith(f"/v1/{name} is not offered here. ")
    assert error["message"].endswith(".")


@pytest.mark.parametrize("name", [*ANTHROPIC])
def test_anthropics_own_words(name: str):
    """The same in the other shape."""
    form = anthropic_error(refusal(name, ANTHROPIC), "req_1")

    assert (501, "api_error") == (form.status, form.body["error"]["type"])
