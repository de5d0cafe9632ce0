"""The pages for keys in a real browser, before two workers: issued, used, seen, and taken back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
import requests
from openai import OpenAI
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.live.browser import PASSWORD, Complaints, faults, logged_in
from tests.live.conftest import Live, Simulator, serving

HOSTILE = "<img src=x onerror=\"document.title='hacked'\"> {{7*7}} 王"
HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def site(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Two workers whose owner has one Poe key that works and one that has no points."""
    folder = tmp_path_factory.mktemp("admin-keys")
    with serving(
        simulator,
        folder,
        workers=2,
        ADMIN_PASSWORD=PASSWORD,
        POE_API_KEYS="home:the-key-that-pays-for-pages, empty:no-points",
    ) as served:
        yield served


@pytest.fixture(scope="module")
def entered(site: Live, browser: Browser) -> Iterator[BrowserContext]:
    """A browser that is logged in."""
    context = logged_in(browser, site)
    yield context
    context.close()


@pytest.fixture
def page(site: Live, entered: BrowserContext) -> Iterator[Page]:
    """The page of keys; nothing fails on it, and nothing is tried that its policy forbids."""
    heard = Complaints()
    made = entered.new_page()
    heard.hear(made)
    made.goto(f"{site.url}/admin/keys")
    yield made
    made.close()

    # The browser itself tells of each form that is refused.
    assert [] == [said for said in heard if "422" not in said]


def issue(page: Page, name: str, **fields: str) -> str:
    """Issue a key by the keyboard; the key, and the dialog that shows it stays open."""
    page.locator("#issue").press("Enter")
    expect(page.locator("#key-name")).to_be_focused()
    page.keyboard.insert_text(name)
    for field, value in fields.items():
        page.fill(f"#{field}", value)
    page.press("#key-name", "Enter")
    return page.locator("#new-key").inner_text()


def ask(site: Live, key: str) -> int:
    """The status of a question on a connection of its own, so that any worker may answer."""
    return requests.post(
        f"{site.url}/v1/chat/completions",
        headers={"Authorization": f"Bearer {key}", "Connection": "close"},
        json={"model": "Echo", "messages": HELLO},
        timeout=20,
    ).status_code


def test_a_key_is_issued_used_seen_and_revoked(page: Page, site: Live) -> None:
    """It is shown once, works at once, is seen spent, and ends in all workers within 2 seconds."""
    key = issue(page, "Anna", requests_per_minute="4", tokens_per_day="5,000")
    page.locator(".secret [data-copy]").click()
    expect(page.locator(".secret [data-copy]")).to_have_text("Copied")
    assert key == page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("button", name="Claude Code").click()
    expect(page.locator("#sample-claude-code")).to_contain_text(f"ANTHROPIC_AUTH_TOKEN={key}")
    page.get_by_role("button", name="Done").click()
    with OpenAI(base_url=f"{site.url}/v1", api_key=key, max_retries=0, timeout=20) as client:
        said = client.chat.completions.create(model="Echo", messages=HELLO)
        assert "Hello" in (said.choices[0].message.content or "")
        anna = page.locator("tbody tr").filter(has_text="Anna")
        deadline = time.monotonic() + 10
        while "Used just now" not in anna.inner_text():
            assert time.monotonic() < deadline
            page.reload()
        expect(anna).to_contain_text("1 of 4")
        expect(anna).to_contain_text("Used just now")
        assert 200 == ask(site, key)
        anna.get_by_role("button", name="Revoke Anna").press("Enter")
        expect(page.locator("#confirm")).to_contain_text("Anna")
        page.locator("#confirmed").press("Enter")
        expect(page.locator(".keys-empty")).to_be_visible()
        time.sleep(2)
        with pytest.raises(openai.AuthenticationError):
            client.chat.completions.create(model="Echo", messages=HELLO)

    assert {401} == {ask(site, key) for _ in range(12)}


