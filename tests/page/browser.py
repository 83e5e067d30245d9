"""Chromium, driven by Playwright, and the page as a test sees it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tests.page import axe

NAMES = ("chromium", "chromium-browser", "google-chrome")
WIDE, PHONE = (1280, 900), (360, 740)
ELSEWHERE = "app.test"
FAULTS: dict[Page, list[str]] = {}
Theme = Literal["light", "dark"]
AUDIT = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
    (one) => `${one.id}: ${one.help}: ` + one.nodes.map((node) => node.html.slice(0, 200)).join(" | "))"""
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def program() -> str | None:
    """The path of a Chromium of this machine."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def launched() -> Iterator[Browser]:
    # A container's Chromium has neither the rights for its sandbox nor much shared memory.
    arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--no-proxy-server"]
    # The same server under a name that is not loopback: what a deployed app is to the page.
    arguments.append(f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def tab(browser: Browser, size: tuple[int, int] = WIDE, theme: Theme = "light") -> Iterator[Page]:
    """A tab of its own. What goes wrong in its scripts, and what its policy turns away, is in `faults(page)`."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=theme,
        locale="en-GB",
        timezone_id="Europe/Oslo",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    found = FAULTS.setdefault(page, [])
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("dialog", lambda dialog: found.append(f"dialog: {dialog.message}"))
    page.on("console", lambda said: found.append(said.text) if said.type == "error" else None)
    try:
        yield page
    finally:
        context.close()
        del FAULTS[page]


def faults(page: Page) -> list[str]:
    """Faults of scripts and of the policy; answers other than 200 are none."""
    return [text for text in FAULTS[page] if "Failed to load resource" not in text]


def violations(page: Page) -> list[str]:
    """What axe finds. It is put in by the debugger, past the page's policy."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(axe.SCRIPT.read_text("utf-8"))
    found: list[str] = page.evaluate(AUDIT)
    return found


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    found: Any = page.evaluate(OVERFLOW)
    return int(found)


def seconds_to_runs(page: Page) -> float:
    """From a reload to the first page of runs. The best of some counts: the machine may be busy with other tests."""
    page.reload()
    page.wait_for_selector("tbody tr:nth-child(50)")
    return float(page.evaluate("performance.now()")) / 1000


def seconds_to_first_paint(page: Page) -> float:
    """Of the last load: when something was seen first."""
    found = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    return float(found) / 1000
