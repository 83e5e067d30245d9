"""Runs in the ledger: every transition happens once, and only for the launch that holds the run."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.errors import Fenced, Unsettled
from shared.ledger import Ledger
from shared.records import Launch
from shared.routes import Route
from shared.store import Document, Store
from tests.shared.ledgers import (
    LAUNCH,
    RELAUNCH,
    ROUTE,
    SEEN,
    STAGES,
    Clock,
    brought_to,
    keys,
    second_attempt,
    submitted,
    version,
    word,
)
from tests.shared.memory_store import MemoryStore, OutrunStore

TRANSITIONS: dict[str, Callable[[Ledger, Launch], Any]] = {
    **STAGES,
    "not submitted": lambda ledger, launch: ledger.not_submitted(launch, SEEN, post=2),
    "preempted": lambda ledger, launch: ledger.preempted(launch, SEEN),
    "stopping": lambda ledger, launch: ledger.stopping(launch, "timed-out"),
    "raw found": lambda ledger, launch: ledger.raw_found(launch, SEEN, "0x1"),
    "try alone": lambda ledger, launch: ledger.try_alone(launch, SEEN),
    "failed": lambda ledger, launch: ledger.failed(launch, "pack", "why"),
    "turned away": lambda ledger, launch: ledger.turned_away(launch, "403"),
    "released": lambda ledger, launch: ledger.released(launch, 3),
    "canceled": lambda ledger, launch: ledger.canceled(launch),
    "progressing": lambda ledger, launch: ledger.progressing(launch),
    "not moved": lambda ledger, launch: ledger.not_moved(launch, {"a.csv": "why"}),
    "fenced": lambda ledger, launch: ledger.fenced(launch),
}


@pytest.mark.parametrize("transition", TRANSITIONS.values(), ids=TRANSITIONS)
def test_a_launch_that_was_overtaken_changes_nothing(
    ledger: Ledger, store: Store, transition: Callable[[Ledger, Launch], Any]
) -> None:
    ledger.open(LAUNCH, ROUTE)
    ledger.open(RELAUNCH, ROUTE)
    before = {key: store.read(key) for key in keys(store, "runs/")}
    with pytest.raises(Fenced, match="run R1 belongs to launch 2, not 1"):
        transition(ledger, LAUNCH)
    assert {key: store.read(key) for key in keys(store, "runs/")} == before


@pytest.mark.parametrize("name", [name for name in TRANSITIONS if name != "gathering"])
def test_a_run_without_a_record_cannot_change(ledger: Ledger, name: str) -> None:
    with pytest.raises(Fenced, match="run R1 has no record"):
        TRANSITIONS[name](ledger, LAUNCH)


def test_a_run_is_opened_once_and_stands_in_the_index_until_it_closes(ledger: Ledger, store: Store) -> None:
    opened = ledger.open(LAUNCH, ROUTE)
    assert (opened.stage, opened.created_at) == ("gathering", ledger.now())
    assert Route.from_dict(opened.route) == ROUTE
    assert ledger.open(LAUNCH, ROUTE.but(model="https://other/jobs")) == ledger.run("R1")
    assert Route.from_dict(ledger.fenced(LAUNCH).route) == ROUTE
    assert keys(store, "open/") == ["open/R1"]
    ledger.closed(LAUNCH, "succeeded")
    assert keys(store, "open/") == []


def test_a_later_launch_takes_the_run_over_where_it_stands(ledger: Ledger) -> None:
    ledger.open(LAUNCH, ROUTE)
    gathered = ledger.gathered(LAUNCH, 3)
    assert ledger.open(RELAUNCH, ROUTE) == gathered.but(launch=2)


def test_the_whole_way_of_a_run(ledger: Ledger) -> None:
    stages = []
    for step in STAGES.values():
        step(ledger, LAUNCH)
        stages.append(ledger.fenced(LAUNCH).stage)
    assert stages == list(STAGES)


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


def test_the_claims_of_a_run_are_what_the_records_of_its_plan_say(ledger: Ledger) -> None:
    plan = [version(name) for name in "abc"]
    ledger.bring_plan("R1", plan)
    ledger.claim("R1", plan[0])
    ledger.claim("R2", plan[1])
    assert ledger.claims("R1") == [plan[0].but(run="R1")]


def test_a_step_that_is_repeated_changes_nothing(ledger: Ledger) -> None:
    ledger.open(LAUNCH, ROUTE)
    gathered = ledger.gathered(LAUNCH, 3, left_out="b.csv: being scored")
    assert ledger.gathered(LAUNCH, 99) == gathered
    packed = ledger.packed(LAUNCH, attempt=1, rows=10, parts=3)
    assert ledger.packed(LAUNCH, attempt=1, rows=99, parts=99) == packed == ledger.gathered(LAUNCH, 99)
    assert (packed.files, packed.left_out, packed.rows, packed.parts) == (3, "b.csv: being scored", 10, 3)


def test_a_slow_pack_of_the_first_attempt_says_nothing_of_the_second(ledger: Ledger) -> None:
    second = second_attempt(ledger)
    assert ledger.packed(LAUNCH, attempt=1, rows=99, parts=99) == second
    assert ledger.packed(LAUNCH, attempt=2, rows=4, parts=1).stage == "packed"


def test_the_first_reason_to_stop_stands(ledger: Ledger) -> None:
    ledger.open(LAUNCH, ROUTE)
    ledger.stopping(LAUNCH, "timed-out")
    assert ledger.stopping(LAUNCH, "canceled").stopping == "timed-out"


def test_the_first_raw_predictions_stand(ledger: Ledger) -> None:
    run = brought_to("ended", ledger)
    ledger.raw_found(LAUNCH, run, "0x1")
    assert ledger.raw_found(LAUNCH, run, "0x2").raw_etag == "0x1"


def test_raw_predictions_of_an_earlier_attempt_do_not_count(ledger: Ledger) -> None:
    first = brought_to("ended", ledger)
    ledger.try_alone(LAUNCH, first)
    with pytest.raises(Fenced, match="has gone on"):
        ledger.raw_found(LAUNCH, first, "0x1")


def test_the_first_reason_of_a_failure_stands(ledger: Ledger) -> None:
    ledger.open(LAUNCH, ROUTE)
    ledger.failed(LAUNCH, "pack", "no memory")
    later = ledger.failed(LAUNCH, "unpack", "no disk")
    assert (later.failed_stage, later.why, later.stage) == ("pack", "no memory", "gathering")


def test_the_first_reason_to_be_turned_away_stands(ledger: Ledger) -> None:
    ledger.open(LAUNCH, ROUTE)
    ledger.turned_away(LAUNCH, "403")
    assert ledger.turned_away(LAUNCH, "404").held == "403"


def test_a_release_that_is_repeated_counts_its_files_once(ledger: Ledger) -> None:
    ledger.open(LAUNCH, ROUTE)
    ledger.released(LAUNCH, 3)
    assert ledger.released(LAUNCH, 1).released == 3


def test_a_sign_of_life_changes_the_time_and_nothing_else(ledger: Ledger, clock: Clock) -> None:
    ledger.open(LAUNCH, ROUTE)
    before = ledger.fenced(LAUNCH)
    clock.sleep(minutes=7)
    ledger.progressing(LAUNCH)
    assert ledger.run("R1") == before.but(progress_at=ledger.now())


def test_inputs_that_stay_are_collected_over_the_chunks(ledger: Ledger) -> None:
    ledger.open(LAUNCH, ROUTE)
    ledger.not_moved(LAUNCH, {"a.csv": "AzureError"})
    assert ledger.not_moved(LAUNCH, {"b.csv": "HttpResponseError"}).not_moved == {
        "a.csv": "AzureError",
        "b.csv": "HttpResponseError",
    }


def test_results_are_written_once_whoever_writes_them(ledger: Ledger) -> None:
    run = ledger.open(LAUNCH, ROUTE)
    assert ledger.results(run) == []
    first, second = [word(version(), "published")], [word(version(), "failed")]
    assert ledger.resulted(LAUNCH, ledger.fenced(LAUNCH), first) == first
    assert ledger.resulted(LAUNCH, ledger.fenced(LAUNCH), second) == first
    ledger.open(RELAUNCH, ROUTE)
    assert ledger.resulted(RELAUNCH, ledger.fenced(RELAUNCH), second) == first
    assert ledger.results(ledger.fenced(RELAUNCH)) == first


class Forgetful(MemoryStore):
    """Says of results that something was there, and has nothing."""

    def create_lines(self, key: str, documents: list[Document]) -> str:
        return "" if "result" in key else super().create_lines(key, documents)


def test_a_run_whose_words_are_not_there_is_not_closed_without_them() -> None:
    ledger = Ledger(Forgetful())
    brought_to("ended", ledger)
    with pytest.raises(Unsettled, match="not there"):
        ledger.resulted(LAUNCH, ledger.fenced(LAUNCH), [word(version(), "published")])
    assert ledger.fenced(LAUNCH).stage == "ended"


def test_a_closed_run_stays_as_it_was_closed(ledger: Ledger) -> None:
    ledger.open(LAUNCH, ROUTE)
    ledger.resulted(LAUNCH, ledger.fenced(LAUNCH), [word(version(), "published")])
    closed = ledger.closed(LAUNCH, "succeeded")
    assert ledger.closed(LAUNCH, "failed") == closed
    ledger.resulted(LAUNCH, ledger.fenced(LAUNCH), [])
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
    store.meanwhile = lambda: ledger.cancel("R1")
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


def test_a_job_is_noted_although_somebody_has_begun_to_search_for_it() -> None:
    store = OutrunStore()
    ledger = Ledger(store, Clock())
    brought_to("submitting", ledger)
    store.meanwhile = lambda: ledger.searching(LAUNCH)
    noted = submitted(ledger, LAUNCH)
    assert (noted.stage, noted.job) == ("submitted", "job-1")
