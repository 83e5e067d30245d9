"""Many processes hammer one ledger on Azurite: of each thing there is one winner."""

import multiprocessing
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
from azure.storage.blob import BlobServiceClient

from shared.errors import Fenced
from shared.ledger import Ledger
from shared.records import Launch, Verdict, Version
from shared.store import BlobStore
from tests.shared.ledgers import ROUTE, version

PROCESSES = 4
ROUNDS = [8, pytest.param(200, marks=pytest.mark.full)]


@pytest.fixture
def container(azurite_connection: str) -> str:
    name = f"hammered-{uuid4().hex[:12]}"
    with BlobServiceClient.from_connection_string(azurite_connection) as service:
        service.create_container(name)
    return name


def ledger_of(connection: str, container: str) -> Ledger:
    service = BlobServiceClient.from_connection_string(connection)
    return Ledger(BlobStore(service.get_container_client(container)))


def files(count: int) -> list[Version]:
    return [version(f"in/{number}.csv") for number in range(count)]


def hammer(connection: str, container: str, name: str, rounds: int) -> dict[str, Any]:
    """What one process won: everybody marks and claims the same files, takes the same slot, drives the same run."""
    ledger = ledger_of(connection, container)
    claimed = []
    for one in files(rounds):
        ledger.arrive(one)
        if ledger.claim(name, one):
            claimed.append(one.key)
    slots = [launch.run for _ in range(rounds) if (launch := ledger.take_slot(ROUTE))]
    posted = [
        number for number in range(rounds) if posts(ledger, Launch(run=f"R{number}", launch=1, route="r"))
    ]
    released = sum(ledger.release(name, one) for one in files(rounds))
    return {"claimed": claimed, "slots": slots, "posted": posted, "released": released}


def posts(ledger: Ledger, launch: Launch) -> bool:
    """Whether this process has the right to POST for a run that all of them carry."""
    nonce = uuid4().hex
    ledger.open(launch, ROUTE)
    ledger.gathered(launch, 1)
    ledger.packed(launch, attempt=1, rows=1, parts=1)
    return ledger.submitting(launch, path=nonce, nonce=nonce).nonce == nonce


def worker(arguments: tuple[str, str, str, int]) -> dict[str, Any]:
    return hammer(*arguments)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("rounds", ROUNDS)
def test_of_many_processes_one_wins_each_file_slot_and_run(
    azurite_connection: str, container: str, rounds: int
) -> None:
    given = [(azurite_connection, container, f"P{number}", rounds) for number in range(PROCESSES)]
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        won = pool.map(worker, given)
    ledger = ledger_of(azurite_connection, container)
    # A file that its winner has released may be claimed once more, in the next round.
    claims = Counter(key for one in won for key in one["claimed"])
    rounds_of = {one.key: record.n for one in files(rounds) if (record := ledger.version(one))}
    assert set(claims) == {one.key for one in files(rounds)}
    assert sum(claims.values()) <= sum(rounds_of.values())
    assert len([slot for one in won for slot in one["slots"]]) == 1
    assert sorted(number for one in won for number in one["posted"]) == list(range(rounds))
    assert sum(one["released"] for one in won) == sum(n - 1 for n in rounds_of.values())


@pytest.mark.timeout(600)
@pytest.mark.parametrize("rounds", ROUNDS)
def test_of_many_launches_of_a_run_one_closes_it_and_no_later_one_takes_it_over(
    azurite_connection: str, container: str, rounds: int
) -> None:
    given = [(azurite_connection, container, number, rounds) for number in range(1, PROCESSES + 1)]
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        list(pool.map(relauncher, given))
    ledger = ledger_of(azurite_connection, container)
    for number in range(rounds):
        run = ledger.run(f"R{number}")
        assert run is not None
        assert run.stage == "closed"
        assert run.result is not None
        assert run.result <= run.launch <= PROCESSES
        assert len(ledger.results(run)) == 1


def relauncher(arguments: tuple[str, str, int, int]) -> None:
    """One launch of each run, all at once: it goes as far as the fence lets it."""
    connection, container, number, rounds = arguments
    ledger = ledger_of(connection, container)
    for run in range(rounds):
        launch = Launch(run=f"R{run}", launch=number, route="r")
        try:
            ledger.open(launch, ROUTE)
            ledger.resulted(launch, ledger.fenced(launch), [Verdict(version="v", blob="b", word="published")])
            ledger.closed(launch, f"by {number}")
        except Fenced:
            continue
