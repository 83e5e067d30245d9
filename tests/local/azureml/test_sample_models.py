"""The other sample models scored end to end: one without a scoring script, one that answers with other rows."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from local.azureml.server import AzureMLEmulator
from models.breast_cancer import train
from tests.models.deployable import trained_breast_cancer

from .client import Client, Serve

FORECAST = train.FOLDER.parent / "forecast"


@pytest.fixture(scope="module")
def serve_samples(azurite_connection: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Gives a client of one of the samples' endpoints."""
    folders = [trained_breast_cancer(tmp_path_factory.mktemp("breast-cancer")), FORECAST]
    with AzureMLEmulator(folders, azurite_connection, tmp_path_factory.mktemp("state")) as emulator:
        yield lambda endpoint: Client(emulator.url, azurite_connection, endpoint=endpoint)


def samples(folder: Path) -> dict[str, str]:
    """The sample CSVs of a model by name."""
    return {path.name: path.read_text() for path in (folder / "data").glob("*.csv")}


def test_a_model_without_a_scoring_script_gives_its_own_predictions_row_by_row(serve_samples: Serve) -> None:
    client, files = serve_samples("breast-cancer"), samples(train.FOLDER)
    job = client.run(files, maxConcurrencyPerInstance=1)
    written = [line.split(",") for line in client.output(job).splitlines()]
    model = train.fitted()
    for name in files:
        rows = pd.read_csv(train.FOLDER / "data" / name)
        diagnoses = model.predict(rows[list(train.FEATURES)])
        assert [(int(row), value) for row, value, file in written if file == name] == [*enumerate(diagnoses)]
    assert {file for _, _, file in written} == set(files)


def test_a_forecaster_answers_with_the_days_to_come_of_each_store(serve_samples: Serve) -> None:
    client, files = serve_samples("forecast"), samples(FORECAST)
    lines = client.output(client.run(files)).splitlines()
    written = list(csv.reader(lines, delimiter=" "))
    assert len(written) == 5 * 14
    assert {(store, file) for store, _, _, file in written} == {
        (store, name) for name in files for store in pd.read_csv(FORECAST / "data" / name)["store"]
    }
    assert {date for _, date, _, _ in written} == {f"2026-03-{day:02}" for day in range(9, 23)}
