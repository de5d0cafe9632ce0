"""Which family of APIs a request speaks."""

from __future__ import annotations

import pytest
from flask import Flask, request

from poeflask.web.family import speaks_anthropic

VERSION = {"anthropic-version": "2023-06-01"}


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/v1/messages", {}, True),
        ("/v1/messages/count_tokens", {}, True),
        ("/v1/messages/batches/none", {}, True),
        ("/v1/messages-of-others", {}, False),
        ("/v1/models", {}, False),
        ("/v1/models", VERSION, True),
        ("/nowhere", VERSION, True),
        ("/v1/chat/completions", {}, False),
    ],
)
def test_path_or_header_tell_the_family(path: str, headers: dict[str, str], expected: bool):
    """Anthropic's own paths, whether or not there is a route, and its header anywhere."""
    with Flask("test").test_request_context(path, headers=headers):
        assert expected == speaks_anthropic(request)
