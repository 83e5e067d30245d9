"""Runs and files as the API shows them: flat JSON of records. Pure."""

import math
from datetime import timedelta
from typing import Any

from shared.records import Run, Verdict, moment, timestamp
from shared.watching import deadline

SUMMARY = ("run", "stage", "outcome", "created_at", "closed_at", "oldest", "files", "rows", "words")
REASONS = ("failed_stage", "why", "cancel")
DETAILS = ("attempt", "attempts", "launch", "parts", "job", "studio", "deployment")
REMARKS = ("left_out", "held", "released", "not_moved", "spares", "earlier_jobs")
FILE = ("blob", "word", "why", "rows", "bad_rows", "formulas", "where")


def summary(run: Run, usual: dict[str, float]) -> dict[str, Any]:
    """What a list shows of a run. `usual`: the seconds that runs of a route take, by its name."""
    data = run.to_dict()
    shown = {key: data[key] for key in (*SUMMARY, *REASONS)}
    seconds = usual.get(run.route["name"]) if run.stage != "closed" else None
    begun = moment(run.reopened_at or run.created_at)
    return {
        **shown,
        "route": run.route["name"],
        "deadline": timestamp(deadline(run)) if "deadline" in run.route else None,
        "expected_at": timestamp(begun + timedelta(seconds=seconds)) if seconds is not None else None,
    }


def detail(run: Run, usual: dict[str, float]) -> dict[str, Any]:
    """Everything that is known about one run but its files."""
    data = run.to_dict()
    return {
        **summary(run, usual),
        **{key: data[key] for key in (*DETAILS, *REMARKS)},
        "model": run.route.get("model", ""),
        "timeline": timeline(run),
    }


def timeline(run: Run) -> list[dict[str, Any]]:
    """The stages of the run in the order in which they were reached last, each with its attempt."""
    reached = sorted(run.times.items(), key=lambda entry: entry[1])
    stages = [{"stage": "gathering", "attempt": 1, "at": run.created_at}]
    for key, at in reached:
        attempt, _, stage = key.partition(".")
        stages.append({"stage": stage, "attempt": int(attempt), "at": at})
    return stages


def file_entry(verdict: Verdict) -> dict[str, Any]:
    """One file of a run."""
    data = verdict.to_dict()
    return {key: data[key] for key in FILE}


def median(values: list[float]) -> float:
    """The middle one, the lower of two; `values` are not empty."""
    return sorted(values)[(len(values) - 1) // 2]


def percentile(values: list[float], part: float) -> float:
    """The value that `part` of the values do not exceed (nearest rank); `values` are not empty."""
    return sorted(values)[max(math.ceil(part * len(values)) - 1, 0)]
