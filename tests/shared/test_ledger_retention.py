"""Old records: what ended long ago and cannot come back is forgotten, everything else is kept."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.ledger import Ledger
from shared.store import Store
from tests.shared import ledgers
from tests.shared.ledgers import LAUNCH, ROUTE, Clock, claimed, closed_run, keys, version
from tests.shared.memory_store import MemoryStore

KEEP = timedelta(days=90)


@pytest.fixture
def store(clock: Clock) -> MemoryStore:
    """A store whose blobs can be old."""
    return MemoryStore(clock)


def aged(ledger: Ledger, clock: Clock) -> None:
    """One version that its run has ended with, half a year ago."""
    ledger.bring_plan("R1", [version()])
    claimed(ledger)
    closed_run(ledger, "R1", ledgers.word(version(), "published"))
    clock.sleep(days=180)


def forgotten(ledger: Ledger, clock: Clock, *present: str) -> int:
    return ledger.forget_versions(set(present), clock.now - KEEP)


def test_a_version_that_ended_long_ago_and_is_gone_is_forgotten(ledger: Ledger, clock: Clock) -> None:
    aged(ledger, clock)
    assert forgotten(ledger, clock) == 1
    assert ledger.version(version()) is None


def test_a_version_that_still_lies_in_the_inbox_is_kept(ledger: Ledger, clock: Clock) -> None:
    aged(ledger, clock)
    assert forgotten(ledger, clock, version().key) == 0
    assert ledger.version(version()) is not None


def test_a_version_that_ended_a_while_ago_is_kept(ledger: Ledger, clock: Clock) -> None:
    claimed(ledger)
    clock.sleep(days=180)
    closed_run(ledger, "R1")
    clock.sleep(days=80)
    assert forgotten(ledger, clock) == 0


def test_a_version_of_an_open_run_is_kept(ledger: Ledger, clock: Clock) -> None:
    claimed(ledger)
    ledger.open(LAUNCH, ROUTE)
    clock.sleep(days=180)
    assert forgotten(ledger, clock) == 0


def test_while_an_old_run_is_open_every_version_is_kept_for_its_plan(ledger: Ledger, clock: Clock) -> None:
    ledger.open(LAUNCH.but(run="R0"), ROUTE)
    aged(ledger, clock)
    assert forgotten(ledger, clock) == 0
    ledger.closed(LAUNCH.but(run="R0"), "failed")
    assert forgotten(ledger, clock) == 1


def test_a_run_whose_versions_are_forgotten_is_not_opened_again(ledger: Ledger, clock: Clock) -> None:
    aged(ledger, clock)
    forgotten(ledger, clock)
    assert ledger.reopen("R1", ROUTE) is None


def test_a_run_that_is_opened_again_meanwhile_keeps_its_versions(
    ledger: Ledger, store: MemoryStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    aged(ledger, clock)
    in_between(monkeypatch, store, "replace", lambda: ledger.reopen("R1", ROUTE))
    assert forgotten(ledger, clock) == 0
    assert ledger.version(version()) is not None


def test_a_version_that_another_run_claims_meanwhile_is_kept(
    ledger: Ledger, store: MemoryStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    aged(ledger, clock)
    in_between(monkeypatch, store, "delete", lambda: ledger.claim_again("R2", version(), force=True))
    forgotten(ledger, clock)
    assert ledger.version(version()) == version().but(run="R2", n=2, force=True)


def in_between(
    monkeypatch: pytest.MonkeyPatch, store: MemoryStore, call: str, act: Callable[[], object]
) -> None:
    """Somebody acts right before the store is asked for something for the first time."""
    real = getattr(store, call)

    def interrupted(*arguments: Any) -> Any:
        monkeypatch.setattr(store, call, real)
        act()
        return real(*arguments)

    monkeypatch.setattr(store, call, interrupted)


def test_a_version_that_waits_again_is_kept(ledger: Ledger, clock: Clock) -> None:
    ledger.release("R1", claimed(ledger))
    clock.sleep(days=180)
    assert forgotten(ledger, clock) == 0


def test_a_run_is_forgotten_after_its_versions(ledger: Ledger, store: Store, clock: Clock) -> None:
    aged(ledger, clock)
    assert ledger.forget_runs(clock.now - KEEP, "", clock.now) == ([], "R1")
    forgotten(ledger, clock)
    assert ledger.forget_runs(clock.now - KEEP, "", clock.now) == (["R1"], "R1")
    assert keys(store, "runs/") == []


def test_a_run_whose_versions_are_another_runs_is_forgotten(ledger: Ledger, clock: Clock) -> None:
    aged(ledger, clock)
    ledger.claim_again("R2", version(), force=True)
    assert ledger.forget_runs(clock.now - KEEP, "", clock.now)[0] == ["R1"]


def test_a_run_that_is_open_or_closed_a_while_ago_is_kept(ledger: Ledger, clock: Clock) -> None:
    for run in ("R1", "R2"):
        ledger.open(LAUNCH.but(run=run), ROUTE)
    clock.sleep(days=180)
    ledger.closed(LAUNCH, "empty")
    assert ledger.forget_runs(clock.now - KEEP, "", clock.now) == ([], "R2")


def test_the_look_at_runs_goes_on_where_it_ended_and_begins_anew(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.ledger_retention.RUNS_LOOKED_AT", 2)
    for number in range(1, 4):
        ledger.open(LAUNCH.but(run=f"R{number}"), ROUTE)
    clock.sleep(days=180)
    ends = []
    after = ""
    for _ in range(4):
        _, after = ledger.forget_runs(clock.now - KEEP, after, clock.now)
        ends.append(after)
    assert ends == ["R2", "R3", "", "R2"]
