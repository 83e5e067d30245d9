"""What a file and a row cost as there are more of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import plots
from benchmarks.pages.flood import alike, per_file
from benchmarks.pages.huge import alike as of_one_size
from benchmarks.pages.one import OURS
from benchmarks.tables import circumstances, markdown, number

Kept = Mapping[str, Any]


def with_larger(kept: Kept, flood: Kept | None, huge: Kept | None) -> Kept:
    """What the section measured, and beside it the other sizes that *flood* and *huge* did."""
    most = kept["files"][-1][0]["files"]
    floods = [one for one in ours(flood) if not one["start"] and one["files"] > most]
    sizes = sorted([*kept["bytes"], *of_one_size(ours(huge))], key=lambda some: int(some[0]["rows"]))
    return {**kept, "files": [*kept["files"], *alike(floods)], "bytes": sizes}


def ours(section: Kept | None) -> list[Kept]:
    return list(section["subjects"][OURS]) if section else []


def page(kept: Kept) -> str:
    return "\n".join(
        [
            circumstances(kept),
            "",
            "Many files at once, nodes that start at once. Where calls are counted there is a proxy before "
            "Azurite; the others are those of *flood*, of its revision, and measured once. Azurite's CPU is that until "
            "all is closed, after the last predictions.",
            "",
            markdown(
                ["files", "ms a file", "CPU ms a file", "Azurite's", "calls a file", "jobs", "peak MiB"],
                [in_files(rounds) for rounds in kept["files"]],
            ),
            "The straight script, a job for each file, eight at a time, on the same storage (10,000 once).",
            "",
            markdown(
                ["files", "ms a file", "CPU ms a file", "Azurite's", "jobs"],
                [of_floor(rounds) for rounds in kept["floor"]],
            ),
            "Large files, without their jobs; those of 64 MB and from 1 GB on are those of *huge*.",
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
    return [
        f"{rounds[0]['files']:,}",
        number(1000 * per(rounds, "files", "seconds")),
        number(1000 * per(rounds, "files")),
        number(1000 * per(rounds, "files", "storage_cpu")),
        number(min(map(per_file, rounds))) if rounds[0]["operations"] else "",
        str(min(one["jobs"] for one in rounds)),
        number(max(one["peak"] for one in rounds)),
    ]


def of_floor(rounds: Sequence[Kept]) -> list[str]:
    kinds = ("seconds", "cpu", "storage_cpu")
    milliseconds = [number(1000 * per(rounds, "files", kind)) for kind in kinds]
    return [f"{rounds[0]['files']:,}", *milliseconds, f"{rounds[0]['jobs']:,}"]


def in_rows(rounds: Sequence[Kept]) -> list[str]:
    rows = rounds[0]["rows"]
    return [
        f"{rounds[0]['bytes'] / 1e6:,.0f} MB",
        f"{rows:,}",
        number(1e6 * per(rounds, "rows", "own")),
        number(1e6 * per(rounds, "rows")),
        number(max(one["peak"] for one in rounds)),
    ]


def drawn(kept: Kept) -> dict[str, str]:
    files, clock = (
        [(some[0]["files"], 1000 * per(some, "files", kind)) for some in kept["files"]]
        for kind in ("cpu", "seconds")
    )
    rows = [(some[0]["rows"], 1e6 * per(some, "rows")) for some in kept["bytes"]]
    series = {"a file, ms of CPU": files, "a file, ms by the clock": clock, "a row, µs of CPU": rows}
    title = "What a file takes, by files at once, and a row, by rows of a file"
    return {"growth.svg": plots.lines(title, series, "files, or rows", "")}


def figures(kept: Kept) -> dict[str, float]:
    files, clock = ([per(some, "files", kind) for some in kept["files"]] for kind in ("cpu", "seconds"))
    rows = [per(some, "rows") for some in kept["bytes"]]
    found = {
        "growth: CPU a file, most files ÷ the best": files[-1] / min(files),
        "growth: time a file, most files ÷ the best": clock[-1] / min(clock),
        "growth: CPU a row, largest ÷ the best": rows[-1] / min(rows),
    }
    most, floors_most = kept["files"][-1], kept["floor"][-1]
    if most[0]["files"] == floors_most[0]["files"]:
        floors, own = (per(rounds, "files", "seconds") for rounds in (floors_most, most))
        found["growth: files a second, most files, × the floor"] = floors / own
    return found


def per(rounds: Sequence[Kept], unit: str, kind: str = "cpu") -> float:
    """Seconds, of the processor unless it says otherwise, for each of so many."""
    return float(min(one[kind] for one in rounds) / rounds[0][unit])
