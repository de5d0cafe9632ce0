"""The admin page in a real browser: from the setup link to an answer that is stopped."""

from __future__ import annotations

import ast
import base64
import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from poeflask.admin.routes import PAGES
from tests.live.browser import PASSWORD, WAIT_MS, Complaints, faults, window
from tests.live.conftest import ROOT, Live, Simulator, serving

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
HOSTILE = "<img src=x onerror=\"document.title='hacked'\"> <script>document.title='hacked'</script>"


@pytest.fixture(scope="module")
def site(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A poeflask with an admin page and the example key."""
    folder = tmp_path_factory.mktemp("admin")
    with serving(simulator, folder, POEFLASK_SIMULATOR="on") as served:
        yield served


@pytest.fixture(scope="module")
def entered(site: Live, browser: Browser) -> Iterator[BrowserContext]:
    """A browser that set the password by the link which the command prints."""
    environment = {"CONFIG_DIR": str(site.log.parent), "PORT": str(site.port)}
    command = [sys.executable, "-m", "poeflask", "admin", "reset"]
    said = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    (link,) = re.findall(r"http://\S+", said)
    context = window(browser)
    page = context.new_page()
    page.goto(link)
    expect(page.locator("#password")).to_be_focused()
    assert "#" not in page.url
    page.fill("#password", PASSWORD)
    page.fill("#again", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/admin/overview")
    assert link.partition("#")[2] not in site.log.read_text()
    page.close()
    yield context
    context.close()


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Empty at the end: nothing fails, and nothing is tried that the page's policy forbids."""
    heard = Complaints()
    yield heard

    assert [] == heard


@pytest.fixture
def playground(site: Live, entered: BrowserContext, complaints: Complaints) -> Iterator[Page]:
    """A fresh playground."""
    page = entered.new_page()
    complaints.hear(page)
    page.goto(f"{site.url}/admin/playground")
    yield page
    page.close()


def ask(page: Page, model: str, words: str) -> None:
    """Send a message to a model."""
    page.fill("#model", model)
    page.fill("#words", words)
    page.press("#words", "Enter")


def until(page: Page, holds: str) -> None:
    """Wait until an expression is true; the page's own policy forbids the library's way."""
    deadline = time.monotonic() + WAIT_MS / 1000
    while not page.evaluate(holds):
        assert time.monotonic() < deadline, f"never: {holds}"
        page.wait_for_timeout(50)


def test_a_newer_link_takes_the_place_of_an_older_one(site: Live, browser: Browser) -> None:
    """Also where the browser loads no page for it."""
    page = window(browser).new_page()
    page.goto(f"{site.url}/admin/setup#older")
    expect(page.locator("#token")).to_have_value("older")
    page.goto(f"{site.url}/admin/setup#newer")

    expect(page.locator("#token")).to_have_value("newer")
    assert "#" not in page.url
    page.context.close()


def test_one_logs_in_and_out(site: Live, entered: BrowserContext, browser: Browser) -> None:
    """By the keyboard alone; afterwards nothing opens."""
    page = browser.new_page()
    page.goto(f"{site.url}/admin/settings")
    page.wait_for_url("**/admin/login?next=/admin/settings")
    page.focus("#username")
    page.keyboard.type("admin")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/settings")
    page.get_by_role("button", name="Log out").press("Enter")
    page.wait_for_url("**/admin/login")
    page.goto(f"{site.url}/admin/settings")

    assert "/admin/login" in page.url
    page.close()


def test_an_answer_streams_and_its_turns_go_on(playground: Page, site: Live) -> None:
    """The second question brings the first answer along, and the system prompt."""
    playground.fill("#system", "Be brief.")
    ask(playground, "Echo", "Hello there")
    expect(playground.locator(".turn.answer .words")).to_have_text("Hello there")
    ask(playground, "Mirror", "And now?")
    seen = playground.locator(".turn.answer").nth(1).locator("pre")
    expect(seen).to_contain_text('"query"')
    query = json.loads(seen.inner_text())

    assert ["system", "user", "bot", "user"] == [turn["role"] for turn in query["query"]]
    assert "Hello there" == query["query"][2]["content"]
    expect(playground.locator(".turn.answer header").first).to_contain_text("tokens")


def test_reasoning_is_folded(playground: Page) -> None:
    """It opens when it is wanted."""
    ask(playground, "Thinker", "Why is the sky blue?")
    expect(playground.locator(".turn.answer > .words")).to_contain_text("You said: Why")
    thoughts = playground.locator(".thoughts")

    expect(thoughts.locator(".words")).to_be_hidden()
    thoughts.locator("summary").click()
    expect(thoughts.locator(".words")).to_contain_text("The user wrote 5 words.")


def test_pictures_are_shown_and_sounds_and_films_can_be_played(playground: Page) -> None:
    """All by way of poeflask itself."""
    ask(playground, "Painter", "A lighthouse")
    until(playground, "document.querySelector('.turn img')?.naturalWidth > 0")
    ask(playground, "Speaker", "Good morning")
    until(playground, "document.querySelector('.turn audio')?.duration > 0")
    ask(playground, "Film-Maker", "A wave")
    expect(playground.locator(".turn video[controls], .turn figure a")).to_have_count(1)
    source = playground.locator(".turn img").get_attribute("src") or ""
    assert source.startswith("/admin/playground/file?url=http")


def test_files_go_along(playground: Page) -> None:
    """Chosen, dropped or pasted; one that is taken back stays here, and code shows no Base64."""
    picture = {"name": "dot.png", "mimeType": "image/png", "buffer": PICTURE}
    words = {"name": "words.txt", "mimeType": "text/plain", "buffer": b"canary-words"}
    playground.set_input_files("#choose", [picture, words, {**words, "name": "not-this.txt"}])
    playground.get_by_role("button", name="Remove not-this.txt").click()
    expect(playground.locator("#files li")).to_have_count(2)
    playground.click("#same summary")
    expect(playground.locator("#sample")).to_contain_text("data:image/png;base64,…")
    ask(playground, "Mirror", "What is this?")
    seen = playground.locator(".turn.answer pre")
    expect(seen).to_contain_text('"attachments"')
    (turn,) = json.loads(seen.inner_text())["query"]

    assert ["image/png", "text/plain"] == [file["content_type"] for file in turn["attachments"]]
    assert "words.txt" == turn["attachments"][1]["name"]
    expect(playground.locator(".turn.you img")).to_be_visible()
    expect(playground.locator(".turn.you .files")).to_contain_text("words.txt")
    expect(playground.locator("#files")).to_be_hidden()


def test_files_that_are_too_large_stay_here(playground: Page) -> None:
    """The reader is told before anything is sent."""
    most = int(playground.get_attribute("#playground", "data-most-bytes") or "")
    playground.evaluate(
        """async (size) => {
            const large = new File([new Blob([new Uint8Array(size)])], "large.bin");
            const given = new DataTransfer();
            given.items.add(large);
            const drop = new DragEvent("drop", { dataTransfer: given, bubbles: true });
            document.getElementById("turns").dispatchEvent(drop);
        }""",
        most + 1,
    )

    expect(playground.locator("#file-fault")).to_contain_text("Not attached: large.bin.")
    expect(playground.locator("#files li")).to_have_count(0)


def test_what_cannot_be_read_stays_here_and_the_rest_goes_along(playground: Page) -> None:
    """A folder that was dropped looks like a file until it is read."""
    playground.evaluate(
        """() => {
            const read = FileReader.prototype.readAsDataURL;
            FileReader.prototype.readAsDataURL = function (file) {
                if (file.name === "folder") this.dispatchEvent(new Event("error"));
                else read.call(this, file);
            };
        }"""
    )
    files = [
        {"name": name, "mimeType": "text/plain", "buffer": b"words"} for name in ("folder", "a.txt")
    ]
    playground.set_input_files("#choose", files)

    expect(playground.locator("#file-fault")).to_contain_text("Not attached: folder.")
    expect(playground.locator("#files li")).to_have_text(["a.txt×"])


def test_a_tool_is_called_and_the_reader_answers_for_it(playground: Page) -> None:
    """Then the model goes on."""
    playground.check("#tool")
    ask(playground, "Tool-User", "What is the weather in Taipei?")
    expect(playground.locator(".call")).to_contain_text("get_weather")
    playground.fill(".call textarea", '{"sky": "green"}')
    playground.click(".call button")

    expect(playground.locator(".turn.answer").nth(1)).to_contain_text('{"sky": "green"}')


def test_an_answer_is_stopped(playground: Page) -> None:
    """What came stays, and the next question can be asked."""
    ask(playground, "Slow-Talker", "Count, please.")
    expect(playground.locator(".turn.answer .words")).to_contain_text("word 3")
    playground.click("#stop")
    expect(playground.locator(".turn.answer header")).to_contain_text("Stopped.")
    words = playground.locator(".turn.answer .words").inner_text()
    ask(playground, "Echo", "Still there?")

    expect(playground.locator(".turn.answer").nth(1)).to_contain_text("Still there?")
    assert "word 20" not in words
    assert words == playground.locator(".turn.answer .words").first.inner_text()


def test_what_models_and_people_write_is_text(playground: Page) -> None:
    """Markup stays markup to be read; links that run code are none."""
    words = f"{HOSTILE} [x](javascript:alert(1)) ![p](data:text/html,x) **bold** `<b>`\n\u202eabc"
    ask(playground, "Echo", words)
    expect(playground.locator(".turn.answer .words")).to_contain_text(HOSTILE)

    assert "hacked" not in playground.title()
    assert 0 == playground.locator(".turn script, .turn img, .turn a").count()
    assert "bold" == playground.locator(".turn.answer strong").inner_text()
    assert "<b>" == playground.locator(".turn.answer .words code").inner_text()


def test_the_same_request_can_be_copied(playground: Page, site: Live) -> None:
    """As a command that a shell takes, as Python and as JavaScript, without the reader's key."""
    playground.fill("#model", "Echo")
    playground.fill("#words", 'It\'s "quoted" $HOME \\ `x`')
    playground.fill("#temperature", "0.5")
    playground.check("#tool")
    playground.click("#same summary")
    samples = {}
    for name in ("curl", "Python", "JavaScript"):
        playground.get_by_role("button", name=name).click()
        playground.click("[data-copy]")
        until(playground, "navigator.clipboard.readText().then((t) => t === sample.textContent)")
        samples[name] = playground.evaluate("navigator.clipboard.readText()")
    expect(playground.locator("[data-copy]")).to_have_text("Copied")
    ran = subprocess.run(
        ["bash", "-c", samples["curl"]], capture_output=True, text=True, check=True
    ).stdout
    playground.get_by_role("button", name="curl").click()
    playground.fill("#key", "key-canary")
    words = shlex.split(playground.inner_text("#sample").replace("\\\n", " "))

    assert "It's" in "".join(
        chunk["choices"][0]["delta"].get("content") or ""
        for chunk in map(json.loads, re.findall(r"^data: (\{.*)$", ran, re.MULTILINE))
        if chunk["choices"]
    )
    call = ast.parse(samples["Python"]).body[2]
    assert "temperature=0.5" in ast.unparse(call)
    assert f'baseURL: "{site.url}/v1"' in samples["JavaScript"]
    assert "Authorization: Bearer $POEFLASK_KEY" in words
    assert "canary" not in "".join(words)


def test_a_key_for_the_page_is_made_where_a_poe_key_pays(
    simulator: Simulator, browser: Browser, complaints: Complaints, tmp_path: Path
) -> None:
    """One click, and the models can be asked."""
    paid = {"POE_API_KEYS": "home=key-canary", "ADMIN_PASSWORD": PASSWORD}
    with serving(simulator, tmp_path, **paid) as site:
        page = browser.new_page()
        complaints.hear(page)
        page.goto(f"{site.url}/admin/login?next=/admin/playground")
        page.fill("#username", "admin")
        page.fill("#password", PASSWORD)
        page.click("main button")
        page.wait_for_url("**/admin/playground")
        page.click("#make-key")
        expect(page.locator("#models option").first).to_be_attached()
        ask(page, "Echo", "Hello there")
        expect(page.locator(".turn.answer .words")).to_have_text("Hello there")

        assert page.input_value("#key").startswith("pf-")
        page.close()


def test_a_refusal_is_told_and_asked_again(playground: Page, complaints: Complaints) -> None:
    """In the words of the API; the question is not lost."""
    playground.fill("#key", "")
    ask(playground, "Echo", "Hello")
    fault = playground.get_by_role("alert").filter(has_text="API key")
    expect(fault).to_be_visible()
    # The browser itself tells of each refused request.
    complaints.clear()
    playground.fill("#key", "demo")
    fault.get_by_role("button").click()

    expect(playground.locator(".turn.answer .words")).to_have_text("Hello")


def test_settings_are_searched(site: Live, entered: BrowserContext, complaints: Complaints) -> None:
    """By word, and by whether they are set."""
    page = entered.new_page()
    complaints.hear(page)
    page.goto(f"{site.url}/admin/settings")
    page.fill("#filter", "proxies headers")
    expect(page.locator("#rows tbody tr:visible")).to_have_count(1)
    page.fill("#filter", "")
    page.check("#only-set")
    shown = page.locator("#rows tbody tr:visible th code").all_inner_texts()
    page.fill("#filter", "no such words")

    assert {"CONFIG_DIR", "LOG_LEVEL", "POE_BASE_URL"} <= set(shown)
    assert "HOST" not in shown
    expect(page.get_by_text("No setting fits.")).to_be_visible()
    page.close()


def test_other_logins_are_ended_without_loading_the_page(
    site: Live, entered: BrowserContext, complaints: Complaints
) -> None:
    """The answer is put into its place, and the token is sent."""
    page = entered.new_page()
    complaints.hear(page)
    page.goto(f"{site.url}/admin/settings")
    page.evaluate("window.stayed = true")
    page.get_by_role("button", name="End all others").click()
    expect(page.locator("#sessions")).to_contain_text("Ended: ")

    assert page.evaluate("window.stayed")
    page.close()


def test_colours_and_language_are_remembered(site: Live, browser: Browser) -> None:
    """Without a login too."""
    context = browser.new_context(color_scheme="light", locale="en-GB")
    page = context.new_page()
    page.goto(f"{site.url}/admin/login")
    dark = page.get_by_role("button", name="Dark colours")
    expect(dark).to_have_attribute("aria-pressed", "false")
    dark.click()
    page.click(".languages summary")
    page.get_by_role("link", name="繁體中文").click()
    expect(page.locator("h1")).to_have_text("登入")

    assert "dark" == page.locator("html").get_attribute("data-theme")
    assert "zh-Hant" == page.locator("html").get_attribute("lang")
    context.close()


def test_on_a_phone_the_pages_are_in_a_menu(
    site: Live, entered: BrowserContext, complaints: Complaints
) -> None:
    """And no page is wider than the screen."""
    page = entered.new_page()
    complaints.hear(page)
    page.set_viewport_size({"width": 390, "height": 800})
    for name in (made.name for made in PAGES):
        page.goto(f"{site.url}/admin/{name}")
        wide = page.evaluate("document.documentElement.scrollWidth")

        assert 390 >= wide, name
    expect(page.get_by_role("link", name="Playground")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Playground")).to_be_visible()
    page.close()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_every_page_is_for_everybody(
    site: Live, entered: BrowserContext, browser: Browser, theme: str, width: int
) -> None:
    """Contrast, names, roles, order: nothing is found wrong."""
    found = {}
    outside = browser.new_context()
    for context, paths in (
        (entered, [*(made.name for made in PAGES), "nowhere"]),
        (outside, ["login", "setup"]),
    ):
        page = context.new_page()
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        for path in paths:
            page.goto(f"{site.url}/admin/{path}")
            found[path] = faults(page)
        page.close()
    outside.close()

    assert {path: [] for path in found} == found


def test_the_look_at_pages_sees_faults(site: Live, browser: Browser) -> None:
    """A field without a name is one."""
    page = browser.new_page()
    page.goto(f"{site.url}/admin/login")
    page.evaluate("document.querySelector('label').remove()")

    assert any(fault.startswith("label:") for fault in faults(page))
    page.close()


def test_no_log_line_holds_a_secret(site: Live, entered: BrowserContext) -> None:
    """Neither the password nor a cookie."""
    log = Path(site.log).read_text()
    cookies = [cookie["value"] for cookie in entered.cookies() if cookie["name"] == "poeflask"]

    assert "admin_login" in log
    assert cookies
    assert not any(secret in log for secret in (PASSWORD, *cookies))
