"""Gateway keys are issued, changed and revoked on a page that shows each key once."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest
from flask import Flask

from poeflask.core.gateway_key import GatewayKey
from poeflask.stores.base import StoreUnavailable
from poeflask.stores.gateway_keys import GatewayKeys
from poeflask.stores.memory import MemoryStore
from poeflask.stores.server_secret import SecretInStore
from poeflask.web.services import Services
from tests.admin.conftest import Visitor, app_with

HOSTILE = "<img src=x onerror=alert(1)>\"'{{7*7}}"
KEY = re.compile(r"pf-[0-9a-f]{12}-[0-9a-f]{48}")


def services_of(app: Flask) -> Services:
    """What the app's views work with."""
    made: Services = app.extensions["poeflask"]
    return made


def issued(admin: Visitor, **form: str) -> tuple[GatewayKey, str]:
    """Issue a key by the form; what is kept of it, and the key."""
    answer = admin.post("keys", name="Anna", **form)
    (text,) = set(KEY.findall(answer.text))
    found = services_of(admin.app).gateway_keys.find(text)
    assert found is not None
    return found, text


def test_a_key_is_issued_with_its_limits(admin: Visitor) -> None:
    """As the form says."""
    key, _ = issued(admin, models="Echo, @cheap", requests_per_minute="20", expiry="30d")

    assert ("Anna", ("Echo", "@cheap"), 20, False) == (
        key.name,
        key.models,
        key.limits.requests_per_minute,
        key.recorded,
    )
    assert key.expires_s is not None


def test_the_key_is_in_one_answer_alone(admin: Visitor) -> None:
    """It is kept by nobody on the way, and no page has it afterwards."""
    answer = admin.post("keys", name="Anna")
    (text,) = set(KEY.findall(answer.text))
    key_id = text.split("-")[1]
    pages = ("keys", "keys/rows", "keys/new", f"keys/{key_id}/edit")

    assert "no-store" == answer.headers["Cache-Control"]
    assert all(text not in admin.get(page).text for page in pages)
    assert f"pf-…{text[-4:]}" in admin.get("keys").text


def test_the_samples_have_the_key_and_a_model_that_it_may_ask(admin: Visitor) -> None:
    """So that they work as they are."""
    answer = admin.post("keys", name="Anna", models="Thinker")
    (text,) = set(KEY.findall(answer.text))
    lines = unescape(answer.text)

    assert f"export ANTHROPIC_AUTH_TOKEN={text}" in lines
    assert 'model="Thinker"' in lines


def test_a_fault_of_the_form_names_the_field(admin: Visitor) -> None:
    """In the reader's language; nothing is issued."""
    admin.client.set_cookie("poeflask-language", "zh-Hant")
    answer = admin.post("keys", name=" ")

    assert 422 == answer.status_code
    assert "name" == answer.json["error"]["field"]
    assert "名稱" in answer.json["error"]["message"]
    assert [] == services_of(admin.app).gateway_keys.all()


def test_a_key_is_changed_and_keeps_its_end(admin: Visitor) -> None:
    """What is emptied is taken away."""
    key, text = issued(admin, expiry="30d", concurrent="3")
    answer = admin.post(f"keys/{key.id}", name="Berta", expiry="keep", tokens_per_day="5,000")
    now = services_of(admin.app).gateway_keys.find(text)
    edit = admin.get(f"keys/{key.id}/edit").text

    assert 204 == answer.status_code
    assert now is not None
    assert ("Berta", key.expires_s) == (now.name, now.expires_s)
    assert (None, 5000) == (now.limits.concurrent, now.limits.tokens_per_day)
    assert 'value="Berta"' in edit
    assert 'value="5000"' in edit


def test_a_wrong_change_changes_nothing(admin: Visitor) -> None:
    """The answer says why."""
    key, _ = issued(admin)

    assert 422 == admin.post(f"keys/{key.id}", name="x" * 101).status_code
    assert "Anna" in admin.get("keys/rows").text


def test_a_key_is_switched_off_and_on(admin: Visitor) -> None:
    """The row tells, and offers the other."""
    key, _ = issued(admin)
    admin.post(f"keys/{key.id}/disable")
    off = admin.get("keys/rows").text
    admin.post(f"keys/{key.id}/enable")
    on = admin.get("keys/rows").text

    assert ('data-act="enable"' in off, 'data-act="disable"' in off) == (True, False)
    assert ('data-act="enable"' in on, 'data-act="disable"' in on) == (False, True)


