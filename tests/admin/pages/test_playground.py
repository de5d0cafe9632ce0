"""The playground's own part on this side: the page, and files that bots gave."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from poeflask.admin.pages.playground import KEY_NAME, KEY_S
from poeflask.setting_values import KeyOfPoe
from poeflask.web.services import services
from tests.admin.conftest import Visitor, app_with

SVG = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


def link_of(admin: Visitor, model: str) -> str:
    """The link to what a bot of the simulator makes."""
    answer = admin.client.post(
        "/v1/chat/completions",
        json={"model": model, "messages": [{"role": "user", "content": "a boat"}]},
        headers={"Authorization": "Bearer demo"},
    )
    found = re.search(r"\((http[^)]+)\)", answer.json["choices"][0]["message"]["content"])
    assert found is not None
    return found[1]


def test_the_page_offers_the_example_key_where_it_works(admin: Visitor) -> None:
    """And no other key, whatever keys are set here."""
    without = Visitor(app_with(simulator="off", local_key="key-canary")).log_in()

    assert 'data-example-key="demo"' in admin.get("playground").text
    assert 'data-example-key=""' in without.get("playground").text
    assert "canary" not in without.get("playground").text


def test_code_to_copy_names_the_address_that_the_browser_uses(admin: Visitor) -> None:
    """Behind a proxy it is the proxy's."""
    text = admin.get("playground").text

    assert 'data-base="http://localhost"' in text


PAYS = (KeyOfPoe("home", "a-key", 1),)


def test_a_key_is_made_for_the_page() -> None:
    """It opens the API for a day; those of before that have ended are forgotten."""
    owner = Visitor(app_with(poe_api_keys=PAYS)).log_in()
    with owner.app.app_context():
        keys = services().gateway_keys
    ended, _ = keys.issue({"name": KEY_NAME, "expires_s": 1.0})
    other, _ = keys.issue({"name": "Ann", "expires_s": 1.0})
    made = owner.post("playground/key")
    known = keys.find(made.text)

    assert (200, "text/plain") == (made.status_code, made.mimetype)
    assert known is not None
    assert KEY_NAME == known.name
    assert KEY_S == pytest.approx(known.expires_s - known.created_s, abs=5)
    assert {other.id, known.id} == {key.id for key in keys.all()}
    assert ended.id not in {key.id for key in keys.all()}


@pytest.mark.parametrize(
    ("chosen", "is_offered"),
    [
        ({"poe_api_keys": PAYS}, True),
        ({"poe_api_keys": PAYS, "keys": "keys"}, True),
        ({"poe_api_keys": PAYS, "keys": "passthrough"}, False),
        ({}, False),
    ],
)
def test_a_key_is_offered_where_it_would_open_something(
    chosen: dict[str, Any], is_offered: bool
) -> None:
    """Keys of this service must be taken, and somebody must pay."""
    page = Visitor(app_with(**chosen)).log_in().get("playground").text

    assert is_offered == ('id="make-key"' in page)


@pytest.mark.parametrize(
    ("model", "kind"), [("Painter", "image/"), ("Speaker", "audio/"), ("Film-Maker", "video/")]
)
def test_a_file_that_a_bot_gave_is_shown(admin: Visitor, model: str, kind: str) -> None:
    """By way of here, so that the page loads nothing from elsewhere; it can do nothing here."""
    url = link_of(admin, model)
    shown = admin.get("playground/file", query_string={"url": url, "example": "1"})

    assert 200 == shown.status_code
    assert shown.mimetype.startswith(kind)
    assert shown.data
    assert "default-src 'none'; sandbox" == shown.headers["Content-Security-Policy"]
    assert "private, max-age=3600" == shown.headers["Cache-Control"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://127.0.0.1:1/simulator/file",
        "http://169.254.169.254/latest/meta-data",
        "https://evil.example/picture.png",
        "file:///etc/passwd",
        "https://pfst.cf2.poecdn.net@evil.example/a.png",
        "x" * 5000,
    ],
)
@pytest.mark.parametrize("example", ["", "1"])
def test_nothing_else_is_fetched(admin: Visitor, url: str, example: str) -> None:
    """Neither from this network nor from the net."""
    shown = admin.get("playground/file", query_string={"url": url, "example": example})

    assert shown.status_code >= 400
    assert "Content-Security-Policy" in shown.headers


def test_the_simulators_files_are_for_those_whom_it_answers() -> None:
    """Where a key of Poe's pays, Poe is asked without the example key, and knows no such link."""
    owner = Visitor(app_with(simulator="on", poe_api_keys=PAYS)).log_in()
    url = link_of(owner, "Painter")
    example = owner.get("playground/file", query_string={"url": url, "example": "1"})

    assert urlsplit(url).hostname == "127.0.0.1"
    assert 200 == example.status_code
    assert owner.get("playground/file", query_string={"url": url}).status_code >= 400


def test_what_is_no_picture_sound_or_film_is_not_shown(admin: Visitor) -> None:
    """Such as a page of the simulator's that came as text."""
    parts = urlsplit(link_of(admin, "Painter"))
    url = f"{parts.scheme}://{parts.netloc}/v1/models"
    shown = admin.get("playground/file", query_string={"url": url, "example": "1"})

    assert 415 == shown.status_code
    assert "no picture, sound or film" in shown.text
