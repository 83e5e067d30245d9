"""Rows: tables of validating, cutting and matching, a step at a time."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.tables import markdown

TITLES = {
    "validate": "Validate",
    "cut": "Cut into parts",
    "match": "Match: the rows of a part stand together, the parts in another order",
    "shuffled": "Match: every row somewhere",
    "flat": "Flat: ours at growing sizes",
}
Step = Mapping[str, Any]


def page(steps: Mapping[str, Step]) -> str:
    """The tables of all steps that were measured, in their order."""
    return "\n".join(section(name, steps[name]) for name in TITLES if name in steps)


def section(name: str, step: Step) -> str:
    """One step's title, circumstances and table, as Markdown."""
    table = flat_table(step["figures"]) if name == "flat" else table_of(step["figures"])
    return f"#### {TITLES[name]}\n\n{circumstances(step)}\n\n{table}"


def circumstances(step: Step) -> str:
    on, peers = step["machine"], ", ".join(f"{name} {version}" for name, version in step["peers"].items())
    size = f"{step['rows']:,} rows, {step['bytes'] / 1e6:,.0f} MB, " if "rows" in step else ""
    return (
        f"`{step['command']}`: {size}least of {step['rounds']}; {on['cores']} cores, {on['memory_gib']} "
        f"GiB, "
        f"{on['system']}, Python {on['python']}; load {step['load']:.2f} at the "
        f"start{'; ' + peers if peers else ''}."
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
