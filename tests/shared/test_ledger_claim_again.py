"""Versions that somebody asks for: they are claimed again once they have ended."""

from typing import get_args

import pytest

from shared.ledger import Ledger
from shared.records import Word
from tests.shared.ledgers import LAUNCH, ROUTE, arrived, claimed, closed_run, version, word
from tests.shared.memory_store import OutrunStore


def test_a_version_that_its_closed_run_gave_no_word_can_be_asked_for(ledger: Ledger) -> None:
    claimed(ledger)
    closed_run(ledger, "R1")
    assert ledger.claim_again("R2", version())[0] is not None


def test_a_version_that_nobody_knows_can_be_asked_for(ledger: Ledger) -> None:
    assert ledger.claim_again("R1", version()) == (version().but(run="R1"), "")
    assert ledger.claim_again("R1", version()) == (version().but(run="R1"), "")


def test_a_waiting_version_can_be_asked_for(ledger: Ledger) -> None:
    (marked,) = arrived(ledger)
    assert ledger.claim_again("R1", version())[0] == version().but(run="R1")
    assert ledger.claim("R2", marked) is None


def test_a_version_that_is_being_scored_cannot_be_asked_for(ledger: Ledger) -> None:
    claimed(ledger)
    ledger.open(LAUNCH, ROUTE)
    for force in (False, True):
        assert ledger.claim_again("R2", version(), force=force) == (None, "run R1 is scoring it")


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("final", get_args(Word))
def test_a_version_that_ended_is_scored_again_unless_it_is_published(
    ledger: Ledger, final: str, force: bool
) -> None:
    mine = claimed(ledger)
    closed_run(ledger, "R1", word(mine, final))
    taken, why = ledger.claim_again("R2", version(), force=force)
    if final in ("published", "unchanged") and not force:
        assert (taken, why) == (None, "run R1 has published it")
        assert ledger.version(version()) == mine
    else:
        assert taken == version().but(run="R2", n=2, force=force) == ledger.version(version())


def test_of_two_runs_that_ask_for_a_version_the_slower_is_told() -> None:
    store = OutrunStore()
    ledger = Ledger(store)
    mine = claimed(ledger)
    closed_run(ledger, "R1", word(mine, "failed"))
    store.meanwhile = lambda: ledger.claim_again("R2", version())
    assert ledger.claim_again("R3", version()) == (None, "another run was faster")


def test_a_run_that_was_reopened_keeps_its_touched_versions_from_one_that_saw_it_closed() -> None:
    store = OutrunStore()
    ledger = Ledger(store)
    ledger.bring_plan("R1", [version()])
    mine = claimed(ledger)
    closed_run(ledger, "R1", word(mine, "failed"))

    def reopened() -> None:
        ledger.reopen("R1", ROUTE)
        ledger.touch(mine)

    store.meanwhile = reopened
    assert ledger.claim_again("R2", version()) == (None, "another run was faster")
    assert ledger.version(version()) == mine


def test_a_version_of_a_reopened_run_cannot_be_asked_for(ledger: Ledger) -> None:
    mine = claimed(ledger)
    closed_run(ledger, "R1", word(mine, "failed"))
    ledger.reopen("R1", ROUTE)
    assert ledger.claim_again("R2", version(), force=True) == (None, "run R1 is scoring it")
