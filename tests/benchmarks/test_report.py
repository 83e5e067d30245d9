"""The report is made of what was kept, alone, and says of each goal whether it is reached."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import goals, plots, report
from benchmarks.__main__ import SECTIONS, flags, options_of
from benchmarks.pages import growth, money
from benchmarks.results import FULL, Place
from benchmarks.setting import quiet_enough
from benchmarks.tables import circumstances, number
from tests.benchmarks import kept


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A report of everything that was measured."""
    found = Place(tmp_path / "results", tmp_path / "page.md", tmp_path / "plots")
    found.page.write_text(f"before\n{report.BEGIN}{report.END}after\n", "utf-8")
    for name, result in kept.EVERYTHING.items():
        found.write(name, result)
    return found


def test_every_section_is_between_the_marks_of_the_page_and_once_is_as_twice(place: Place) -> None:
    report.write(place)
    once = place.page.read_text("utf-8")
    report.write(place)
    assert place.page.read_text("utf-8") == once
    assert once.startswith(f"before\n{report.BEGIN}")
    assert once.endswith(f"{report.END}after\n")
    assert [title for title in report.TITLES.values() if f"### {title}\n" not in once] == ["Rows"]
    assert "nan" not in once


def test_every_picture_of_the_page_is_drawn(place: Place) -> None:
    report.write(place)
    text = place.page.read_text("utf-8")
    drawn = sorted(path.name for path in place.plots.iterdir())
    assert drawn == ["cold.svg", "flood.svg", "growth.svg", "one.svg"]
    assert all(f"(plots/{name})" in text for name in drawn)
    for path in place.plots.iterdir():
        assert ElementTree.parse(path).getroot().tag.endswith("svg")
        assert path.stat().st_size < 20_000


def test_the_figures_are_the_least_of_the_rounds(place: Place) -> None:
    report.write(place)
    text = place.page.read_text("utf-8")
    assert "| **dropscore**   |   100 (200) |   100 (200) |   200 (400) |     4.0 |" in text
    assert "| pack | 3 | read inbox, 2 × write work/parts |" in text


def test_a_goal_is_met_or_its_miss_is_explained() -> None:
    figures = report.found_in(kept.EVERYTHING)
    assert figures["one: own time, × the floor"] == pytest.approx(4.0)
    assert figures["flood: files a second, × the floor"] == pytest.approx(25 / 20)
    assert figures["flood: node-seconds a file, ÷ one job a file"] == pytest.approx(0.062 / 31)
    assert figures["flood: calls to storage a file"] == pytest.approx(11.02)
    assert figures["huge: rows missing"] == 0
    text = goals.page(figures)
    assert "| one: own time, × the floor | at most 4 | 4.00 | met |  |" in text
    assert "| cold: import, × azure-ai-ml | at most 0.45 | 0.500 | **missed** | the largest" in text


def test_every_goal_looks_at_a_figure_that_is_measured() -> None:
    everything = report.with_larger(kept.EVERYTHING)
    figures = report.found_in(everything)
    assert [goal.figure for goal in goals.GOALS if goal.figure not in figures] == []
    assert all(goal.mend for goal in goals.GOALS)


def test_what_was_improved_stands_beside_what_was_before(place: Place) -> None:
    place.write("one", {**kept.one(own=0.4, storage=60), "command": "c", "revision": "old"}, before=True)
    report.write(place)
    text = place.page.read_text("utf-8")
    assert "| one: calls to storage | 60.0 | 30.0 |" in text
    assert "Before: `c` of revision old" in text


@pytest.mark.parametrize("section", report.PAGES)
def test_every_section_can_be_what_was_before(place: Place, section: str) -> None:
    place.write(section, {**kept.EVERYTHING[section], "command": "c", "revision": "old"}, before=True)
    report.write(place)
    assert "Before: `c` of revision old" in place.page.read_text("utf-8")


