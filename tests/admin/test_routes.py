"""Errors under /admin are pages for people and JSON for scripts."""

from __future__ import annotations

import pytest

from tests.admin.conftest import ORIGIN, Visitor

HOSTILE = "<script>alert(1)</script>"


def test_what_is_nowhere_is_a_page(admin: Visitor) -> None:
    """With the way back, and the request's id in the header."""
    response = admin.get(f"nowhere/{HOSTILE}")

    assert 404 == response.status_code
    assert "There is nothing at this address." in response.text
    assert 'href="/admin/"' in response.text
    assert HOSTILE not in response.text
    assert response.headers["x-request-id"]


def test_a_script_reads_errors_as_json(admin: Visitor) -> None:
    """As everywhere else here."""
    response = admin.get("nowhere", headers={"Accept": "application/json"})

    assert 404 == response.status_code
    assert "There is nothing at this address." == response.json["error"]["message"]


def test_an_error_is_told_in_the_readers_language(admin: Visitor) -> None:
    """Like every other text."""
    response = admin.get("nowhere", headers={"Accept-Language": "zh-CN"})

    assert "此地址没有内容。" in response.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_page_does_not_take_every_method(admin: Visitor, method: str) -> None:
    """What a page does not do is nowhere."""
    response = admin.client.open(
        "/admin/settings",
        method=method,
        headers={"Origin": ORIGIN, "X-CSRF-Token": admin.csrf},
    )

    assert 404 == response.status_code


def test_a_form_that_is_too_large_is_refused(admin: Visitor) -> None:
    """Before it fills the memory."""
    response = admin.post("settings/password", current="x" * 600_000)

    assert 413 == response.status_code
    assert "Content-Security-Policy" in response.headers
