"""What the project has set out to reach, and whether what was measured reaches it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from benchmarks.tables import number, words


@dataclass(frozen=True)
class Goal:
    """`figure` is one of those that pages name; `mend` says what would mend a miss."""

    figure: str
    bound: Literal["at most", "at least"]
    limit: float
    mend: str

    def is_met(self, value: float) -> bool:
        return value <= self.limit if self.bound == "at most" else value >= self.limit


DURABLE = (
    "a process may die between any two steps, and so each reads whose the run is and writes how far it is: 10 reads "
    "and 9 writes of run.json (*Our calls to storage*). The ETag of the last step, handed on by the orchestration, "
    "would save most of the reads, larger activities some of the writes. 36 calls are left then, for the route's slot, "
    "the claim, the index, the results and the clean-up: this design does not come to 10 for a file alone; in a flood "
    "a file comes to fewer, see below"
)
GOALS = (
    Goal("one: own time, s", "at most", 1.0, "see *Where our time goes*"),
    Goal(
        "one: own time, × the floor",
        "at most",
        4.0,
        "fewer calls, or some of them at once: divided by their calls, most activities last 2 to 4 ms a call (*Where "
        "our time goes*), and the floor makes fewer than six",
    ),
    Goal("one: calls to storage", "at most", 10, DURABLE),
    Goal(
        "flood: calls to storage a file",
        "at most",
        10,
        "arrival (4), claim and its marker (2), the file, its earlier predictions, its new ones are nine; five are its "
        "part and its carried cells, written, read back and deleted: parts that files share save most of them, but for "
        "that the raw predictions must name the row",
    ),
    Goal(
        "flood: files a second, × the floor",
        "at least",
        0.4,
        "the arrivals, one by one, are most of it: a delivery of many events is one call a file to the host",
    ),
    Goal("flood: lost", "at most", 0, "a fault: see the logs"),
    Goal(
        "flood: most jobs, nodes that start late",
        "at most",
        5,
        "a longer wait before the first run of a flood",
    ),
    Goal(
        "flood: most jobs, nodes that start at once",
        "at most",
        5,
        "a job that ends at once is followed by the next while files still arrive, which costs nothing but its start: "
        "a pause before each run would mend it, and make every file wait",
    ),
    Goal(
        "flood: most memory, MiB",
        "at most",
        300,
        "some 80 of it were the pages of 5,000 in which sweeps listed the inbox, up to 01dfc3e94e. They have 1,000 "
        "since, and a host that sweeps 10,000 files holds 114 MiB, not 194 (92 without files; *What was mended*); the "
        "flood was not measured again. Beyond that: fewer portions at once, each of which reads the index of its run",
    ),
    Goal("flood: node-seconds a file, ÷ one job a file", "at most", 0.1, "fewer jobs, see above"),
    Goal(
        "huge: own time of the smaller file, × the floor",
        "at most",
        1.2,
        "parts are written and read once more, and every row is checked and counted twice",
    ),
    Goal("huge: rows missing", "at most", 0, "a fault: see the logs"),
    Goal("huge: most memory, MiB", "at most", 300, "smaller stretches and blocks"),
    Goal(
        "huge: MiB more than with the smaller file",
        "at most",
        64,
        "of the smaller file three portions are unpacked at once, of larger ones eight, of some 20 MiB each: "
        "fewer at a time. From 1 GB to 5 GB it grows by a twentieth (see the table): nothing is held for every row",
    ),
    Goal("long: CPU of a look, × azure-core", "at most", 1.0, "http.client, see the table"),
    Goal("long: replay at the end, ms", "at most", 10, "fewer looks before the history starts anew"),
    Goal("long: replay at the end, × the beginning", "at most", 1.25, "a history that grows"),
    Goal("long: history at the end, × the beginning", "at most", 1.25, "a history that grows"),
    Goal(
        "cold: import, × azure-ai-ml",
        "at most",
        0.45,
        "the largest of the list, loaded where needed",
    ),
    Goal("cold: memory, × azure-ai-ml", "at most", 0.7, "the same"),
    Goal(
        "growth: CPU a file, most files ÷ the best",
        "at most",
        1.25,
        "not profiled; known to grow with the files of a run, or of the inbox, are the lists that each of the run's "
        "portions reads whole (lists cut by portion would mend that), and the sweeps",
    ),
    Goal(
        "growth: time a file, most files ÷ the best",
        "at most",
        1.25,
        "Azurite's processor is busy throughout, and takes more a call, the more blobs it holds (*Azurite's*; the "
        "script's grows, too): fewer calls would help, another storage more",
    ),
    Goal(
        "growth: files a second, most files, × the floor",
        "at least",
        0.4,
        "the calls of the run's own keeping, each of which takes Azurite longer the more blobs it holds: see "
        "*Azurite's*",
    ),
    Goal(
        "growth: CPU a row, largest ÷ the best",
        "at most",
        1.25,
        "something is done once for every other row",
    ),
)


def page(figures: Mapping[str, float]) -> str:
    """All goals whose figures were measured."""
    rows = [line(goal, figures[goal.figure]) for goal in GOALS if goal.figure in figures]
    return words(["goal", "", "measured", "", "what would mend it"], rows)


def line(goal: Goal, value: float) -> list[str]:
    met = goal.is_met(value)
    said = "met" if met else "**missed**"
    return [goal.figure, f"{goal.bound} {goal.limit:g}", number(value), said, "" if met else goal.mend]
