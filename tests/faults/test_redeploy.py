"""A redeploy in mid-run: runs end on the code they began on, later ones take the new; nothing is lost or doubled."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import requests

from local.stack import Stack
from shared.records import Run, Version
from tests.e2e.drops import Drops, doubled, numbers, post, until
from tests.faults.redeployed import (
    NEW,
    NEW_STEPS,
    OLD,
    Instance,
    deploy,
    gated_stack,
    instances,
    live,
    open_gate,
    raise_event,
    release,
    release_carelessly,
    stages,
)

STAGES = {"authenticate", "gather", "pack", "submit", "unpack", "close"}
KILLED = pytest.param("kill", id="killed", marks=pytest.mark.full)
TOLD = pytest.param("stop", id="told to end", marks=pytest.mark.full)


class Work:
    """Files that were given to the app, and what must come of them."""

    def __init__(self, drops: Drops) -> None:
        self.drops = drops
        self.expected: dict[str, tuple[Version, str]] = {}

    def drop(self, blob: str, more: str = "") -> Version:
        """A file of five rows of its own; `more` are columns that its predictions have besides, as in a header."""
        start = 10 * len(self.expected)
        version = self.drops.drop(blob, numbers(5, start=start))
        values = more.replace("part", "part-00001.csv")
        header, *rows = doubled(5, start=start).splitlines()
        lines = [header + more, *(row + values for row in rows), ""]
        self.expected[blob] = (version, "\n".join(lines))
        return version

    def ask(self, route: str, count: int = 1) -> list[str]:
        """The runs, over HTTP, of files that no route looks for: one for each, or one for all as the route says."""
        more = ",part" if route == "alone" else ""
        blobs = [self.drop(f"asked/{len(self.expected)}.csv", more).blob for _ in range(count)]
        answer = post(self.drops, "runs", {"route": route, "blobs": blobs})
        assert answer.status_code == 202, answer.text
        return [str(run["run"]) for run in answer.json()["runs"]]

    def run(self, name: str) -> Run:
        found = self.drops.ledger.run(name)
        assert found is not None
        return found

    def wait(self, run: str, *stages: str, attempt: int = 1) -> None:
        until(
            lambda: self.run(run).stage in stages and self.run(run).attempt == attempt,
            f"{run} at {stages} of attempt {attempt}",
        )

    def searching(self) -> str:
        """A run that has lost the answer to its POST, and cannot read the list of jobs until `clear_faults`."""
        self.drops.faults(
            {"do": "reset", "after": True},
            {"do": "answer", "status": 403, "on": r"GET .*/jobs\?", "times": None},
        )
        [run] = self.ask("gated")
        self.wait(run, "searching")
        return run

    def throttled(self) -> str:
        """A run that may not submit until `clear_faults`, and tries again every few seconds."""
        throttled = {"do": "answer", "status": 429, "headers": {"Retry-After": "5"}, "times": None}
        self.drops.faults({**throttled, "on": "POST /endpoints/gated/"})
        [run] = self.ask("gated")
        until(lambda: self.run(run).path and self.run(run).stage == "packed", "the refusal")
        return run

    def clear_faults(self) -> None:
        url = f"{self.drops.stack.azureml_url}/control/faults"
        requests.delete(url, timeout=10).raise_for_status()

    def second_attempt(self) -> str:
        """A run of two files whose job has failed, and whose second one is under way."""
        self.drops.faults({"do": "fail", "on": "gated/only", "message": "out of memory"})
        [run] = self.ask("gated", 2)
        self.wait(run, "submitted", attempt=2)
        return run

    def started_over(self) -> str:
        """A run whose wait is in its second generation."""
        [run] = self.ask("gated")
        self.wait(run, "submitted")
        wait = f"{run}-1-await-1"
        first = until(lambda: live(self.drops.stack).get(wait), "the wait").execution
        raise_event(self.drops.stack, wait, "wake")
        until(lambda: live(self.drops.stack)[wait].execution != first, "the second generation")
        return run

    def check_predictions(self, seconds: float = 90) -> None:
        """Every file has its own, in time."""
        for blob, (version, predictions) in self.expected.items():
            _, word = self.drops.closed(version, seconds)
            assert (word.word, self.drops.predictions(blob)) == ("published", predictions)

    def check_jobs(self, *, launches: Iterable[int] = (1,)) -> None:
        """Each job of the workspace is the one of one attempt of one run; every run has closed, and left nothing."""
        ledger = self.drops.ledger
        keys = {item.key.split("/")[1] for item in ledger.store.listed("runs/")}
        until(lambda: not list(ledger.announced()), "the end of every run")
        runs = [self.run(key) for key in sorted(keys)]
        jobs = [job for run in runs for job in (run.job, *run.earlier_jobs) if job]
        assert sorted(jobs) == sorted(self.drops.jobs())
        assert {(run.stage, run.post) for run in runs} == {("closed", 1)}
        assert {run.launch for run in runs} <= {*launches}
        assert [ledger.waiting(route) for route in ("gated", "alone", "double")] == [[], [], []]


def redeploy(stack: Stack, put: Callable[[Path], None], how: str = "kill") -> dict[str, Instance]:
    """Ends the host by "kill" or "stop", replaces its app, starts it again. Returns what was there in between."""
    getattr(stack.children["host"], how)()
    before = instances(stack)
    put(stack.app)
    stack.start_host()
    return before


def all_ended(stack: Stack) -> dict[str, Instance]:
    """Every orchestration, when none but a sweep is under way; a run is closed a moment before its own has ended."""
    until(lambda: all(one.name == "sweep" for one in live(stack).values()), "the end of every orchestration")
    return instances(stack)


def check_paths(stack: Stack, before: dict[str, Instance]) -> None:
    """What began before the redeploy ended well on the old path; what began later, and only that, on the new one."""
    for one in all_ended(stack).values():
        old = one.id in before or one.id.split("-await-")[0] in before
        assert one.version == (OLD if old else NEW), one
        if one.name == "sweep":
            continue
        assert one.status == "Completed", f"{one.id}: {one.output}"
        new = [step for step in one.steps if step in NEW_STEPS]
        if old:
            assert new == [], one
        elif one.name == "await_job":
            assert one.steps[0] == "watch_closely", one
        else:
            assert one.steps[:2] == ("announce", "prove"), one
            assert one.steps[-2:] == ("conclude", "close_run"), one


@pytest.mark.parametrize("how", [KILLED, TOLD])
def test_runs_under_way_at_a_redeploy_end_on_the_code_they_began_on(tmp_path: Path, how: str) -> None:
    with gated_stack(tmp_path) as drops:
        work = Work(drops)
        work.second_attempt()
        work.started_over()
        drops.submitted(work.drop("gated/dropped.csv"))
        searching, throttled = work.searching(), work.throttled()
        begun = work.ask("double", 2)
        before = redeploy(drops.stack, release, how)
        assert before[f"{throttled}-1"].steps[-1] == "submit_job"
        assert before[f"{searching}-1"].steps[-1] == "find_job"
        assert not {f"{run}-1-await-1" for run in (throttled, searching)} & {*before}
        assert {*begun} <= {one.id.split("-")[0] for one in before.values() if one.live}
        open_gate(tmp_path)
        work.clear_faults()
        work.ask("double")
        work.ask("gated", 2)
        work.drop("double/later.csv")
        work.check_predictions()
        work.check_jobs()
        check_paths(drops.stack, before)


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_hundred_runs_at_every_stage_outlive_a_redeploy(tmp_path: Path, how: str) -> None:
    with gated_stack(tmp_path) as drops:
        work = Work(drops)
        waiting = work.ask("alone", 80)
        for run in waiting:
            work.wait(run, "submitted")
        for number in range(4):
            work.second_attempt()
            work.started_over()
            drops.submitted(work.drop(f"gated/{number}.csv"))
        for hold in (work.searching, work.throttled):
            for _ in range(4):
                hold()
        run_at_every_stage(work)
        before = redeploy(drops.stack, release, how)
        under_way = [one for one in before.values() if one.live and one.name == "score_run"]
        assert len(under_way) >= 100
        # While the host ends, the last run at a stage may leave it.
        assert len(STAGES & {one.stage for one in under_way}) >= 5
        open_gate(tmp_path)
        work.clear_faults()
        work.ask("double", 10)
        work.check_predictions(600)
        work.check_jobs()
        check_paths(drops.stack, before)


def run_at_every_stage(work: Work) -> None:
    """Starts runs of a quick model until some are under way at each stage, at this moment."""
    for _ in range(30):
        work.ask("double", 5)
        for _ in range(20):
            if set(stages(work.drops.stack)) >= STAGES:
                return
            time.sleep(0.05)
    raise AssertionError(f"not at every stage at once, but at {set(stages(work.drops.stack))}")


@pytest.mark.full
def test_a_change_without_a_new_version_is_noticed(tmp_path: Path) -> None:
    with gated_stack(tmp_path) as drops:
        before = released_carelessly(Work(drops), tmp_path)
        with pytest.raises(AssertionError, match="Non-Deterministic workflow detected"):
            check_paths(drops.stack, before)


@pytest.mark.full
def test_a_change_without_a_new_version_costs_no_job(tmp_path: Path) -> None:
    with gated_stack(tmp_path) as drops:
        work = Work(drops)
        released_carelessly(work, tmp_path)
        work.check_predictions()
        work.check_jobs(launches=[2])


def released_carelessly(work: Work, folder: Path) -> dict[str, Instance]:
    """Two runs under way, and a release that makes them fail. Returns what was there in between."""
    runs = [work.started_over(), *work.ask("gated")]
    work.wait(runs[1], "submitted")
    before = redeploy(work.drops.stack, release_carelessly)
    open_gate(folder)
    until(lambda: not {f"{run}-1" for run in runs} & {*live(work.drops.stack)}, "the failures")
    return before


@pytest.mark.full
def test_a_rollback_leaves_newer_runs_alone_until_their_release_is_back(tmp_path: Path) -> None:
    with gated_stack(tmp_path) as drops:
        stack, work = drops.stack, Work(drops)
        redeploy(stack, release)
        newer = [work.second_attempt(), work.started_over(), *work.ask("gated")]
        work.wait(newer[2], "submitted")
        newer += work.ask("double", 3)
        before = redeploy(stack, deploy)
        open_gate(tmp_path)
        older = [*work.ask("double"), *work.ask("gated")]
        for run in older:
            work.wait(run, "closed")
        until(lambda: set(drops.jobs().values()) == {"Completed", "Failed"}, "the end of every job")
        found = instances(stack)
        assert [found[f"{run}-1"] for run in newer] == [before[f"{run}-1"] for run in newer]
        assert {found[f"{run}-1"].version for run in older} == {OLD}
        redeploy(stack, release)
        work.check_predictions()
        work.check_jobs()
        ended = all_ended(stack)
        assert {ended[f"{run}-1"].status for run in [*newer, *older]} == {"Completed"}
        assert all("announce" in ended[f"{run}-1"].steps for run in newer)
