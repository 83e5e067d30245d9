"""What a file and a row cost as there are more of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import plots
from benchmarks.pages.flood import per_file
from benchmarks.pages.one import OURS
from benchmarks.tables import circumstances, markdown, number

Kept = Mapping[str, Any]


def page(kept: Kept) -> str:
    return "\n".join(
        [
            circumstances(kept),
            "",
            "Many files at once, nodes that start at once, counted through a proxy (larger numbers are "
            "in *flood*):",
            "",
            markdown(
                ["files", "ms a file", "CPU ms a file", "calls a file", "jobs", "peak MiB"],
                [in_files(rounds) for rounds in kept["files"]],
            ),
            "Large files, without their jobs (larger ones are in *huge*):",
            "",
            markdown(
                ["size", "rows", "µs a row", "CPU µs a row", "peak MiB"],
                [in_rows(some) for some in kept["bytes"]],
            ),
            "![Cost as it grows](plots/growth.svg)",
            "",
        ]
    )


def in_files(rounds: Sequence[Kept]) -> list[str]:
    files = rounds[0]["files"]
    return [
        f"{files:,}",
        number(1000 * min(one["seconds"] for one in rounds) / files),
        number(1000 * min(one["cpu"] for one in rounds) / files),
        number(min(map(per_file, rounds))),
        str(min(one["jobs"] for one in rounds)),
        number(max(one["peak"] for one in rounds)),
    ]


def in_rows(rounds: Sequence[Kept]) -> list[str]:
    rows = rounds[0]["rows"]
    return [
        f"{rounds[0]['bytes'] / 1e6:,.0f} MB",
        f"{rows:,}",
        number(1e6 * min(one["own"] for one in rounds) / rows),
        number(1e6 * min(one["cpu"] for one in rounds) / rows),
        number(max(one["peak"] for one in rounds)),
    ]


def drawn(kept: Kept, flood: Kept | None = None, huge: Kept | None = None) -> dict[str, str]:
    files = [
        (some[0]["files"], 1000 * min(one["cpu"] for one in some) / some[0]["files"])
        for some in kept["files"]
    ]
    files += [
        (one["files"], 1000 * one["cpu"] / one["files"])
        for one in (flood["subjects"][OURS] if flood else [])
        if not one["start"] and one["files"] > files[-1][0]
    ]
    runs = [*kept["bytes"], *([one] for one in (huge["subjects"][OURS] if huge else []))]
    rows = sorted((some[0]["rows"], 1e6 * min(one["cpu"] for one in some) / some[0]["rows"]) for some in runs)
    title = "CPU a file (ms, by files at once) and a row (µs, by rows of a file)"
    return {
        "growth.svg": plots.lines(title, {"a file, ms": files, "a row, µs": rows}, "files, or rows", "CPU")
    }


def figures(kept: Kept) -> dict[str, float]:
    rows = [min(one["cpu"] for one in some) / some[0]["rows"] for some in kept["bytes"]]
    files = [min(one["cpu"] for one in some) / some[0]["files"] for some in kept["files"]]
    return {
        "growth: CPU a file, most files ÷ fewest": files[-1] / files[0],
        "growth: CPU a row, largest ÷ smallest": rows[-1] / rows[0],
    }
