"""A real Chromium for tests of pages; left out where there is none, but never in a CI."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.live.conftest import Live

PASSWORD = "correct horse battery"
"""The owner's, wherever a test logs in."""

WAIT_MS = 15_000
expect.set_options(timeout=WAIT_MS)

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_UNTIL_SETTLED = """() => {
    const changing = document.getAnimations().filter((one) => one instanceof CSSTransition);
    return Promise.allSettled(changing.map((one) => one.finished));
}"""
_AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")


def chromium() -> str:
    """The browser's path."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("There is no chromium; install it: apt install chromium.")
        pytest.skip("there is no chromium")
    return found


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def window(browser: Browser, **options: Any) -> BrowserContext:
    """A light browser context that waits as long as tests do and may read what was copied."""
    made = browser.new_context(color_scheme="light", **options)
    made.set_default_timeout(WAIT_MS)
    made.grant_permissions(["clipboard-read", "clipboard-write"])
    return made


def logged_in(browser: Browser, site: Live, **options: Any) -> BrowserContext:
    """A window of somebody who typed the password."""
    made = window(browser, **options)
    page = made.new_page()
    page.goto(f"{site.url}/admin/login")
    page.fill("#username", "admin")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url("**/admin/overview")
    page.close()
    return made


def faults(page: Page) -> list[str]:
    """What axe finds wrong for people who see, hear or move otherwise: rule and place."""
    # Colours on their way from one theme to the other are nobody's choice.
    page.evaluate(_UNTIL_SETTLED)
    # Run by the debugger, which the page's own policy does not bind.
    page.evaluate(_AXE.read_text("utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


class Complaints(list[str]):
    """What the browser's console says against a page."""

    def hear(self, page: Page) -> None:
        """Listen to a page."""
        page.on("console", lambda said: self.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.append(str(error)))