def test_before_and_after_are_of_the_same_sizes(place: Place) -> None:
    small = kept.huge()
    small["subjects"]["dropscore"] = small["subjects"]["dropscore"][:1]
    place.write("huge", {**small, "command": "c", "revision": "old"}, before=True)
    report.write(place)
    assert "| huge: most memory, MiB | 101 | 101 |" in place.page.read_text("utf-8")


def test_growth_goes_on_with_the_sizes_of_flood_and_huge() -> None:
    found = growth.with_larger(kept.growth(), kept.flood(), kept.huge())
    assert [some[0]["files"] for some in found["files"]] == [1, 10, 1000]
    assert [len(some) for some in found["files"]] == [1, 1, 2]
    assert [some[0]["bytes"] for some in found["bytes"]] == [10_000_000, 64_000_000, 1_000_000_000]
    figures = growth.figures(found)
    assert figures["growth: CPU a file, most files ÷ the best"] == 1
    assert figures["growth: time a file, most files ÷ the best"] == 1
    assert figures["growth: files a second, most files, × the floor"] == pytest.approx(20 / 40)
    assert figures.keys() - growth.figures(kept.growth()).keys() == {
        "growth: files a second, most files, × the floor"
    }
    assert "| 1,000 |      40.0 |          4.00 |      30.0 |              |" in growth.page(found)


def test_a_thousand_files_cost_their_calls_executions_and_seconds() -> None:
    one = kept.one()["counted"]["dropscore"]
    use = money.used({**one, "operations": {"read": 1, "write": 2, "list": 1, "delete": 9}}, 1000, 2.0)
    assert use == {"write": 2000, "list": 1000, "read": 1000, "execution": 20_000, "gb_second": 1000}


def test_every_price_says_its_unit_its_source_and_its_date() -> None:
    page = money.page(kept.one(), kept.flood(), kept.growth())
    assert page.count(" USD for ") == 6
    assert "fictitious" in money.PRICES.read_text("utf-8")


def test_a_section_alone_makes_a_report(tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path / "page.md", tmp_path / "plots")
    place.write("cold", kept.cold())
    report.write(place)
    text = place.page.read_text("utf-8")
    assert "### A cold start" in text
    assert "### Money" not in text
    assert text.startswith("# Benchmarks")


def test_the_page_says_where_the_machine_was_busy() -> None:
    busy = {**kept.COMMON, "load": 3.2, "anyway": True}
    assert "load 3.20 at the start (busy: measured anyway)" in circumstances(busy)


def test_a_busy_machine_is_refused_unless_asked_for() -> None:
    assert quiet_enough(0.4, anyway=False) == 0.4
    assert quiet_enough(3.0, anyway=True) == 3.0
    with pytest.raises(SystemExit, match="--anyway"):
        quiet_enough(3.0, anyway=False)


def test_only_known_sections_can_be_asked_for() -> None:
    options = options_of(["one", "flood", "--quick"])
    assert (options.sections, options.rounds, flags(options)) == (["one", "flood"], 1, ["--quick"])
    assert flags(options_of(["--rounds", "2", "--huge"])) == ["--huge", "--rounds 2"]
    with pytest.raises(SystemExit):
        options_of(["two"])
    assert SECTIONS.keys() | {"money", "rows"} == report.TITLES.keys()


def test_the_docs_tell_of_every_section_and_option() -> None:
    text = FULL.page.read_text("utf-8").partition(report.BEGIN)[0]
    assert [name for name in report.TITLES if f"`{name}`" not in text] == []
    options = ("--quick", "--anyway", "--huge", "--rounds", "--render", "--app", "--before")
    assert [option for option in options if f"`{option}" not in text] == []


def test_numbers_have_as_many_digits_as_say_something() -> None:
    assert [number(value) for value in (0, 0.000312, 0.0312, 2.44, 31.26, 1057.4)] == [
        "0",
        "0.00031",
        "0.031",
        "2.44",
        "31.3",
        "1,057",
    ]


def test_nothing_measured_is_drawn_as_nothing() -> None:
    assert "polyline" not in plots.lines("empty", {"a": []}, "x", "y")