def test_a_rotated_key_is_shown_once_and_ends_the_old_one(admin: Visitor) -> None:
    """All else stays."""
    key, old = issued(admin, concurrent="3")
    (new,) = set(KEY.findall(admin.post(f"keys/{key.id}/rotate").text))
    keys = services_of(admin.app).gateway_keys

    assert keys.find(old) is None
    assert replace(key, last4=new[-4:]) == keys.find(new)


def test_a_revoked_key_is_gone(admin: Visitor) -> None:
    """To revoke it again is no fault."""
    key, text = issued(admin)

    assert [204, 204] == [admin.post(f"keys/{key.id}/revoke").status_code for _ in range(2)]
    assert services_of(admin.app).gateway_keys.find(text) is None
    assert "No keys yet" in admin.get("keys").text


@pytest.mark.parametrize("path", ["", "/disable", "/enable", "/rotate"])
def test_what_is_not_there_cannot_be_changed(admin: Visitor, path: str) -> None:
    """Whatever stands in the address."""
    assert 404 == admin.post(f"keys/0123456789ab{path}", name="Anna").status_code
    assert 404 == admin.get("keys/0123456789ab/edit").status_code


def test_hostile_names_are_text(admin: Visitor) -> None:
    """In the table, in the form, and where the key is shown."""
    answer = admin.post("keys", name=HOSTILE, models=HOSTILE)
    (text,) = set(KEY.findall(answer.text))
    pages = [answer.text, *(admin.get(f"keys{path}").text for path in ("", f"/{text[3:15]}/edit"))]

    assert all("<img src=x" not in page for page in pages)
    assert all("&lt;img src=x onerror=alert(1)&gt;" in page for page in pages)
    assert all("{{7*7}}" in page for page in pages)


def test_what_is_used_shows_as_a_bar(admin: Visitor) -> None:
    """As soon as it is counted."""
    _, text = issued(admin, requests_per_minute="4")
    admin.client.post(
        "/v1/chat/completions",
        json={"model": "Echo", "messages": [{"role": "user", "content": "Hello"}]},
        headers={"Authorization": f"Bearer {text}"},
    )
    rows = admin.get("keys/rows").text

    assert "1 of 4" in rows
    assert '<progress value="0.25" max="1" aria-label="Requests a minute">' in rows


def test_recording_is_told(admin: Visitor) -> None:
    """Where it is switched on, and where it can never be."""
    key, _ = issued(admin, recorded="on")
    issued(admin)
    services_of(admin.app).metering.recordings.switch(key.id, on=True)
    rows = admin.get("keys/rows").text

    assert (1, 1) == (rows.count("being recorded"), rows.count("never recorded"))


def test_models_are_suggested(admin: Visitor) -> None:
    """The bots that gateway keys can ask, and groups."""
    file = services_of(admin.app).models_file
    file.write("groups:\n  cheap: [Echo]\n")
    names = re.findall(r'value="([^"]*)"', admin.get("keys/models").text)

    assert "@cheap" == names[0]
    assert "Echo" in names


@pytest.mark.parametrize(
    ("settings", "warning"),
    [
        ({"simulator": "off"}, "There is no Poe key that pays"),
        ({"simulator": "on"}, "the simulator answers keys issued here"),
        ({"keys": "passthrough"}, "POEFLASK_KEYS is passthrough"),
        ({}, "POEFLASK_STORE_URL is memory"),
    ],
)
def test_the_page_says_why_keys_may_be_of_no_use(settings: dict[str, str], warning: str) -> None:
    """Before somebody issues one in vain."""
    assert warning in Visitor(app_with(**settings)).log_in().get("keys").text


class Away(MemoryStore):
    """A store that cannot be reached."""

    def items(self, prefix: str, *, after: str = "", limit: int) -> list[tuple[str, bytes]]:
        """Never."""
        raise StoreUnavailable("away")


def test_without_its_records_the_page_says_so(admin: Visitor) -> None:
    """It neither fails nor looks as if there were no keys."""
    store = Away()
    away = GatewayKeys(store, SecretInStore(store))
    admin.app.extensions["poeflask"] = replace(services_of(admin.app), gateway_keys=away)
    answer = admin.get("keys")

    assert 200 == answer.status_code
    assert "cannot reach its own records" in answer.text
    assert "No keys yet" not in answer.text