def test_the_key_is_nowhere_afterwards(page: Page, site: Live) -> None:
    """Neither in the page, nor when it is loaded again or gone back to, nor in a log."""
    key = issue(page, "Once")
    page.keyboard.press("Escape")
    closed = page.content()
    page.reload()
    reloaded = page.content()
    page.goto(f"{site.url}/admin/settings")
    page.go_back()
    back = page.content()
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, history.state])")

    assert key.startswith("pf-")
    assert "Once" in back
    assert not any(key in text for text in (closed, reloaded, back, kept, page.url))
    assert key not in site.log.read_text()


def test_hostile_names_are_text(page: Page) -> None:
    """In the dialog, in the table, and where the reader is asked to be sure; also a model's."""
    page.click("#issue")
    page.fill("#key-name", HOSTILE)
    page.fill("#models", HOSTILE)
    page.press("#models", "Enter")
    expect(page.locator("#chosen span")).to_have_text(HOSTILE)
    page.press("#key-name", "Enter")
    expect(page.locator("#shown b")).to_have_text(HOSTILE)
    page.get_by_role("button", name="Done").click()
    hostile = page.locator("tbody tr").filter(has_text=HOSTILE)
    expect(hostile.locator(".chips li")).to_have_text(HOSTILE)
    hostile.locator("[data-act=rotate]").click()
    expect(page.locator("#confirm-name")).to_have_text(HOSTILE)
    page.get_by_role("button", name="Cancel").click()

    assert "hacked" not in page.title()
    assert 0 == page.locator("main img, dialog img").count()


def test_a_key_is_edited_switched_off_and_replaced(page: Page, site: Live) -> None:
    """A fault leads to its field; the old text ends, the limits stay."""
    old = issue(page, "Agent", concurrent="3")
    page.get_by_role("button", name="Done").click()
    agent = page.locator("tbody tr").filter(has_text="Agent")
    agent.get_by_role("button", name="Edit Agent").click()
    page.fill("#concurrent", "many")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[data-fault]")).to_contain_text("whole number")
    expect(page.locator("#concurrent")).to_be_focused()
    page.fill("#concurrent", "5")
    page.get_by_role("button", name="Save").click()
    expect(agent).to_contain_text("Answers at a time: 5")
    agent.get_by_role("button", name="Disable Agent").press("Enter")
    expect(agent).to_contain_text("disabled")
    expect(agent.get_by_role("button", name="Enable Agent")).to_be_focused()
    page.keyboard.press("Enter")
    expect(agent).to_contain_text("works")
    agent.locator("[data-act=rotate]").click()
    page.locator("#confirmed").click()
    new = page.locator("#new-key").inner_text()
    time.sleep(2)

    assert (401, 200) == (ask(site, old), ask(site, new))


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_every_dialog_is_for_everybody(page: Page, theme: str, width: int) -> None:
    """Contrast, names, roles, order; and nothing is wider than the screen."""
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 800})
    found = {}
    page.click("#issue")
    page.get_by_role("button", name="Family").click()
    expect(page.locator("#requests_per_minute")).to_have_value("20")
    page.fill("#key-name", "Everybody")
    page.fill("#models", "Echo")
    page.click("#add-model")
    found["form"] = faults(page)
    page.get_by_role("dialog").get_by_role("button", name="Issue a key").click()
    expect(page.locator("#new-key")).to_be_visible()
    found["shown"] = faults(page)
    page.get_by_role("button", name="Done").click()
    found["table"] = faults(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.locator("[data-act=revoke]").first.click()
    found["confirm"] = faults(page)
    page.locator("#confirmed").click()
    expect(page.get_by_role("dialog")).to_have_count(0)

    assert width >= wide
    assert {name: [] for name in found} == found


def test_points_of_poe_keys_follow_the_page(page: Page, site: Live) -> None:
    """Asked for while the page can be read already; both themes pass, and no key is in it."""
    page.goto(f"{site.url}/admin/poe-keys")
    rows = page.locator("tbody tr")
    expect(rows.filter(has_text="home").locator(".points b")).to_contain_text(",")
    expect(rows.filter(has_text="empty").locator(".points b")).to_have_text("0")
    found = {}
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        found[theme] = faults(page)

    assert {"light": [], "dark": []} == found
    assert "the-key-that-pays" not in page.content()
    assert "the-key-that-pays" not in Path(site.log).read_text()
