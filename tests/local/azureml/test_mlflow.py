"""MLflow models without a scoring script: what is written for their rows, and which files they refuse."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.azureml.server import AzureMLEmulator

from .client import Client
from .scripts import write_mlflow_deployment

FILES = {
    "a.csv": 'x,word\n1,one\n2,"two, too"\n',
    "b.csv": "more,word,x\n,007,0.5\n",
    "c.csv": "x,word\n1,one\nmany,some\n",
    "d.csv": "x,word\n1,beside c\n",
    "e.parquet": "PAR1",
}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the emulator keeps its logs."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def client(
    azurite_connection: str, state: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    """A client of an emulator that serves an MLflow model, two files in a mini-batch."""
    retries = {"max_retries": 1, "timeout": 60}
    folder = tmp_path_factory.mktemp("mlflow")
    write_mlflow_deployment(folder, mini_batch_size=2, retry_settings=retries)
    with AzureMLEmulator([folder], azurite_connection, state) as emulator:
        yield Client(emulator.url, azurite_connection, endpoint="saying")


@pytest.fixture(scope="module")
def job(client: Client) -> dict[str, Any]:
    """The job that scored the files."""
    return client.run(FILES)


def test_each_row_is_its_number_in_the_file_its_prediction_and_the_file(
    client: Client, job: dict[str, Any]
) -> None:
    assert client.output(job) == '0,one 1.0,a.csv\n1,"two, too 2.0",a.csv\n0,007 0.5,b.csv\n'


def test_what_cannot_be_read_fails_its_mini_batch(state: Path, job: dict[str, Any]) -> None:
    log = (state / "logs" / job["name"] / "process-0.txt").read_text()
    assert "could not convert string to float: 'many'" in log
    assert "ValueError: e.parquet: file type '.parquet' is not supported" in log


def test_the_deployment_has_no_code_configuration(client: Client) -> None:
    deployment = client.arm("/batchEndpoints/saying/deployments/mlflow").json()["properties"]
    assert deployment["codeConfiguration"] is None
    assert deployment["model"]["assetId"].endswith("/models/saying-mlflow/versions/1")
