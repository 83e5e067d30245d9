"""Every screen, in every state it can be in: nothing for axe to find, nothing too wide, nothing run from a name."""

import re
from datetime import datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect

from tests.page import browser, days
from tests.page.browser import PHONE, WIDE, Theme
from tests.page.conftest import Opened, settled
from tests.page.fake_app import FakeApp, serving
from tests.page.world import HOSTILE, World, moment, run_name

pytestmark = pytest.mark.full

PARTIAL = run_name(days.STARTED - 3)
SCREENS = {
    "overview": "",
    "runs": "runs",
    "open run": f"runs/{run_name(days.STARTED)}",
    "closed run": f"runs/{PARTIAL}",
    "published file": "files/diabetes/clinic-east.csv",
    "rejected file": "files/diabetes/clinic-oslo.csv",
    "waiting file": "files/diabetes/clinic-berlin.csv",
    "files found": "find?prefix=diabetes/",
    "activity": "activity",
    "no such run": "runs/01K00000000000000000000000",
}
EMPTY = {name: SCREENS[name] for name in ("overview", "runs", "files found", "activity")}
FORMS: list[tuple[tuple[int, int], Theme]] = [
    (WIDE, "light"),
    (WIDE, "dark"),
    (PHONE, "light"),
    (PHONE, "dark"),
]


@pytest.mark.parametrize(("size", "theme"), FORMS)
@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_keeps_nobody_out(
    chromium: Browser, app: FakeApp, screen: str, size: tuple[int, int], theme: Theme
) -> None:
    app.world.row_values = True
    look(chromium, app, SCREENS[screen], size, theme)


@pytest.mark.parametrize("size", [WIDE, PHONE])
@pytest.mark.parametrize("screen", EMPTY)
def test_a_screen_without_data_says_so(chromium: Browser, screen: str, size: tuple[int, int]) -> None:
    with serving(days.empty_day()) as app:
        assert "no" in look(chromium, app, EMPTY[screen], size, "light").lower()


def look(
    chromium: Browser, app: FakeApp, place: str, size: tuple[int, int], theme: Theme, height: int = 0
) -> str:
    """The text of a screen, once it has passed what every screen must."""
    with browser.tab(chromium, size, theme) as page:
        page.goto(f"{app.url()}#/{place}")
        settled(page)
        assert browser.violations(page) == []
        assert browser.overflow(page) == 0
        assert browser.faults(page) == []
        return page.inner_text("main")


HOSTILE_SCREENS = [
    *("", "runs", f"runs/{PARTIAL}", "find?prefix=diabetes/", "activity"),
    *(f"files/{quote(name)}" for name in HOSTILE),
]


@pytest.mark.parametrize("size", [WIDE, PHONE])
@pytest.mark.parametrize("place", HOSTILE_SCREENS)
def test_a_hostile_name_is_only_a_name(chromium: Browser, place: str, size: tuple[int, int]) -> None:
    with serving(days.hostile_day()) as app, browser.tab(chromium, size) as page:
        page.goto(f"{app.url()}#/{place}")
        settled(page)
        expect(page.locator("main :is(img, script, iframe)")).to_have_count(0)
        assert not re.search("[\u001b\u202e]", page.inner_text("body"))
        assert page.locator("a[href^='javascript']").count() == 0
        assert browser.overflow(page) == 0
        assert browser.violations(page) == []
        assert browser.faults(page) == []


def test_what_nobody_would_see_in_a_name_is_shown(opened: Opened, world: World) -> None:
    world.waiting = days.hostile_day().waiting
    page = opened("")
    expect(page.get_by_text("\\u001b", exact=True).first).to_be_visible()
    expect(page.get_by_text("\\u202e", exact=True).first).to_be_visible()


def test_times_are_local_with_utc_in_the_title(opened: Opened) -> None:
    shown = opened("runs").locator("main time").first
    assert re.search(r"\d\d:\d\d:\d\d UTC$", shown.get_attribute("title") or "")
    assert (shown.get_attribute("datetime") or "").endswith("Z")


def test_a_route_says_why_its_files_wait(opened: Opened) -> None:
    page = opened("")
    expect(page.locator(".card", has_text="diabetes")).to_contain_text("14 waiting: 1 of 1 jobs busy")
    expect(page.locator(".card", has_text="forecast")).to_contain_text("Held. The endpoint answered 403.")
    expect(page.locator(".card", has_text="nightly")).to_contain_text("0 0 2 * * *")
    model = page.locator(".card", has_text="forecast").locator(".model")
    expect(model).to_have_text("Model: forecast.westeurope")
    expect(model).to_have_attribute("title", "https://forecast.westeurope.inference.ml.azure.com/jobs")


def test_a_run_shows_its_stages_and_each_files_reason(opened: Opened) -> None:
    page = opened(f"runs/{PARTIAL}")
    stages = page.locator(".timeline .stage-name").all_inner_texts()
    assert stages[0] == "gathering"
    assert stages[-1] == "closed"
    page.get_by_role("link", name="rejected 2").click()
    expect(page.get_by_role("row", name="clinic-oslo")).to_contain_text('column "bmi"')
    expect(page.get_by_role("row")).to_have_count(2)


@pytest.mark.parametrize(
    ("place", "where"),
    [
        ("files/diabetes/clinic-oslo.csv", ".says"),
        ("files/diabetes/clinic-oslo.csv", ".reason-text"),
        ("files/diabetes/clinic-oslo.csv", "td.reason"),
        (f"runs/{PARTIAL}?word=rejected", "td.reason"),
        (f"runs/{PARTIAL}", ".notice.bad"),
        ("", ".lines .why:has-text('line 14')"),
        ("", ".card .notice"),
    ],
)
def test_the_lines_of_a_reason_are_lines(opened: Opened, place: str, where: str) -> None:
    shown = opened(place).locator(where).first
    assert "\n" in shown.inner_text().strip()
    assert "\\u" not in shown.inner_text()


