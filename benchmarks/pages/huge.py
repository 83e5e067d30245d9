"""A large file through the whole stack."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.pages.one import FLOOR, OURS
from benchmarks.tables import circumstances, markdown, name, number

Kept = Mapping[str, Any]


def page(kept: Kept) -> str:
    return "\n".join(
        [
            circumstances(kept),
            "",
            "Seconds. *Own* is without the job, and without the wait for the look that sees its end. The smallest "
            "size is measured in rounds, the others once. The script is what one writes first, not the fastest: it "
            "holds the whole file in memory, and checks and records nothing beyond the numbers; a copy as the limit "
            "is in *Rows*.",
            "",
            table(kept["subjects"]),
            f"Ours, stage by stage, at {size_of(kept['subjects'][OURS][-1])}: calls of the activity, "
            f"seconds from the first to "
            "the end of the last, the longest of them, and the most memory of the host and the app "
            "meanwhile (none where it was over before anybody looked). The first call of unpack reads all raw "
            "predictions once: it grows with the file.",
            "",
            stages(kept["subjects"][OURS]),
        ]
    )


def size_of(run: Kept) -> str:
    return f"{run['bytes'] / 1e6:,.0f} MB"


def alike(runs: Sequence[Kept]) -> list[list[Kept]]:
    found: dict[int, list[Kept]] = {}
    for run in runs:
        found.setdefault(run["bytes"], []).append(run)
    return list(found.values())


def table(subjects: Mapping[str, Sequence[Kept]]) -> str:
    rows = [
        [
            name(subject, OURS),
            size_of(rounds[0]),
            f"{rounds[0]['rows']:,}",
            number(min(one["own"] for one in rounds)),
            number(rounds[0]["rows"] / min(one["own"] for one in rounds)),
            number(min(one["job"] for one in rounds)),
            number(min(one["cpu"] for one in rounds)),
            number(max(one["peak"] for one in rounds)),
        ]
        for subject, runs in subjects.items()
        for rounds in alike(runs)
    ]
    return markdown(["", "size", "rows", "own", "rows/s", "job", "CPU s", "peak MiB"], rows)


def stages(runs: Sequence[Kept]) -> str:
    rows = [
        [
            one["stage"],
            str(one["calls"]),
            *(number(one[key]) for key in ("seconds", "longest")),
            number(one["peak"]) if one["peak"] else "",
        ]
        for one in runs[-1]["stages"]
    ]
    return markdown(["", "calls", "seconds", "longest", "peak MiB"], rows)


def figures(kept: Kept) -> dict[str, float]:
    ours, floor = kept["subjects"][OURS], kept["subjects"][FLOOR]
    small, *others = alike(ours)
    large = max((others or [small]), key=lambda some: some[0]["bytes"])
    return {
        "huge: own time of the smaller file, × the floor": min(one["own"] for one in small)
        / min(one["own"] for one in alike(floor)[0]),
        "huge: rows missing": sum(one["rows"] - one["published"] for one in ours),
        "huge: most memory, MiB": max(one["peak"] for one in ours),
        "huge: MiB more than with the smaller file": max(one["peak"] for one in large)
        - max(one["peak"] for one in small),
    }
