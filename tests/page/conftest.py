"""One Chromium per module; a made-up world and a tab of its own for each test."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page import axe, browser, days
from tests.page.fake_app import FakeApp, serving
from tests.page.world import World

Opened = Callable[[str], Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Not for the session: Playwright keeps an event loop running, and with it no other test could run one."""
    if browser.program() is None:
        pytest.skip("there is no Chromium: `apt-get install chromium`, or any Chrome on the PATH")
    if not axe.SCRIPT.exists():
        axe.install()
    with browser.launched() as launched:
        yield launched


@pytest.fixture
def world() -> World:
    return days.busy_day()


@pytest.fixture
def app(world: World) -> Iterator[FakeApp]:
    with serving(world) as app:
        yield app


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Page]:
    """A wide tab in the light theme; its scripts must have done nothing wrong by the end."""
    with browser.tab(chromium) as page:
        yield page
        assert browser.faults(page) == []


@pytest.fixture
def opened(app: FakeApp, tab: Page) -> Opened:
    """Opens a screen of the stand-in app and waits until it shows its data."""

    def opened(place: str) -> Page:
        tab.goto(f"{app.url()}#/{place}")
        return settled(tab)

    return opened


def settled(page: Page) -> Page:
    page.wait_for_selector("main[aria-busy=false]")
    expect(page.locator(".bones")).to_have_count(0)
    return page
