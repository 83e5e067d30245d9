"""The report: `docs/benchmarks.md` between its marks, and the plots beside it, made of the kept results alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import goals
from benchmarks.pages import cold, flood, growth, huge, long, money, one, rows
from benchmarks.results import FULL, Place
from benchmarks.tables import number, words

BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->\n"
TITLES = {
    "one": "One file into an idle system",
    "flood": "Many small files at once",
    "huge": "A large file",
    "long": "A job that takes long",
    "cold": "A cold start",
    "growth": "Growth",
    "money": "Money",
    "rows": "Rows",
}
PAGES = {"one": one, "flood": flood, "huge": huge, "long": long, "cold": cold, "growth": growth}
Results = Mapping[str, Any]


def write(place: Place) -> None:
    """Puts everything that is kept into the page. One that is not there yet begins as the full one does."""
    kept = with_larger({name: found for name in TITLES if (found := place.read(name))})
    before = {name: found for name in PAGES if (found := place.read(name, before=True))}
    if not place.page.exists():
        place.page.parent.mkdir(parents=True, exist_ok=True)
        place.page.write_text(FULL.page.read_text("utf-8"), "utf-8")
    between(BEGIN, END, figures(kept, before), place.page)
    place.plots.mkdir(exist_ok=True)
    for name, drawing in plots(kept).items():
        (place.plots / name).write_text(drawing, "utf-8")


def with_larger(kept: Results) -> Results:
    """Growth goes on with the sizes that other sections measured."""
    if "growth" not in kept:
        return kept
    found = growth.with_larger(kept["growth"], kept.get("flood"), kept.get("huge"))
    return {**kept, "growth": found}


def between(begin: str, end: str, text: str, page: Path) -> None:
    """Puts a text between two marks of a page."""
    head, _, rest = page.read_text("utf-8").partition(begin)
    _, _, tail = rest.partition(end)
    page.write_text(f"{head}{begin}\n{text}\n{end}{tail}", "utf-8")


def figures(kept: Results, before: Results) -> str:
    """Goals, what was improved, and each section that was measured."""
    found = found_in(kept)
    sections = [f"### {TITLES[name]}\n\n{text}" for name, text in texts(kept).items()]
    parts = [f"### Goals\n\n{goals.page(found)}"] if found else []
    same = {name: of_sizes(kept[name], then) for name, then in before.items() if name in kept}
    parts += [improvements(found_in(before), found_in(same), before)] if before else []
    return "\n".join([*parts, *sections])


def found_in(kept: Results) -> dict[str, float]:
    """The figures that goals look at."""
    found: dict[str, float] = {}
    for name, page in PAGES.items():
        if name in kept:
            found |= page.figures(kept[name])
    return found


def of_sizes(section: Mapping[str, Any], before: Mapping[str, Any]) -> Mapping[str, Any]:
    """A section without the sizes of files that were not measured before: a larger one says nothing beside them."""
    sizes = {run["bytes"] for runs in before.get("subjects", {}).values() for run in runs if "bytes" in run}
    if not sizes:
        return section
    kept = {
        subject: [run for run in runs if run["bytes"] in sizes]
        for subject, runs in section["subjects"].items()
    }
    return {**section, "subjects": kept}


def texts(kept: Results) -> dict[str, str]:
    found = {name: page.page(kept[name]) for name, page in PAGES.items() if name in kept}
    if {"one", "flood", "growth"} & kept.keys():
        found["money"] = money.page(*(kept.get(name) for name in ("one", "flood", "growth")))
    if "rows" in kept:
        found["rows"] = rows.page(kept["rows"])
    return found


def improvements(then: Mapping[str, float], now: Mapping[str, float], before: Results) -> str:
    """What was measured before an improvement, and after it."""
    rows_ = [[name, number(then[name]), number(now[name])] for name in then if name in now]
    said = ", ".join(f"`{one['command']}` of revision {one['revision']}" for one in before.values())
    table = words(["", "before", "after"], rows_)
    return f"### Before and after\n\nBefore: {said}; after: the figures of this page.\n\n{table}"


def plots(kept: Results) -> dict[str, str]:
    """The pictures by their file names."""
    drawn: dict[str, str] = {}
    for name, page in {"one": one, "flood": flood, "cold": cold, "growth": growth}.items():
        if name in kept:
            drawn |= page.drawn(kept[name])
    return drawn
