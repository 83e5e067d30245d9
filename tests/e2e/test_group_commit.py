"""Floods are cheap, one bad file harms only itself, and nothing is paid for twice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from local.stack import ROOT, Stack
from shared.ledger_keys import hold_key
from shared.records import Version
from tests.e2e.drops import MODELS, SETTINGS, Drops, doubled, numbers, post, routes, until


@contextmanager
def job_under_way(drops: Drops, name: str) -> Iterator[Version]:
    """A job of the route `named` that ends only after this."""
    version = drops.drop(name, numbers(3))
    job = drops.submitted(version).job
    drops.control(f"jobs/{job}", {"report": "Running"})
    try:
        yield version
    finally:
        drops.control(f"jobs/{job}", {"report": None})


pytestmark = pytest.mark.full


def flood(drops: Drops, folder: str, count: int) -> list[Version]:
    """Files that were dropped while a job was under way, each with rows of its own, all waiting."""

    def drop(number: int) -> Version:
        return drops.drop(f"{folder}/{number}.csv", numbers(number % 7 + 1, start=number))

    with job_under_way(drops, f"{folder}/first.csv"), ThreadPoolExecutor(8) as threads:
        versions = list(threads.map(drop, range(count)))
        keys = {version.key for version in versions}
        until(
            lambda: keys <= {version.key for version in drops.ledger.waiting("named")},
            "all files waiting",
            seconds=30 + count / 5,
            every=0.05 + count / 1000,
        )
    return versions


def check_flood(drops: Drops, folder: str, count: int, seconds: float = 60) -> int:
    """Every file of a flood has its own predictions. Returns how many runs it took."""
    words: dict[str, dict[str, str]] = {}
    for number, version in enumerate(flood(drops, folder, count)):
        run = until(partial(drops.closed_run, version), f"the end of {version.blob}", seconds)
        if run.run not in words:
            words[run.run] = {word.version: word.word for word in drops.ledger.results(run)}
        assert words[run.run][version.key] == "published"
        assert drops.predictions(version.blob) == doubled(number % 7 + 1, start=number)
    return len(words)


def test_files_dropped_while_a_job_runs_share_the_next_one(drops: Drops) -> None:
    before = len(drops.jobs())
    assert check_flood(drops, "named/flood", 30) == 1
    assert len(drops.jobs()) == before + 2


@pytest.mark.full
@pytest.mark.timeout(2400)
def test_two_thousand_files_end_in_at_most_five_jobs(tmp_path: Path) -> None:
    """On a stack that sweeps once a minute, as an app does.

    Ten thousand come in the simulation: each call takes Azurite longer, the more blobs it has.
    """
    settings = {**SETTINGS, "DROPSCORE_SWEEP_SCHEDULE": "0 * * * * *"}
    with Stack(tmp_path, [ROOT / "models", MODELS], routes(), settings) as stack:
        drops = Drops(stack)
        check_flood(drops, "named/thousands", 2_000, seconds=1500)
        assert len(drops.jobs()) <= 5


def test_a_file_the_model_cannot_bear_harms_only_itself(drops: Drops) -> None:
    before = len(drops.jobs())
    with job_under_way(drops, "named/bad/first.csv"):
        good = [drops.drop(f"named/bad/{number}.csv", numbers(4, start=number)) for number in range(3)]
        bad = drops.drop("named/bad/poison.csv", "id,x\nr,-666\n")
        until(lambda: len(drops.ledger.waiting("named")) >= 4, "all files waiting")
    run, word = drops.closed(bad)
    assert (word.word, run.outcome, run.attempt) == ("failed", "partial", 2)
    assert "of this file" in word.why or "failed" in word.why
    assert drops.read("inbox", bad.blob) is not None
    for number, version in enumerate(good):
        assert drops.closed(version)[1].word == "published"
        assert drops.predictions(version.blob) == doubled(4, start=number)
    assert len(drops.jobs()) == before + 3


def test_files_wait_while_the_endpoint_turns_the_app_away_and_are_scored_when_it_lets_it_in(
    drops: Drops,
) -> None:
    before = len(drops.jobs())
    drops.faults({"do": "answer", "status": 403, "body": "no role"})
    version = drops.drop("named/held.csv", numbers(2))
    until(lambda: drops.ledger.store.read(hold_key("named")), "the hold")
    until(lambda: drops.predictions(version.blob), "the predictions")
    assert drops.predictions(version.blob) == doubled(2)
    run, _ = drops.closed(version)
    assert (run.outcome, len(drops.jobs())) == ("succeeded", before + 1)
    record = drops.ledger.version(version)
    assert record is not None
    assert record.n == 2


def test_a_run_is_canceled_by_a_person(drops: Drops) -> None:
    version = drops.drop("watched/by-hand.csv", "x\n1\n")
    run = drops.submitted(version)
    assert post(drops, f"runs/{run.run}/cancel").status_code == 202
    closed, word = drops.closed(version)
    assert (closed.outcome, word.word) == ("canceled", "canceled")
    assert until(lambda: drops.jobs()[run.job] == "Canceled", "the job's end")
    assert drops.read("inbox", version.blob) == "x\n1\n"
    assert post(drops, "runs/01NONE/cancel").status_code == 404


def test_a_run_whose_job_has_ended_is_canceled_too_late(drops: Drops) -> None:
    run, _ = drops.closed(drops.drop("double/too-late.csv", numbers(1)))
    assert post(drops, f"runs/{run.run}/cancel").status_code == 409


def test_a_rerun_unpacks_what_is_there_and_pays_for_no_second_job(drops: Drops) -> None:
    predictions = drops.stack.container("predictions")
    predictions.upload_blob("double/taken.csv", b"somebody's notes")
    version = drops.drop("double/taken.csv", numbers(5))
    run, word = drops.closed(version)
    assert (run.outcome, word.word) == ("failed", "failed")
    assert "not ours" in word.why
    jobs = drops.jobs()
    predictions.delete_blob("double/taken.csv")
    answer = post(drops, f"runs/{run.run}/rerun")
    assert (answer.status_code, answer.json()["runs"][0]["run"]) == (202, run.run)
    until(lambda: drops.predictions(version.blob) == doubled(5), "the predictions")
    assert drops.jobs() == jobs
    assert drops.closed(version)[1].word == "published"
    assert post(drops, f"runs/{run.run}/rerun").status_code == 409


def test_a_run_whose_job_failed_is_rerun_as_a_new_one(drops: Drops) -> None:
    version = drops.drop("raising/again.csv", "x\n1\n")
    run, _ = drops.closed(version)
    answer = post(drops, f"runs/{run.run}/rerun")
    assert answer.status_code == 202
    [planned] = answer.json()["runs"]
    assert (planned["run"] != run.run, planned["blobs"]) == (True, [version.blob])
    again, word = until(
        lambda: found if (found := drops.closed(version))[0].run != run.run else None, "the new run"
    )
    assert (again.run, word.word) == (planned["run"], "failed")


def test_the_same_bytes_are_not_scored_twice_by_the_same_model(drops: Drops) -> None:
    first = drops.drop("double/same.csv", numbers(5))
    drops.closed(first)
    jobs = drops.jobs()
    again = drops.drop("double/same.csv", numbers(5))
    assert again.etag != first.etag
    run, word = drops.closed(again)
    assert (word.word, word.where, run.outcome) == ("unchanged", "predictions/double/same.csv", "succeeded")
    assert drops.jobs() == jobs
    body = {"route": "double", "blobs": ["double/same.csv"], "force": True}
    [forced] = post(drops, "runs", body).json()["runs"]
    until(lambda: (run := drops.ledger.run(forced["run"])) and run.stage == "closed", "the forced run")
    assert len(drops.jobs()) == len(jobs) + 1


def test_several_files_asked_for_at_once_are_one_run_where_they_can_share_a_job(drops: Drops) -> None:
    blobs = [f"asked/{number}.csv" for number in range(3)]
    versions = [drops.drop(blob, numbers(2, start=number)) for number, blob in enumerate(blobs)]
    [asked] = post(drops, "runs", {"route": "named", "blobs": blobs}).json()["runs"]
    assert asked["blobs"] == blobs
    assert {drops.closed(version)[0].run for version in versions} == {asked["run"]}
    assert [drops.predictions(blob) for blob in blobs] == [doubled(2, start=number) for number in range(3)]
