"""Cancel and rerun: asked once more, done once, with an outcome to see; not for those who may only read."""

import pytest
from playwright.sync_api import Page, expect

from tests.page import browser, days
from tests.page.browser import ELSEWHERE
from tests.page.conftest import Opened, settled
from tests.page.fake_app import FakeApp
from tests.page.world import World, moment, run_name

pytestmark = pytest.mark.full

OPEN = f"runs/{run_name(days.STARTED)}"
PARTIAL = f"runs/{run_name(days.STARTED - 3)}"


def test_a_run_is_canceled_after_a_second_thought(opened: Opened, world: World) -> None:
    page = opened(OPEN)
    page.get_by_role("button", name="Cancel", exact=True).click()
    assert browser.violations(page) == []
    page.get_by_role("button", name="Leave it").click()
    assert world.done == []
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel the run").click()
    expect(page.locator("main [role=status]")).to_contain_text("is being canceled")
    expect(page.get_by_role("button", name="Canceling")).to_be_disabled()
    assert world.done == [f"{OPEN}/cancel"]
    assert browser.violations(page) == []


def test_escape_is_a_no(opened: Opened, world: World) -> None:
    page = opened(OPEN)
    cancel = page.get_by_role("button", name="Cancel", exact=True)
    cancel.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(cancel).to_be_focused()
    assert world.done == []


def test_a_rerun_leads_to_the_runs_that_go_on(opened: Opened, world: World) -> None:
    page = opened(PARTIAL)
    page.get_by_role("button", name="Rerun").click()
    page.get_by_role("dialog").get_by_role("button", name="Rerun").click()
    status = page.locator("main [role=status]")
    expect(status).to_contain_text("1 run started")
    status.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(run_name(days.STARTED))


def test_a_refusal_is_shown_in_its_own_words(opened: Opened, world: World) -> None:
    world.refusal = {"detail": "Run X cannot be canceled any more: it is ended."}
    page = opened(OPEN)
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel the run").click()
    expect(page.locator("main [role=status]")).to_contain_text("cannot be canceled any more: it is ended")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator("main [role=status]")).to_have_text("")


def test_no_rerun_is_offered_again_once_others_have_taken_the_files(opened: Opened, world: World) -> None:
    world.refusal = {"detail": "Run X has nothing to go on with: other runs have taken the files."}
    page = opened(PARTIAL)
    page.get_by_role("button", name="Rerun").click()
    page.get_by_role("dialog").get_by_role("button", name="Rerun").click()
    expect(page.locator("main [role=status]")).to_contain_text("other runs have taken the files")
    expect(page.get_by_role("button", name="Rerun")).to_have_count(0)


def test_nothing_can_be_rerun_where_nothing_failed(opened: Opened) -> None:
    page = opened(f"runs/{run_name(days.STARTED - 2)}")
    expect(page.get_by_role("button", name="Rerun")).to_have_count(0)


def test_no_rerun_is_offered_for_files_that_must_be_mended(opened: Opened) -> None:
    page = opened(f"runs/{run_name(days.STARTED - 5)}")
    expect(page.get_by_text("mend the rejected file, and drop it again")).to_be_visible()
    expect(page.get_by_role("button", name="Rerun")).to_have_count(0)


def test_what_was_announced_is_gone_once_it_has_come_about(opened: Opened, world: World) -> None:
    page = opened(OPEN)
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("its 26 files end as canceled")
    page.get_by_role("button", name="Cancel the run").click()
    expect(page.locator("main [role=status]")).to_contain_text("is being canceled")
    world.runs[0].update(stage="closed", outcome="canceled", closed_at=moment(0), words={"canceled": 26})
    expect(page.locator(".head .badge")).to_have_text("canceled", timeout=5_000)
    expect(page.locator("main [role=status]")).to_have_text("")


def test_those_without_a_key_may_read_and_are_told_how_to_do_more(tab: Page, app: FakeApp) -> None:
    tab.goto(f"{app.url(ELSEWHERE)}#/{OPEN}")
    settled(tab)
    expect(tab.get_by_role("button", name="Cancel", exact=True)).to_be_disabled()
    expect(tab.get_by_text("Read-only.")).to_be_visible()
    tab.get_by_role("main").get_by_role("button", name="Enter a key").click()
    tab.get_by_label("Key", exact=True).fill("any")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("button", name="Cancel", exact=True)).to_be_enabled()
