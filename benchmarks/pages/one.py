"""One file into an idle system."""

from collections.abc import Mapping
from typing import Any

from benchmarks import plots
from benchmarks.tables import circumstances, least, least_and_slowest, markdown, name, number

OURS = "dropscore"
FLOOR = "straight script"
Kept = Mapping[str, Any]


def page(kept: Kept) -> str:
    size = f"{kept['files']} files of {kept['bytes']:,} bytes, one after the other, medians"
    return "\n".join(
        [
            circumstances(kept, size),
            "",
            "Milliseconds. *Submit*: from the event (the call, for peers) to the job. *Publish*: from "
            "the look that saw the "
            f"job's end to the predictions. *Own* is both, without the job and without the wait, with "
            f"looks {kept['poll']:g} s "
            "apart for all. *Close*: what is done after the predictions are there. In brackets the "
            "slowest round. *CPU* is for a file: of peers, of the whole process, its start and the file that "
            "warms it up included; of ours, of a host that is up, which is host, worker and app in one.",
            "",
            times(kept["subjects"]),
            "![Own time of one file](plots/one.svg)",
            "",
            "What is asked of storage and of Azure ML for one file. Durable Functions' own calls to its "
            "task hub are not among "
            "them (the local host keeps histories in SQLite); how many history events there are is said "
            "instead.",
            "",
            calls(kept["counted"]),
            "Where our time goes, in the best round: each activity, and what passes before it (the local "
            "engine, and of `read_job (2)` the wait).",
            "",
            steps(kept["steps"]),
            f"Our {kept['counted'][OURS]['storage']} calls to storage:",
            "",
            each_call(kept["counted"][OURS]["calls"]),
        ]
    )


def times(subjects: Mapping[str, Any]) -> str:
    floor = least(subjects[FLOOR], "own")
    rows = [
        [
            name(subject, OURS),
            *(least_and_slowest(rounds, key) for key in ("submit", "publish", "own")),
            f"{least(rounds, 'own') / floor:.1f}",
            *(least_and_slowest(rounds, key) for key in ("job", "wait", "close", "cpu")),
            number(max(one["peak"] for one in rounds)),
        ]
        for subject, rounds in subjects.items()
    ]
    heads = ["", "submit", "publish", "own", "× floor", "job", "wait", "close", "CPU", "peak MiB"]
    return markdown(heads, rows)


def calls(counted: Mapping[str, Any]) -> str:
    rest = next(iter(counted.values()))["rest"]
    rows = [
        [
            name(subject, OURS),
            number(one["storage"]),
            *(number(one["rest"][what]) for what in rest),
            str(one.get("history", "")),
        ]
        for subject, one in counted.items()
    ]
    return markdown(["", "storage", *rest, "history events"], rows)


def steps(rows: list[Kept]) -> str:
    cells = [[row["step"], number(row["between"]), number(row["lasts"])] for row in rows]
    return markdown(["", "before it, ms", "lasts, ms"], cells)


def each_call(rows: list[Kept]) -> str:
    """A row for each activity: what it reads, writes, lists and deletes."""
    of_steps: dict[str, list[str]] = {}
    for row in rows:
        times_ = f"{row['calls']} × " if row["calls"] > 1 else ""
        of_steps.setdefault(row["step"], []).append(f"{times_}{row['operation']} {row['kind']}")
    totals = {step: sum(row["calls"] for row in rows if row["step"] == step) for step in of_steps}
    lines = [f"| {step} | {totals[step]} | {', '.join(said)} |\n" for step, said in of_steps.items()]
    return "| | calls | |\n| --- | ---: | --- |\n" + "".join(lines)


def drawn(kept: Kept) -> dict[str, str]:
    rows = {
        subject: {
            "submit": 1000 * least(rounds, "submit"),
            "publish": 1000 * least(rounds, "publish"),
        }
        for subject, rounds in kept["subjects"].items()
    }
    return {"one.svg": plots.bars("One file of 10 KB: own time, milliseconds", rows, "ms")}


def figures(kept: Kept) -> dict[str, float]:
    """What goals and improvements look at."""
    subjects, ours = kept["subjects"], kept["counted"][OURS]
    own = least(subjects[OURS], "own")
    return {
        "one: own time, s": own,
        "one: own time, × the floor": own / least(subjects[FLOOR], "own"),
        "one: until the job, s": least(subjects[OURS], "submit"),
        "one: from the job's end that was seen, s": least(subjects[OURS], "publish"),
        "one: calls to storage": ours["storage"],
        "one: history events": ours["history"],
    }