def test_a_mistake_in_the_routes_is_told_line_by_line_with_the_ways_out(opened: Opened, world: World) -> None:
    world.source, world.problem = (
        "last-good",
        "routes.toml is not usable:\n  [routes.diabetes] max_jobs: no number",
    )
    banner = opened("").locator(".notice.bad").first
    assert "not usable:\n  [routes.diabetes]" in banner.inner_text()
    expect(banner).to_contain_text("those that were in force before stay so")
    expect(banner).to_contain_text("dropscore routes rollback")


def test_what_an_earlier_version_was_rejected_for_is_not_said_of_this_one(opened: Opened) -> None:
    page = opened("files/diabetes/clinic-east.csv")
    expect(page.get_by_role("region", name="An earlier version")).to_contain_text("was rejected")
    expect(page.get_by_text("Mend it and drop it again")).to_have_count(0)


def test_what_was_not_scored_shows_no_rows_and_says_that_there_will_be_no_predictions(opened: Opened) -> None:
    page = opened("files/diabetes/clinic-oslo.csv")
    expect(page.get_by_text("None: the file was rejected.")).to_be_visible()
    expect(page.get_by_role("row", name="rejected").get_by_role("cell").nth(3)).to_have_text("–")
    page = opened("runs?outcome=canceled")
    expect(page.get_by_role("row", name="canceled").get_by_role("cell").nth(4)).to_have_text("–")


def test_what_is_worth_a_look_names_a_file_and_the_reason_and_leads_to_its_like(opened: Opened) -> None:
    page = opened("")
    panel = page.get_by_role("region", name="Worth a look")
    row = panel.get_by_role("listitem").filter(has_text="rejected")
    expect(row).to_contain_text("diabetes/clinic-oslo.csv")
    expect(row).to_contain_text('column "bmi" is not a number')
    panel.get_by_role("link", name="All rejected runs").click()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_a_run_that_was_canceled_on_purpose_has_not_failed(opened: Opened) -> None:
    page = opened(f"runs/{run_name(days.STARTED - 7)}")
    expect(page.locator(".notice.calm")).to_contain_text(
        "The run was canceled on request. Its files are still in"
    )
    expect(page.locator(".notice.bad")).to_have_count(0)


@pytest.mark.parametrize(
    ("subscription", "links"), [("0" * 8 + "-0000-0000-0000-" + "0" * 12, 0), ("4711", 1)]
)
def test_only_a_job_of_a_real_subscription_is_linked(
    opened: Opened, world: World, subscription: str, links: int
) -> None:
    address = f"https://ml.azure.example/runs/job?wsid=/subscriptions/{subscription}/resourcegroups/local"
    world.details[PARTIAL] = {"studio": address}
    expect(opened(f"runs/{PARTIAL}").get_by_role("link", name="Job in Azure ML")).to_have_count(links)


def test_the_date_of_a_moment_is_told_where_it_is_not_today(opened: Opened, world: World) -> None:
    world.runs[0]["deadline"] = moment(-86_400)
    tomorrow = (datetime.now(ZoneInfo("Europe/Oslo")) + timedelta(days=1)).strftime("%-d %b")
    expect(opened(f"runs/{run_name(days.STARTED)}").locator(".ahead")).to_contain_text(tomorrow)


def test_a_plot_of_the_first_rows_says_that_there_are_more(opened: Opened, world: World) -> None:
    world.row_values = True
    world.preview["histogram"]["rows"] = 20_000
    world.files["diabetes/clinic-east.csv"]["versions"][0]["rows"] = 600_000
    page = opened("files/diabetes/clinic-east.csv")
    expect(page.locator(".histogram figcaption")).to_contain_text("over the first 20,000 of 600,000 rows")


def test_a_preview_is_shown_only_where_row_values_are_allowed(opened: Opened, world: World) -> None:
    page = opened("files/diabetes/clinic-east.csv")
    expect(page.get_by_text("patient-000")).to_have_count(0)
    expect(page.get_by_role("button", name="Download")).to_have_count(0)
    assert not [path for path in world.asked if path.startswith(("preview", "predictions"))]


def test_predictions_can_be_downloaded(opened: Opened, world: World) -> None:
    world.row_values = True
    page = opened("files/diabetes/clinic-east.csv")
    expect(page.get_by_text("patient-000")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "clinic-east.csv"


def test_the_list_of_rows_that_were_set_aside_is_beside_the_predictions(opened: Opened, world: World) -> None:
    name = "diabetes/clinic-east.csv"
    world.row_values = True
    world.files[name]["errors"] = {**world.files[name]["predictions"], "name": f"{name}.errors.csv"}
    page = opened(f"files/{name}")
    with page.expect_download() as download:
        page.get_by_role("button", name="Rows set aside").click()
    assert download.value.suggested_filename == "clinic-east.csv.errors.csv"


def test_what_finished_last_comes_first_whenever_it_began(opened: Opened, world: World) -> None:
    late = [run for run in world.runs if run["outcome"] == "succeeded"][2]
    late["closed_at"] = moment(0)
    finished = opened("").get_by_role("region", name="Last finished")
    expect(finished.locator(".run-link").first).to_contain_text(late["run"][-7:])


def test_the_theme_that_was_chosen_stays(opened: Opened) -> None:
    page = opened("")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    for _ in range(2):
        page.get_by_role("button", name="Theme").click()
    assert page.evaluate(ground) != light
    page.reload()
    settled(page)
    assert page.evaluate(ground) != light
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
