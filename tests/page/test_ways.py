"""Getting about: links, the way back, paging, search, and all of it by keyboard."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.page import browser, days
from tests.page.conftest import Opened, settled
from tests.page.fake_app import serving
from tests.page.world import HOSTILE, World, file, run_name

pytestmark = pytest.mark.full


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text(text)


def test_the_way_back_leads_to_where_one_was(opened: Opened) -> None:
    page = opened("runs")
    page.set_viewport_size({"width": 1280, "height": 500})
    page.evaluate("scrollTo(0, 260)")
    page.get_by_role("row", name="partial").get_by_role("link").click()
    heading(page, run_name(days.STARTED - 3))
    assert page.evaluate("document.activeElement.tagName") == "H1"
    assert "Run" in page.title()
    page.go_back()
    heading(page, "Runs")
    assert page.evaluate("scrollY") == 260


def test_an_address_that_is_no_screen_says_so(opened: Opened) -> None:
    page = opened("bogus")
    expect(page.get_by_text("There is no such page: #/bogus.")).to_be_visible()
    page.get_by_role("link", name="Go to the overview").click()
    heading(page, "Overview")


def test_ten_thousand_runs_are_there_in_under_a_second_and_page_by_page(tab: Page) -> None:
    with serving(days.ten_thousand_runs()) as app:
        tab.goto(f"{app.url()}#/runs")
        assert min(browser.seconds_to_runs(tab) for _ in range(5)) < 1.0
        first = names(tab)
        tab.get_by_role("link", name="Older").click()
        expect(tab.locator("tbody tr a").first).not_to_have_text(first[0])
        second = names(tab)
        assert not set(first) & set(second)
        tab.get_by_role("link", name="Older").click()
        expect(tab.locator("tbody tr a").first).not_to_have_text(second[0])
        tab.get_by_role("link", name="Newer").click()
        expect(tab.locator("tbody tr a").first).to_have_text(second[0])
        tab.get_by_role("link", name="Newest").click()
        expect(tab.locator("tbody tr a").first).to_have_text(first[0])


def names(page: Page) -> list[str]:
    return page.locator("tbody tr .run-link").all_inner_texts()


def test_the_last_page_leads_no_further(tab: Page) -> None:
    with serving(days.ten_thousand_runs()) as app:
        tab.goto(f"{app.url()}#/runs?after=10000")
        settled(tab)
        expect(tab.get_by_role("link", name="Older")).to_have_count(0)
        expect(tab.get_by_role("link", name="Newest")).to_be_visible()


def test_filters_are_part_of_the_address(opened: Opened) -> None:
    page = opened("runs")
    page.get_by_label("Outcome").select_option("failed")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_label("Route").select_option("forecast")
    expect(page.get_by_text("No run is like that")).to_be_visible()
    assert page.url.endswith("#/runs?outcome=failed&route=forecast")
    page.reload()
    expect(page.get_by_label("Outcome")).to_have_value("failed")
    page.get_by_role("link", name="Clear").click()
    expect(page.locator("tbody tr")).to_have_count(12)


def test_a_file_is_found_by_the_beginning_of_its_name_without_a_mouse(opened: Opened) -> None:
    page = opened("")
    page.keyboard.press("/")
    page.keyboard.type("diabetes/clinic-o")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_have_count(1)
    page.keyboard.press("Enter")
    heading(page, "diabetes/clinic-oslo.csv")
    expect(page.locator(".says")).to_contain_text('column "bmi"')


def test_enter_lists_all_files_that_begin_so(opened: Opened) -> None:
    page = opened("")
    page.get_by_role("combobox").fill("diabetes/")
    page.get_by_role("combobox").press("Enter")
    heading(page, "Files that begin with diabetes/")
    expect(page.locator("tbody tr")).to_have_count(4)


def test_a_file_is_found_by_its_name_alone_in_the_folders_of_all_routes(opened: Opened) -> None:
    page = opened("")
    page.get_by_role("combobox").fill("clinic-oslo.csv")
    expect(page.get_by_role("option")).to_have_text(re.compile("diabetes/clinic-oslo.csv"))
    page.get_by_role("combobox").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="diabetes/clinic-oslo.csv").click()
    heading(page, "diabetes/clinic-oslo.csv")


def test_the_search_also_knows_runs(opened: Opened) -> None:
    page = opened("")
    page.get_by_role("combobox").fill(run_name(days.STARTED).lower())
    page.get_by_role("combobox").press("Enter")
    heading(page, run_name(days.STARTED))


def test_of_answers_that_come_late_only_the_last_one_counts(opened: Opened, world: World) -> None:
    page = opened("")
    box = page.get_by_role("combobox")
    world.delay = 0.6
    box.fill("diabetes/clinic-e")
    page.wait_for_timeout(250)
    world.delay = 0.0
    box.fill("diabetes/clinic-o")
    page.wait_for_timeout(900)
    assert "oslo" in page.get_by_role("option").inner_text()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_of_any_name_can_be_reached(opened: Opened, world: World, name: str) -> None:
    world.files[name] = file(name, "published", "It is there.")
    world.waiting = [{"file": name, "route": "diabetes", "since": world.runs[0]["created_at"], "size": 1}]
    page = opened("")
    page.locator(".lines.many a").click()
    expect(page.locator(".says")).to_contain_text("It is there.")


@pytest.mark.parametrize("name", ["a/../b.csv", "./b.csv"])
def test_a_name_that_no_address_can_hold_is_said_to_be_one(opened: Opened, name: str) -> None:
    page = opened(f"files/{name}")
    expect(page.get_by_text("No address can hold this name.")).to_be_visible()


def test_every_control_can_be_reached_and_seen_by_keyboard(opened: Opened) -> None:
    page = opened("runs")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "H1"
    reached = set()
    for _ in range(24):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim().slice(0, 20)"))
        outline = "document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle"
        assert page.evaluate(outline) in (True, "solid")
    assert len(reached) > 8
