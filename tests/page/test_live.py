"""Live without reload: what changes is shown, what has not changed stays, and trouble is said."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page import browser, days
from tests.page.browser import ELSEWHERE
from tests.page.conftest import Opened, settled
from tests.page.fake_app import FakeApp
from tests.page.world import World, closed_run, moment, run_name

pytestmark = pytest.mark.full

OPEN = f"runs/{run_name(days.STARTED)}"


def test_a_run_is_seen_to_end_without_a_reload(opened: Opened, world: World) -> None:
    page = opened(OPEN)
    expect(page.get_by_role("heading", level=1).locator("..")).to_contain_text("submitted")
    world.runs[0].update(stage="closed", outcome="succeeded", closed_at=moment(0), words={"published": 26})
    expect(page.get_by_role("heading", level=1).locator("..")).to_contain_text("succeeded", timeout=5_000)
    expect(page.locator("#said")).to_have_text("The run has ended: succeeded.")


def test_what_has_not_changed_keeps_its_element_the_focus_and_the_scroll(
    opened: Opened, world: World
) -> None:
    page = opened("runs")
    link = page.get_by_role("row", name="partial").get_by_role("link")
    link.focus()
    page.set_viewport_size({"width": 1280, "height": 400})
    page.evaluate("scrollTo(0, 400); window.kept = document.activeElement")
    top = "Math.round(kept.getBoundingClientRect().top)"
    before = page.evaluate(top)
    world.runs.insert(0, closed_run(2_000, "succeeded", 1))
    expect(page.locator("tbody tr")).to_have_count(13, timeout=5_000)
    assert page.evaluate("kept === document.activeElement")
    assert abs(page.evaluate(top) - before) <= 2


def test_only_what_has_changed_is_touched(opened: Opened, world: World) -> None:
    world.runs = [run for run in world.runs if run["stage"] == "closed"]
    page = opened("runs")
    watch = """() => { window.changes = 0; new MutationObserver((found) => window.changes += found.length)
        .observe(document.querySelector("main table"), {subtree: true, childList: true, attributes: true}) }"""
    page.evaluate(watch)
    before = world.asked.count("runs")
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_timeout(500)
    assert world.asked.count("runs") == before + 1
    assert page.evaluate("window.changes") == 0


def test_nothing_is_asked_while_nobody_looks(opened: Opened, world: World) -> None:
    page = opened("")
    hide = """(hidden) => { Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
        document.dispatchEvent(new Event("visibilitychange")) }"""
    page.evaluate(hide, True)
    page.wait_for_timeout(300)
    before = len(world.asked)
    page.wait_for_timeout(3_000)
    assert len(world.asked) == before
    page.evaluate(hide, False)
    page.wait_for_timeout(500)
    assert len(world.asked) > before


def test_a_lost_connection_is_said_and_found_again(opened: Opened, app: FakeApp, world: World) -> None:
    page = opened("")
    world.status = 500
    expect(page.get_by_role("alert")).to_contain_text("You see what was there at", timeout=6_000)
    expect(page.locator(".card")).to_have_count(4)
    world.status = 200
    page.get_by_role("button", name="Try now").click()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_what_keeps_failing_is_asked_for_less_and_less(opened: Opened, world: World) -> None:
    page = opened("")
    world.status = 503
    page.wait_for_timeout(2_500)
    before = world.asked.count("routes")
    page.wait_for_timeout(5_000)
    assert world.asked.count("routes") - before <= 2


def test_an_app_that_fails_from_the_start_is_said_to(opened: Opened, world: World) -> None:
    world.status = 500
    page = opened("")
    expect(page.get_by_role("heading", name="That did not work")).to_be_visible()
    assert browser.violations(page) == []
    world.status = 200
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_bones_stand_where_the_slow_will_be(tab: Page, app: FakeApp, world: World) -> None:
    world.delay = 1.0
    tab.goto(app.url())
    expect(tab.locator(".bones").first).to_be_visible()
    assert tab.get_attribute("main", "aria-busy") == "true"
    assert browser.violations(tab) == []
    settled(tab)
    expect(tab.locator(".bones")).to_have_count(0)


def test_a_stale_heartbeat_is_said(opened: Opened, world: World) -> None:
    world.stale = True
    expect(opened("").get_by_role("alert")).to_contain_text("sweep")


def test_what_an_app_that_cannot_work_says_of_itself_is_shown(opened: Opened, world: World) -> None:
    world.broken, world.status = "The app's settings are not usable.", 500
    page = opened("")
    expect(page.get_by_role("alert")).to_contain_text("The app's settings are not usable.")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.get_by_role("link", name="Go to the overview")).to_have_count(0)


def elsewhere(page: Page, app: FakeApp, place: str = "") -> Page:
    """The page under a name that is not loopback, as a deployed app is."""
    page.goto(f"{app.url(ELSEWHERE)}#/{place}")
    return settled(page)


def test_without_a_key_nothing_is_shown_and_with_one_everything(
    tab: Page, app: FakeApp, world: World
) -> None:
    world.key = "S3cret=="
    elsewhere(tab, app)
    expect(tab.get_by_role("heading", name="A key, please")).to_be_visible()
    assert browser.violations(tab) == []
    tab.get_by_role("main").get_by_role("button", name="Enter a key").click()
    assert browser.violations(tab) == []
    tab.get_by_label("Key", exact=True).fill("S3cret==")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", name="Overview")).to_be_visible()
    assert tab.evaluate("Object.values(sessionStorage)") == ["S3cret=="]
    assert "S3cret" not in tab.evaluate("JSON.stringify(localStorage) + location.href")
    tab.reload()
    expect(tab.get_by_role("heading", name="Overview")).to_be_visible()
    tab.get_by_role("button", name="Key entered").click()
    tab.get_by_role("button", name="Forget the key").click()
    expect(tab.get_by_role("heading", name="A key, please")).to_be_visible()
    assert tab.evaluate("sessionStorage.length") == 0


def test_a_key_that_does_not_fit_is_said_not_to(tab: Page, app: FakeApp, world: World) -> None:
    world.key = "right"
    elsewhere(tab, app)
    tab.get_by_role("main").get_by_role("button", name="Enter a key").click()
    tab.get_by_label("Key", exact=True).fill("wröng")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("dialog")).to_be_visible()
    tab.get_by_label("Key", exact=True).fill("wrong")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", name="This key does not fit")).to_be_visible()


def test_the_head_says_of_the_key_what_the_app_has_answered(tab: Page, app: FakeApp, world: World) -> None:
    tab.goto(app.url())
    expect(settled(tab).locator("header .key")).to_have_text("No key needed")
    world.key = "right"
    tab.reload()
    expect(tab.get_by_role("heading", name="A key, please")).to_be_visible()
    expect(tab.locator("header .key")).to_have_text("Enter a key")
    for entered, told in (("wrong", "Key refused"), ("right", "Key entered")):
        tab.locator("header .key").click()
        tab.get_by_label("Key", exact=True).fill(entered)
        tab.keyboard.press("Enter")
        expect(tab.locator("header .key")).to_have_text(told)


def test_another_tab_does_not_have_the_key(chromium: Browser, app: FakeApp, world: World) -> None:
    world.key = "right"
    with browser.tab(chromium) as page:
        elsewhere(page, app)
        page.evaluate("sessionStorage.setItem('dropscore.key', 'right')")
        other = page.context.new_page()
        elsewhere(other, app)
        expect(other.get_by_role("heading", name="A key, please")).to_be_visible()
