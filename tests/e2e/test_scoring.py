"""What people come for: a dropped CSV becomes its predictions, whichever way it was started."""

import io
import time
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pytest
import requests

from local.stack import ROOT, Stack
from models.diabetes.train import FEATURES
from shared.records import Verdict, moment
from tests.e2e.drops import MODELS, ROUTES, SETTINGS, Drops, doubled, numbers, until

DIABETES = ROOT / "models" / "diabetes"


@pytest.mark.parametrize("name", ["clinic-north.csv", "clinic-south.csv"])
def test_published_predictions_are_the_models_row_by_row(drops: Drops, name: str) -> None:
    dropped = (DIABETES / "data" / name).read_bytes()
    run, word = drops.closed(drops.drop(f"diabetes/{name}", dropped))
    assert (run.outcome, word.word) == ("succeeded", "published")

    published = pd.read_csv(io.StringIO(drops.predictions(f"diabetes/{name}")))
    rows = pd.read_csv(io.BytesIO(dropped))
    model = joblib.load(DIABETES / "model" / "diabetes.joblib")
    assert list(published.columns) == ["patient", "progression"]
    assert list(published["patient"]) == list(rows["patient"])
    assert list(published["progression"]) == pytest.approx(
        list(model.predict(rows[list(FEATURES)])), rel=1e-12
    )


def test_the_same_event_again_starts_no_second_job(drops: Drops) -> None:
    version = drops.drop("double/again.csv", numbers(3))
    answers = [drops.stack.event_grid.deliver(version.blob) for _ in range(5)]
    run, word = drops.closed(version)
    answers += [drops.stack.event_grid.deliver(version.blob) for _ in range(5)]
    assert set(answers) == {202}
    assert word.word == "published"
    assert drops.predictions(version.blob) == doubled(3)

    later = drops.drop("double/after-again.csv", numbers(1))
    drops.closed(later)
    mine = [name for name in claimed_jobs(drops, version.blob) if name]
    assert mine == [run.job]


def claimed_jobs(drops: Drops, blob: str) -> list[str]:
    """The jobs of every run whose plan names a blob."""
    runs = {item.key.split("/")[1] for item in drops.ledger.store.listed("runs/")}
    named = [run for run in runs if any(one.blob == blob for one in drops.ledger.plan(run, list))]
    found = (drops.ledger.run(run) for run in named)
    return [run.job for run in found if run and blob in {word.blob for word in drops.ledger.results(run)}]


def test_an_overwritten_file_is_a_new_version_with_predictions_of_its_own(drops: Drops) -> None:
    first = drops.drop("double/twice.csv", numbers(2))
    drops.closed(first)
    second = drops.drop("double/twice.csv", numbers(5, start=10))
    assert drops.closed(second)[1].word == "published"
    assert drops.predictions("double/twice.csv") == doubled(5, start=10)


def test_an_archived_input_leaves_the_inbox(drops: Drops) -> None:
    version = drops.drop("archived/a.csv", numbers(2, start=1))
    run, _ = drops.closed(version)
    assert run.outcome == "succeeded"
    assert drops.predictions("archived/a.csv") == doubled(2, start=1)
    assert drops.read("inbox", "archived/a.csv") is None
    kept = [blob.name for blob in drops.stack.container("archive").list_blobs(name_starts_with="archived/")]
    assert len(kept) == 1
    assert drops.read("archive", kept[0]) == numbers(2, start=1)


