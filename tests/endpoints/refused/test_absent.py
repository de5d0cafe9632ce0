"""What is not offered is refused with a sentence that helps."""

from __future__ import annotations

import pytest

from poeflask.core.dialect import anthropic_error, google_error, openai_error
from poeflask.endpoints.refused.absent import (
    ABSENT,
    ABSENT_OF_GOOGLE,
    paths_of_google,
    refusal,
    refusal_of_google,
)


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


@pytest.mark.parametrize("name", [*ABSENT_OF_GOOGLE])
def test_google_is_told_in_its_shape(name: str):
    """With the code and status that its clients show."""
    form = google_error(refusal_of_google(name), "req_1")
    error = form.body["error"]

    assert (501, "UNIMPLEMENTED") == (error["code"], error["status"])
    assert error["message"].startswith(f"{name} is not offered here. ")
    assert error["message"].endswith(".")


def test_openai_s_files_are_offered():
    """Google's are not, wherever its clients send them."""
    paths = paths_of_google("files")

    assert "/v1/files" not in paths
    assert {"/v1beta/files", "/upload/v1/files"} <= {*paths}
    assert ("/v1beta/x", "/v1alpha/x", "/v1/x") == paths_of_google("x")
