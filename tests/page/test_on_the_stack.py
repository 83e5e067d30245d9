"""The page on the running local stack: files are found, runs are watched, canceled and rerun."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from playwright.sync_api import Page, expect

from local.stack import ROOT, Stack
from shared.ledger import Ledger
from shared.ledger_keys import closed_key, closed_metadata
from shared.names import new_run
from shared.records import Run, timestamp
from tests.e2e.drops import MODELS, SETTINGS, Drops, numbers, routes
from tests.page import browser
from tests.page.conftest import settled

pytestmark = pytest.mark.full

SLOW = 60_000


@pytest.fixture(scope="module")
def drops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drops]:
    state = tmp_path_factory.mktemp("stack")
    settings = {**SETTINGS, "DROPSCORE_ROW_VALUES": "yes"}
    with Stack(state, [ROOT / "models", MODELS], routes(), settings) as stack:
        yield Drops(stack)


def opened(tab: Page, drops: Drops, place: str = "") -> Page:
    tab.goto(f"{drops.stack.host_url}/api/dashboard#/{place}")
    return settled(tab)


def found(tab: Page, drops: Drops, name: str) -> Page:
    """The page of a file, by the search."""
    opened(tab, drops)
    tab.get_by_role("combobox").fill(name)
    tab.get_by_role("option").first.click()
    expect(tab.get_by_role("heading", level=1)).to_contain_text(name)
    return tab


def test_a_dropped_file_is_found_and_watched_to_its_predictions(tab: Page, drops: Drops) -> None:
    drops.drop("double/watched from the page.csv", numbers(300))
    page = found(tab, drops, "double/watched from the page.csv")
    expect(page.locator(".head .badge")).to_have_text("published", timeout=SLOW)
    expect(page.locator(".histogram")).to_contain_text("twice over 300 rows")
    expect(page.get_by_role("cell", name="r7", exact=True)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.path().read_text("utf-8").startswith("id,twice\nr0,0.0\n")
    assert browser.violations(page) == []


def test_the_reason_of_a_bad_file_is_read_and_mended(tab: Page, drops: Drops) -> None:
    drops.drop("double/bad.csv", "id,x\na,tall\n")
    page = found(tab, drops, "double/bad.csv")
    expect(page.locator(".says")).to_contain_text('column "x" is not a number', timeout=SLOW)
    drops.drop("double/bad.csv", numbers(3))
    expect(page.locator(".head .badge")).to_have_text("published", timeout=SLOW)
    expect(page.get_by_role("table", name="Versions").get_by_role("row")).to_have_count(3)


def test_a_run_is_canceled_and_rerun_from_the_page(tab: Page, drops: Drops) -> None:
    version = drops.drop("watched/long.csv", numbers(3))
    run = drops.submitted(version).run
    page = opened(tab, drops, f"runs/{run}")
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel the run").click()
    expect(page.locator("main [role=status]")).to_contain_text("is being canceled")
    expect(page.locator(".head .badge")).to_have_text("canceled", timeout=SLOW)
    assert drops.closed(version)[1].word == "canceled"
    page.get_by_role("button", name="Rerun").click()
    page.get_by_role("dialog").get_by_role("button", name="Rerun").click()
    page.locator("main [role=status]").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).not_to_contain_text(run)
    expect(page.locator(".head .badge")).to_have_text("submitted", timeout=SLOW)
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel the run").click()
    expect(page.locator(".head .badge")).to_have_text("canceled", timeout=SLOW)


def test_a_failed_run_says_why_and_is_worth_a_look(tab: Page, drops: Drops) -> None:
    run, _ = drops.closed(drops.drop("raising/script.csv", numbers(3)))
    page = opened(tab, drops)
    page.get_by_role("region", name="Worth a look").locator(f"a[href$='{run.run}']").click()
    expect(page.locator(".notice.bad")).to_contain_text("ValueError")
    assert browser.violations(page) == []
    page.get_by_role("link", name="Activity").click()
    expect(page.get_by_role("heading", name="Throughput")).to_be_visible()
    assert browser.violations(page) == []


@pytest.mark.timeout(900)
def test_ten_thousand_runs_of_the_ledger_are_there_at_once(tab: Page, drops: Drops) -> None:
    remember(drops.ledger, 10_000)
    opened(tab, drops, "runs")
    # The stack shares the machine with whatever else runs: its answers get more time than the first paint.
    assert min(browser.seconds_to_runs(tab) for _ in range(5)) < 3.0
    assert browser.seconds_to_first_paint(tab) < 1.0
    first = tab.locator("tbody .run-link").all_inner_texts()
    tab.get_by_role("link", name="Older").click()
    expect(tab.locator("tbody .run-link").first).not_to_have_text(first[0])
    expect(tab.get_by_role("link", name="Newer")).to_be_visible()
    assert not set(first) & set(tab.locator("tbody .run-link").all_inner_texts())
    opened(tab, drops)
    expect(tab.get_by_role("heading", name="Last finished")).to_be_visible()


def remember(ledger: Ledger, count: int) -> None:
    """Puts runs that closed yesterday and before into the ledger's index."""
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(partial(remember_one, ledger), range(count)))


def remember_one(ledger: Ledger, number: int) -> None:
    begun = datetime.now(UTC) - timedelta(days=1, minutes=number)
    ended = timestamp(begun + timedelta(seconds=200))
    words = {"published": 3}
    run = Run(run=new_run(begun), launch=1, slot=None, route={"name": "double"}, created_at=timestamp(begun))
    closed = run.but(stage="closed", outcome="succeeded", closed_at=ended, files=3, rows=442, words=words)
    ledger.store.create(closed_key(closed), {"run": run.run}, closed_metadata(closed))