def test_a_scheduled_route_waits_for_its_time_and_then_scores_what_waits(drops: Drops) -> None:
    dropped = int(time.time())
    version = drops.drop("nightly/n.csv", "x\n3\n")
    run, word = drops.closed(version)
    due = -(-dropped // 4) * 4
    assert moment(run.created_at).timestamp() >= due
    assert word.word == "published"
    assert drops.predictions("nightly/n.csv") == "prediction\n6.0\n"


def test_a_file_no_event_announced_is_found_by_the_sweep(drops: Drops) -> None:
    with drops.stack.event_grid.losing_events():
        version = drops.drop("double/silent.csv", numbers(2))
    assert drops.closed(version)[1].word == "published"


@pytest.mark.full
def test_names_people_choose_come_back_under_the_same_name(drops: Drops) -> None:
    for name in ("double/Größe 2026 (final) #3 50%.csv", "double/a&b=c;d+e.csv", "double/数据.csv"):
        assert drops.closed(drops.drop(name, numbers(1)))[1].word == "published"
        assert drops.predictions(name) == doubled(1)


def test_an_http_start_scores_files_and_says_where_to_look(drops: Drops) -> None:
    version = drops.drop("double/asked.csv", numbers(2))
    drops.closed(version)
    url = f"{drops.stack.host_url}/api/runs"
    body = {"route": "double", "blobs": [version.blob], "force": True}
    answer = requests.post(url, json=body, timeout=30, headers={"Idempotency-Key": "once"})
    again = requests.post(url, json=body, timeout=30, headers={"Idempotency-Key": "once"})
    assert (answer.status_code, again.status_code) == (202, 202)
    assert answer.json() == again.json()

    where = answer.headers["Location"]
    shown = until(lambda: ended(where), "the end of the ad-hoc run")
    assert shown["outcome"] == "succeeded"
    assert [result["word"] for result in shown["results"]] == ["published"]


def ended(url: str) -> dict[str, Any] | None:
    answer = requests.get(url, timeout=10)
    shown: dict[str, Any] = answer.json()
    return shown if answer.status_code == 200 and shown["stage"] == "closed" else None


def test_an_http_start_does_not_score_again_what_is_published(drops: Drops) -> None:
    version = drops.drop("double/once.csv", numbers(2))
    drops.closed(version)
    url = f"{drops.stack.host_url}/api/runs"
    answer = requests.post(url, json={"route": "double", "blobs": [version.blob]}, timeout=30)
    shown = until(lambda: ended(answer.headers["Location"]), "the end of the ad-hoc run")
    assert shown["outcome"] == "empty"
    assert "has published it" in str(shown["left_out"])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"not json", 400, "bad-body"),
        (b'{"route": "double"}', 400, "bad-body"),
        (b'{"route": "double", "blobs": []}', 400, "bad-body"),
        (b'{"route": "double", "blobs": [1]}', 400, "bad-body"),
        (b"[]", 400, "bad-body"),
        (b'{"route": "double", "blobs": ["\\ud800.csv"]}', 400, "bad-body"),
        (b'{"route": "double", "blobs": ["double/a.csv"], "forced": true}', 400, "bad-body"),
        (b'{"route": "nowhere", "blobs": ["a.csv"]}', 404, "no-such-route"),
        (b'{"route": "double", "blobs": ["double/never-dropped.csv"]}', 404, "no-such-blob"),
    ],
)
def test_a_bad_http_start_is_refused_and_starts_nothing(
    drops: Drops, body: bytes, status: int, code: str
) -> None:
    answer = requests.post(f"{drops.stack.host_url}/api/runs", data=body, timeout=30)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json()["type"] == code


def test_swapping_a_model_is_swapping_a_url(drops: Drops) -> None:
    config = drops.stack.container("config")
    routes = config.download_blob("routes.toml", encoding="utf-8").readall()
    added = '\n[routes.swapped]\npattern = "swapped/*.csv"\nmodel = "{}/endpoints/{}/jobs"\n'
    base = drops.stack.azureml_url
    try:
        config.upload_blob("routes.toml", routes + added.format(base, "raising"), overwrite=True)
        assert swapped(drops, "before").word == "failed"
        config.upload_blob("routes.toml", routes + added.format(base, "double"), overwrite=True)
        assert until(lambda: published(drops), "predictions of the other model")
    finally:
        config.upload_blob("routes.toml", routes, overwrite=True)


def swapped(drops: Drops, name: str) -> Verdict:
    return drops.closed(drops.drop(f"swapped/{name}-{time.monotonic_ns()}.csv", "x\n1\n"))[1]


def published(drops: Drops) -> bool:
    return swapped(drops, "after").word == "published"


@pytest.mark.full
def test_the_app_scores_by_polling_as_well_as_by_events(tmp_path: Path) -> None:
    settings = {**SETTINGS, "DROPSCORE_BLOB_SOURCE": "polling", "DROPSCORE_SWEEP_SCHEDULE": "0 0 0 1 1 *"}
    with Stack(tmp_path, [MODELS], ROUTES, settings) as stack:
        drops = Drops(stack)
        version = drops.drop("double/polled.csv", numbers(3))
        assert drops.closed(version)[1].word == "published"
        assert drops.predictions(version.blob) == doubled(3)
