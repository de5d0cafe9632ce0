"""Usage in a real browser: figures and rows appear, an answer is stopped, rows become files."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.live.browser import PASSWORD, Complaints, faults, logged_in
from tests.live.conftest import Live, Simulator, serving

HOSTILE = "=cmd()<img src=x onerror=\"document.title='hacked'\">"
DEMO = {"Authorization": "Bearer demo"}


@pytest.fixture(scope="module")
def site(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A poeflask with an admin page and the example key."""
    folder = tmp_path_factory.mktemp("usage")
    with serving(
        simulator,
        folder,
        POEFLASK_SIMULATOR="on",
        ADMIN_PASSWORD=PASSWORD,
        POEFLASK_HEARTBEAT_S="1",
    ) as served:
        yield served


@pytest.fixture(scope="module")
def entered(site: Live, browser: Browser) -> Iterator[BrowserContext]:
    """A browser that is logged in."""
    context = logged_in(browser, site, locale="en-GB")
    yield context
    context.close()


@pytest.fixture
def page(entered: BrowserContext) -> Iterator[Page]:
    """A fresh page, whose console says nothing against it."""
    heard = Complaints()
    made = entered.new_page()
    heard.hear(made)
    yield made
    made.close()

    assert [] == heard


def ask(site: Live, model: str, **more: Any) -> requests.Response:
    """An answer to the example key."""
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], **more}
    return requests.post(f"{site.url}/v1/chat/completions", headers=DEMO, json=body, timeout=60)


class Asking(threading.Thread):
    """Somebody who reads a long answer; `text` is what came, when it is over."""

    def __init__(self, site: Live) -> None:
        super().__init__(daemon=True)
        self.site = site
        self.text = ""

    def run(self) -> None:
        """Read to the end."""
        self.text = ask(self.site, "Slow-Talker", stream=True, words=1000, interval_ms=100).text


def tile(page: Page, name: str) -> Any:
    """A number of the overview."""
    return page.locator(f'[data-tile="{name}"] b')


def test_an_empty_overview_tells_how_to_begin_and_then_shows_what_came(
    site: Live, page: Page
) -> None:
    """The numbers, the drawing, its table and the names appear without loading the page."""
    page.goto(f"{site.url}/admin/overview?period=1h")
    expect(page.locator("#curl")).to_contain_text("Bearer demo")
    assert 200 == ask(site, "Echo").status_code
    assert 200 == ask(site, "Echo").status_code
    assert 400 <= ask(site, HOSTILE).status_code
    expect(tile(page, "requests")).to_have_text("3")
    expect(tile(page, "errors")).to_have_text("33.3%")
    expect(page.locator("#start")).to_be_hidden()
    expect(page.locator('[data-busiest="models"] tbody th')).to_have_text(["Echo", HOSTILE])
    page.locator('[data-plot="requests"] summary').click()
    newest = page.locator('[data-plot="requests"] tbody td')

    assert 3 == sum(int(words) for words in newest.all_inner_texts())
    assert "hacked" not in page.title()
    assert 5 == page.locator(".drawing canvas").count()
    page.locator('[data-plot="requests"] .u-over').hover()
    expect(page.locator('[data-plot="requests"] .told')).to_contain_text("answered")


def test_the_period_is_chosen_by_keyboard_and_stays(site: Live, page: Page) -> None:
    """The address says it, so that it can be kept."""
    page.goto(f"{site.url}/admin/overview")
    page.get_by_role("button", name="30 days").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="30 days")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.get_by_role("button", name="30 days")).to_have_attribute("aria-pressed", "true")
    expect(tile(page, "requests")).to_have_text("3")


def test_rows_appear_and_one_is_looked_at(site: Live, page: Page) -> None:
    """The newest first; the list grows while it is looked at."""
    page.goto(f"{site.url}/admin/requests")
    rows = page.locator("#rows tbody tr")
    expect(rows).to_have_count(3)
    answer = ask(site, "Counter")
    expect(rows).to_have_count(4)
    expect(rows.first).to_contain_text("Counter")
    rows.first.locator("a").click()
    expect(page.locator("#request-id")).to_have_text(answer.headers["x-request-id"])
    expect(page.get_by_text("No text is kept")).to_be_visible()


