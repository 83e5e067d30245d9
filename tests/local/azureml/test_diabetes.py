"""The sample model scored end to end: what the job writes is what the model predicts, row by row."""

from pathlib import Path

import joblib
import pandas as pd
import pytest

from local.azureml.server import AzureMLEmulator
from models.diabetes import train
from tests.models.deployable import trained_diabetes

from .client import Client


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample model's folder, trained."""
    return trained_diabetes(tmp_path_factory.mktemp("diabetes"))


def test_a_job_of_the_sample_model_gives_the_models_own_predictions(
    served: Path, azurite_connection: str, tmp_path: Path
) -> None:
    samples = {path.name: path.read_text() for path in (train.FOLDER / "data").glob("*.csv")}
    with AzureMLEmulator([served], azurite_connection, tmp_path) as emulator:
        client = Client(emulator.url, azurite_connection, endpoint="diabetes")
        assert client.scoring_url == emulator.scoring_url("diabetes")
        job = client.run(samples)
        written = [line.split(" ") for line in client.output(job).splitlines()]
    model = joblib.load(served / "model" / train.MODEL_FILE)
    for name in ("clinic-north.csv", "clinic-south.csv"):
        rows = pd.read_csv(train.FOLDER / "data" / name)
        predictions = model.predict(rows[list(train.FEATURES)]).tolist()
        assert [float(value) for value, file in written if file == name] == predictions
    assert {file for _, file in written} == {"clinic-north.csv", "clinic-south.csv"}
