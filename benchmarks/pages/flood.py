"""Many small files at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import plots
from benchmarks.pages.one import FLOOR, OURS
from benchmarks.tables import circumstances, markdown, name, number

Kept = Mapping[str, Any]


def page(kept: Kept) -> str:
    counted = kept["counted"]
    return "\n".join(
        [
            circumstances(kept),
            "",
            "Files of 480 bytes that have been dropped are announced all at once. *Seconds* to the last "
            "predictions, *closed* when the runs have deleted what they kept meanwhile, too. "
            "*Node-seconds* are those of all jobs, the start of each job's node included. Peers score "
            "fewer files, each with a "
            "job of its own, eight at a time where nodes start at once, else all at a time, so that only "
            "their node-seconds compare there. "
            "CPU is that of the processes themselves, without storage and the emulator; theirs with their "
            "start, a file that warms them up and a look at each job every 50 ms, ours of a host that is up and "
            "looks once a second or less. Rounds are "
            "those of each subject's first row; the others are measured once. *Lost*: without predictions, "
            "or, of some fifty that are read, with wrong ones.",
            "",
            table(kept["subjects"]),
            azurites(kept["subjects"][OURS]),
            "",
            "![Files a second](plots/flood.svg)",
            "",
            f"Calls to storage, counted with {counted['files']:,} files and nodes that start at once: "
            f"{number(per_file(counted))} a file, in {counted['jobs']} jobs.",
            "",
        ]
    )


def azurites(ours: Sequence[Kept]) -> str:
    """What storage took of the processor beside ours, and that it takes more a file, the more there are."""
    said = [
        f"{number(1000 * min(one['storage_cpu'] for one in some) / some[0]['files'])} ms with {some[0]['files']:,}"
        for some in alike([one for one in ours if not one["start"]])
    ]
    what = "Azurite's own CPU for each of our files until all is closed, which grows with the blobs it holds"
    return f"{what}: {', '.join(said)}."


def table(subjects: Mapping[str, Sequence[Kept]]) -> str:
    rows = [row(subject, runs) for subject, some in subjects.items() for runs in alike(some)]
    heads = [
        "",
        "files",
        "start, s",
        "seconds",
        "closed",
        "files/s",
        "jobs",
        "node-s a file",
        "CPU ms a file",
        "peak MiB",
        "lost",
    ]
    return markdown(heads, rows)


def alike(runs: Sequence[Kept]) -> list[list[Kept]]:
    """Runs of the same size and start together: the rounds."""
    found: dict[tuple[int, float], list[Kept]] = {}
    for run in runs:
        found.setdefault((run["files"], run["start"]), []).append(run)
    return list(found.values())


def row(subject: str, rounds: Sequence[Kept]) -> list[str]:
    best = min(rounds, key=lambda one: float(one["seconds"]))
    files = best["files"]
    return [
        name(subject, OURS),
        f"{files:,}",
        f"{best['start']:g}",
        number(best["seconds"]),
        number(best["closed"]) if "closed" in best else "",
        number(files / best["seconds"]) if subject == OURS or not best["start"] else "",
        " to ".join(sorted({f"{one['jobs']:,}" for one in rounds})),
        number(min(one["node"] for one in rounds) / files),
        number(1000 * min(one["cpu"] for one in rounds) / files),
        number(max(one["peak"] for one in rounds)),
        str(sum(one.get("lost", 0) for one in rounds)) if "lost" in best else "",
    ]


def rate(runs: Sequence[Kept], start: bool = False) -> float:
    """Files a second of the first size, with nodes that start at once, or (`start`) late."""
    some = [one for one in runs if bool(one["start"]) == start]
    return max(float(one["files"] / one["seconds"]) for one in some if one["files"] == some[0]["files"])


def per_file(run: Kept) -> float:
    """Calls to storage, where they were counted."""
    return float(sum(run["operations"].values()) / run["files"])


def drawn(kept: Kept) -> dict[str, str]:
    rows = {subject: {"files/s": rate(runs)} for subject, runs in kept["subjects"].items()}
    ours, theirs = (kept["subjects"][subject][0]["files"] for subject in (OURS, FLOOR))
    title = f"{ours:,} small files of ours, {theirs:,} of each peer, nodes that start at once: files a second"
    return {"flood.svg": plots.bars(title, rows, "files/s")}


def figures(kept: Kept) -> dict[str, float]:
    subjects = kept["subjects"]
    ours = subjects[OURS]
    late = [one for one in ours if one["start"]]
    late_floor = [one for one in subjects[FLOOR] if one["start"]]
    counted = kept["counted"]
    return {
        "flood: files a second": rate(ours),
        "flood: files a second, × the floor": rate(ours) / rate(subjects[FLOOR]),
        "flood: lost": sum(one["lost"] for one in ours),
        "flood: most jobs, nodes that start late": max(one["jobs"] for one in late),
        "flood: most jobs, nodes that start at once": max(one["jobs"] for one in ours if not one["start"]),
        "flood: most memory, MiB": max(one["peak"] for one in ours),
        "flood: node-seconds a file, ÷ one job a file": (late[0]["node"] / late[0]["files"])
        / (late_floor[0]["node"] / late_floor[0]["files"]),
        "flood: calls to storage a file": per_file(counted),
    }