def test_an_answer_is_stopped_by_the_button(site: Live, page: Page) -> None:
    """Its client reads the dialect's error, and the row says so."""
    page.goto(f"{site.url}/admin/overview")
    expect(page.get_by_text("No answer is being given")).to_be_visible()
    reading = Asking(site)
    reading.start()
    expect(page.locator("#live tbody tr")).to_have_count(1)
    expect(tile(page, "live")).to_have_text("1")
    page.get_by_role("button", name="Stop Slow-Talker for").press("Enter")
    expect(page.locator("#live tbody tr")).to_have_count(0)
    reading.join(10)
    last = [line for line in reading.text.splitlines() if line.startswith("data: {")][-1]

    assert "stopped" in json.loads(last.removeprefix("data: "))["error"]["message"]
    page.goto(f"{site.url}/admin/requests?outcome=stopped")
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    expect(page.locator("#rows tbody tr")).to_contain_text("Slow-Talker")


def test_all_answers_are_stopped_at_once(site: Live, page: Page) -> None:
    """By one button, which is there when there is more than one."""
    readers = [Asking(site), Asking(site)]
    for reading in readers:
        reading.start()
    page.goto(f"{site.url}/admin/overview")
    page.get_by_role("button", name="Stop all").click()
    for reading in readers:
        reading.join(10)

    assert ["stopped" in reading.text for reading in readers] == [True, True]
    expect(page.locator("#live tbody tr")).to_have_count(0)


def test_rows_become_files_that_run_nothing(site: Live, page: Page) -> None:
    """The rows of the filter, and no cell that begins like a formula."""
    page.goto(f"{site.url}/admin/requests")
    page.fill("#model", HOSTILE)
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    files = {}
    for form in ("CSV", "JSON"):
        with page.expect_download() as started:
            page.get_by_role("button", name=f"Export {form}").click()
        files[form] = started.value.path().read_text("utf-8")
    (row,) = csv.DictReader(io.StringIO(files["CSV"], newline=""))

    assert f"'{HOSTILE}" == row["asked"]
    assert HOSTILE == json.loads(files["JSON"])[0]["asked"]
    assert "hacked" not in page.title()


def test_texts_are_kept_only_when_that_is_switched_on(site: Live, page: Page) -> None:
    """With a warning; then they are read, and deleted."""
    page.goto(f"{site.url}/admin/requests")
    page.get_by_text("Record a key").click()
    expect(page.get_by_text("the texts of all prompts and answers")).to_be_visible()
    page.get_by_role("button", name="Record from now on").click()
    expect(page.get_by_role("status").filter(has_text="recorded from now on")).to_be_visible()
    ask(site, "Echo", messages=[{"role": "user", "content": f"Secret {HOSTILE}"}])
    page.goto(f"{site.url}/admin/requests?model=Echo")
    expect(page.locator("#rows tbody tr")).to_have_count(3)
    page.locator("#rows tbody a").first.click()
    expect(page.locator(".said").first).to_contain_text(f"Secret {HOSTILE}")
    page.goto(f"{site.url}/admin/requests")
    page.get_by_role("button", name="Stop recording").click()
    page.get_by_text("Delete the recordings of a key").click()
    page.get_by_role("button", name="Delete all of them").click()
    expect(page.get_by_text("The recordings of the key are deleted.")).to_be_visible()
    page.goto(f"{site.url}/admin/requests?model=Echo")
    page.locator("#rows tbody a").first.click()

    expect(page.locator(".said")).to_have_count(0)
    assert "hacked" not in page.title()


@pytest.mark.parametrize(("theme", "width"), [("light", 390), ("dark", 1280)])
def test_figures_and_rows_are_for_everybody(
    site: Live, entered: BrowserContext, theme: str, width: int
) -> None:
    """With figures in them too: contrast, names, order; and no page is wider than the screen."""
    page = entered.new_page()
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{site.url}/admin/overview")
    expect(page.locator('[data-busiest="models"] tbody a').first).to_be_visible()
    found, wide = faults(page), page.evaluate("document.documentElement.scrollWidth")
    page.goto(f"{site.url}/admin/requests")
    page.locator(".recording summary").first.click()
    found += faults(page)
    wide = max(wide, page.evaluate("document.documentElement.scrollWidth"))
    page.locator("#rows tbody a").first.click()
    expect(page.locator("#request-id")).to_be_visible()
    found += faults(page)
    page.close()

    assert [] == found
    assert wide <= width
