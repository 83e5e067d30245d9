"""Results as JSON, and as tables on the terminal and in `docs/benchmarks.md`."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.environment import ROOT

RESULTS = ROOT / "benchmarks" / "results" / "rows.json"
DOCS = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->\n"
TITLES = {
    "validate": "Validate",
    "cut": "Cut into parts",
    "match": "Match: the rows of a part stand together, the parts in another order",
    "shuffled": "Match: every row somewhere",
    "flat": "Flat: ours at growing sizes",
}
Step = Mapping[str, Any]


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def keep(found: Mapping[str, Step]) -> dict[str, Step]:
    """Writes the steps over what was kept of them. Returns all that are kept, in their order."""
    kept = {**(json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}), **found}
    ordered = {name: kept[name] for name in TITLES if name in kept}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(ordered, indent=2) + "\n", "utf-8")
    return ordered


def write_docs(steps: Mapping[str, Step], docs: Path = DOCS) -> None:
    """Puts the tables between the marks of the page."""
    between(BEGIN, END, "\n".join(section(name, step) for name, step in steps.items()), docs)


def between(begin: str, end: str, text: str, docs: Path = DOCS) -> None:
    """Puts a text between two marks of the page."""
    before, _, rest = docs.read_text("utf-8").partition(begin)
    _, _, after = rest.partition(end)
    docs.write_text(f"{before}{begin}\n{text}\n{end}{after}", "utf-8")


def section(name: str, step: Step) -> str:
    """One step's title, circumstances and table, as Markdown."""
    table = flat_table(step["figures"]) if name == "flat" else table_of(step["figures"])
    return f"### {TITLES[name]}\n\n{circumstances(step)}\n\n{table}"


def circumstances(step: Step) -> str:
    on, peers = step["machine"], ", ".join(f"{name} {version}" for name, version in step["peers"].items())
    size = f"{step['rows']:,} rows, {step['bytes'] / 1e6:,.0f} MB, " if "rows" in step else ""
    return (
        f"`{step['command']}`: {size}least of {step['rounds']}; {on['cores']} cores, {on['memory_gib']} GiB, "
        f"{on['system']}, Python {on['python']}; load {step['load']:.2f} at the start{'; ' + peers if peers else ''}."
    )


def table_of(figures: Sequence[Step]) -> str:
    """One line a subject; ratios are to the limit, which comes first."""
    limit = figures[0]
    rows = [
        [
            f"**{one['subject']}**" if one["role"] == "ours" else one["subject"],
            f"{min(one['wall']):.2f} ({max(one['wall']):.2f})",
            f"{min(one['cpu']):.2f}",
            ratio(one["wall"], limit["wall"]),
            ratio(one["cpu"], limit["cpu"]),
            f"{max(one['peak']):,.0f}" if any(one["peak"]) else "",
            {True: "yes", False: "**no**", None: ""}[one["same"]],
        ]
        for one in figures
    ]
    heads = ["", "s (slowest)", "CPU s", "× limit", "× limit's CPU", "peak MiB", "same"]
    return markdown(heads, rows)


def ratio(some: Sequence[float], limit: Sequence[float]) -> str:
    return f"{min(some) / min(limit):.1f}" if min(limit) else ""


def flat_table(figures: Sequence[Step]) -> str:
    """One line a step of ours and a size."""
    names = list(dict.fromkeys(one["subject"] for one in figures))
    rows = [
        [
            one["subject"],
            f"{one['bytes'] / 1e6:,.0f} MB",
            f"{one['rows']:,}",
            f"{min(one['wall']):.2f}",
            f"{one['rows'] / min(one['wall']):,.0f}",
            f"{max(one['peak']):,.0f}",
        ]
        for one in sorted(figures, key=lambda one: names.index(one["subject"]))
    ]
    return markdown(["", "size", "rows", "s", "rows a second", "peak MiB"], rows)


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose columns line up, all but the first to the right."""
    widths = [max(len(row[at]) for row in [heads, *rows]) for at in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        first, *others = (f"{cell:{'>' if at else '<'}{widths[at]}}" for at, cell in enumerate(cells))
        return "| " + " | ".join([first, *others]) + " |\n"

    rule = [("-" * (width - 1) + ":") if at else "-" * width for at, width in enumerate(widths)]
    return line(heads) + line(rule) + "".join(map(line, rows))
