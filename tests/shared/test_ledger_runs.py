"""Runs in the ledger: every transition happens once, and only for the launch that holds the run."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.errors import Fenced
from shared.ledger import Ledger, run_key
from shared.records import Launch, Run
from shared.routes import Route
from shared.store import Store
from tests.shared.ledgers import LAUNCH, RELAUNCH, ROUTE, Clock, version, word
from tests.shared.memory_store import OutrunStore


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return Ledger(store, Clock())


def submitted(ledger: Ledger, launch: Launch, job: str = "job-1") -> Run:
    return ledger.submitted(launch, job=job, job_id=f"/{job}", deployment="blue", spares=[])


def submitting(ledger: Ledger, launch: Launch, nonce: str = "first") -> Run:
    return ledger.submitting(launch, path=f"of {nonce}", nonce=nonce)


def ended(ledger: Ledger, launch: Launch, outcome: str = "completed", why: str = "") -> Run:
    return ledger.ended(launch, outcome, why=why, studio="https://studio")


SEEN = Run(run="R1", launch=1, route={}, slot=None, created_at="", stage="submitting", nonce="first")
TRANSITIONS: dict[str, Callable[[Ledger, Launch], Any]] = {
    "open": lambda ledger, launch: ledger.open(launch, ROUTE),
    "gathered": lambda ledger, launch: ledger.gathered(launch, 1),
    "packed": lambda ledger, launch: ledger.packed(launch, rows=10, parts=1),
    "submitting": submitting,
    "not submitted": lambda ledger, launch: ledger.not_submitted(launch, SEEN, post=2),
    "searching": lambda ledger, launch: ledger.searching(launch),
    "submitted": submitted,
    "stopping": lambda ledger, launch: ledger.stopping(launch, "timed-out"),
    "ended": ended,
    "raw found": lambda ledger, launch: ledger.raw_found(launch, "0x1"),
    "failed": lambda ledger, launch: ledger.failed(launch, "pack", "why"),
    "resulted": lambda ledger, launch: ledger.resulted(launch, []),
    "closed": lambda ledger, launch: ledger.closed(launch, "succeeded"),
    "fenced": lambda ledger, launch: ledger.fenced(launch),
}


@pytest.mark.parametrize("transition", TRANSITIONS.values(), ids=TRANSITIONS)
def test_a_launch_that_was_overtaken_changes_nothing(
    ledger: Ledger, store: Store, transition: Callable[[Ledger, Launch], Any]
) -> None:
    ledger.open(LAUNCH, ROUTE)
    ledger.open(RELAUNCH, ROUTE)
    before = {item.key: store.read(item.key) for item in store.listed("runs/")}
    with pytest.raises(Fenced, match="run R1 belongs to launch 2, not 1"):
        transition(ledger, LAUNCH)
    assert {item.key: store.read(item.key) for item in store.listed("runs/")} == before


@pytest.mark.parametrize("name", [name for name in TRANSITIONS if name != "open"])
def test_a_run_without_a_record_cannot_change(ledger: Ledger, name: str) -> None:
    with pytest.raises(Fenced, match="run R1 has no record"):
        TRANSITIONS[name](ledger, LAUNCH)


def test_a_run_is_opened_once_and_stands_in_the_index_until_it_closes(ledger: Ledger, store: Store) -> None:
    opened = ledger.open(LAUNCH, ROUTE)
    assert (opened.stage, opened.created_at) == ("gathering", ledger.now())
    assert Route.from_dict(opened.route) == ROUTE
    assert ledger.open(LAUNCH, ROUTE.but(model="https://other/jobs")) == ledger.run("R1")
    assert Route.from_dict(ledger.fenced(LAUNCH).route) == ROUTE
    assert [item.key for item in store.listed("open/")] == ["open/R1"]
    ledger.closed(LAUNCH, "succeeded")
    assert list(store.listed("open/")) == []


def test_a_later_launch_takes_the_run_over_where_it_stands(ledger: Ledger) -> None:
    ledger.open(LAUNCH, ROUTE)
    gathered = ledger.gathered(LAUNCH, 3)
    assert ledger.open(RELAUNCH, ROUTE) == gathered.but(launch=2)


def test_the_whole_way_of_a_run(ledger: Ledger) -> None:
    stages = [ledger.open(LAUNCH, ROUTE).stage, ledger.gathered(LAUNCH, 1).stage]
    stages += [ledger.packed(LAUNCH, rows=10, parts=1).stage, submitting(ledger, LAUNCH).stage]
    stages += [ledger.searching(LAUNCH).stage, submitted(ledger, LAUNCH).stage, ended(ledger, LAUNCH).stage]
    ledger.resulted(LAUNCH, [word(version(), "published")])
    stages += [ledger.fenced(LAUNCH).stage, ledger.closed(LAUNCH, "succeeded").stage]
    assert stages == [
        *(
            "gathering",
            "gathered",
            "packed",
            "submitting",
            "searching",
            "submitted",
            "ended",
            "resulted",
            "closed",
        )
    ]


def test_a_plan_is_written_once(ledger: Ledger) -> None:
    first, second = [version("a"), version("b")], [version("c")]
    assert ledger.plan("R1", lambda: first) == first
    assert ledger.plan("R1", lambda: second) == first
    assert not ledger.bring_plan("R1", second)


def test_an_empty_plan_is_a_plan(ledger: Ledger) -> None:
    assert ledger.plan("R1", list) == []
    assert ledger.plan("R1", lambda: [version()]) == []


def test_a_run_that_brings_its_plan_is_asked_for_nothing(ledger: Ledger) -> None:
    assert ledger.bring_plan("R1", [version("asked")])
    assert ledger.plan("R1", lambda: [version("waiting")]) == [version("asked")]


def test_of_two_plans_at_once_both_use_the_faster(ledger: Ledger) -> None:
    def slow() -> list[Any]:
        ledger.bring_plan("R1", [version("faster")])
        return [version("slower")]

    assert ledger.plan("R1", slow) == [version("faster")]


def test_a_step_that_is_repeated_changes_nothing(ledger: Ledger) -> None:
    ledger.open(LAUNCH, ROUTE)
    gathered = ledger.gathered(LAUNCH, 3, "b.csv: being scored")
    assert ledger.gathered(LAUNCH, 99) == gathered
    packed = ledger.packed(LAUNCH, rows=10, parts=3)
    assert ledger.packed(LAUNCH, rows=99, parts=99) == packed == ledger.gathered(LAUNCH, 99)
    assert (packed.files, packed.left_out, packed.rows, packed.parts) == (3, "b.csv: being scored", 10, 3)


def in_submission(ledger: Ledger) -> Run:
    ledger.open(LAUNCH, ROUTE)
    ledger.gathered(LAUNCH, 1)
    ledger.packed(LAUNCH, rows=10, parts=1)
    return submitting(ledger, LAUNCH)


def test_only_one_execution_has_the_right_to_post(ledger: Ledger) -> None:
    first = in_submission(ledger)
    assert (first.nonce, first.path, first.intent_at) == ("first", "of first", ledger.now())
    assert submitting(ledger, LAUNCH, "second") == first


def test_after_a_sure_refusal_the_run_may_post_again(ledger: Ledger) -> None:
    in_submission(ledger)
    again = ledger.not_submitted(LAUNCH, ledger.fenced(LAUNCH), post=2)
    assert (again.stage, again.post, again.nonce) == ("packed", 2, "")
    assert submitting(ledger, LAUNCH, "second").nonce == "second"


@pytest.mark.parametrize("seen", [submitted, ended])
def test_a_run_that_has_its_job_cannot_lose_it(ledger: Ledger, seen: Callable[[Ledger, Launch], Run]) -> None:
    in_submission(ledger)
    submitted(ledger, LAUNCH)
    before = seen(ledger, LAUNCH)
    assert ledger.not_submitted(LAUNCH, before, post=2) == before


def test_the_first_job_stands(ledger: Ledger) -> None:
    in_submission(ledger)
    first = submitted(ledger, LAUNCH)
    assert (first.stage, first.job, first.job_id, first.deployment) == (
        "submitted",
        "job-1",
        "/job-1",
        "blue",
    )
    assert submitted(ledger, LAUNCH, "job-2") == first
    assert ledger.searching(LAUNCH) == first


def test_the_first_reason_to_stop_stands(ledger: Ledger) -> None:
    ledger.open(LAUNCH, ROUTE)
    ledger.stopping(LAUNCH, "timed-out")
    assert ledger.stopping(LAUNCH, "canceled").stopping == "timed-out"


def test_the_first_end_of_the_job_stands(ledger: Ledger) -> None:
    in_submission(ledger)
    submitted(ledger, LAUNCH)
    first = ended(ledger, LAUNCH, "failed", "out of memory")
    assert (first.job_outcome, first.why, first.failed_stage) == ("failed", "out of memory", "await")
    assert first.studio == "https://studio"
    assert ended(ledger, LAUNCH, "completed") == first


def test_a_completed_job_failed_at_no_stage(ledger: Ledger) -> None:
    in_submission(ledger)
    submitted(ledger, LAUNCH)
    assert (ended(ledger, LAUNCH).why, ended(ledger, LAUNCH).failed_stage) == ("", "")


def test_the_first_raw_predictions_stand(ledger: Ledger) -> None:
    ledger.open(LAUNCH, ROUTE)
    ledger.raw_found(LAUNCH, "0x1")
    assert ledger.raw_found(LAUNCH, "0x2").raw_etag == "0x1"


def test_the_first_reason_of_a_failure_stands(ledger: Ledger) -> None:
    ledger.open(LAUNCH, ROUTE)
    ledger.failed(LAUNCH, "pack", "no memory")
    later = ledger.failed(LAUNCH, "unpack", "no disk")
    assert (later.failed_stage, later.why, later.stage) == ("pack", "no memory", "gathering")


def test_results_are_written_once_whoever_writes_them(ledger: Ledger) -> None:
    run = ledger.open(LAUNCH, ROUTE)
    assert ledger.results(run) == []
    first, second = [word(version(), "published")], [word(version(), "failed")]
    assert ledger.resulted(LAUNCH, first) == first
    assert ledger.resulted(LAUNCH, second) == first
    ledger.open(RELAUNCH, ROUTE)
    assert ledger.resulted(RELAUNCH, second) == first
    assert ledger.results(ledger.fenced(RELAUNCH)) == first


def test_a_closed_run_stays_as_it_was_closed(ledger: Ledger) -> None:
    ledger.open(LAUNCH, ROUTE)
    ledger.resulted(LAUNCH, [word(version(), "published")])
    closed = ledger.closed(LAUNCH, "succeeded")
    assert ledger.closed(LAUNCH, "failed") == closed
    ledger.resulted(LAUNCH, [])
    assert ledger.fenced(LAUNCH) == closed


def test_a_run_that_is_closed_twice_leaves_the_slot_to_whom_it_belongs_now(ledger: Ledger) -> None:
    first = ledger.take_slot(ROUTE)
    assert first is not None
    ledger.open(first, ROUTE)
    closed = ledger.closed(first, "succeeded")
    assert (closed.stage, closed.outcome, closed.closed_at) == ("closed", "succeeded", ledger.now())
    assert ledger.take_slot(ROUTE) is not None
    ledger.closed(first, "succeeded")
    assert ledger.take_slot(ROUTE) is None


def test_a_change_that_is_outrun_is_made_on_top_of_the_other() -> None:
    store = OutrunStore()
    ledger = Ledger(store, Clock())
    ledger.open(LAUNCH, ROUTE)

    def cancel() -> None:
        record, etag = store.read(run_key("R1")) or ({}, "")
        assert store.replace(run_key("R1"), {**record, "cancel": True}, etag)

    store.meanwhile = cancel
    changed = ledger.gathered(LAUNCH, 3)
    assert (changed.stage, changed.files, changed.cancel) == ("gathered", 3, True)


def test_a_change_that_is_outrun_by_a_later_launch_is_fenced() -> None:
    store = OutrunStore()
    ledger = Ledger(store, Clock())
    ledger.open(LAUNCH, ROUTE)
    store.meanwhile = lambda: ledger.open(RELAUNCH, ROUTE)
    with pytest.raises(Fenced):
        ledger.gathered(LAUNCH, 3)
    assert ledger.fenced(RELAUNCH).stage == "gathering"
