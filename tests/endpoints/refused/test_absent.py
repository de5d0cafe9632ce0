"""What is not offered is refused with a sentence that helps."""

from __future__ import annotations

import pytest

from poeflask.core.dialect import anthropic_error, openai_error
from poeflask.endpoints.refused.absent import ABSENT, refusal


@pytest.mark.parametrize("name", [*ABSENT])
def test_a_refusal_helps(name: str):
    """501, no other try, and whole sentences that name the API."""
    form = openai_error(refusal(name), "req_1")
    error = form.body["error"]

    assert (501, "false") == (form.status, form.headers["x-should-retry"])
    assert ("server_error", "not_offered") == (error["type"], error["code"])
    assert error["message"].startswith(f"/v1/{name} is not offered here. ")
    assert error["message"].endswith(".")


def test_anthropic_says_it_too():
    """In its own shape."""
    form = anthropic_error(refusal("messages/batches"), "req_1")

    assert (501, "api_error") == (form.status, form.body["error"]["type"])
