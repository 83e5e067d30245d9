"""What becomes of jobs that an earlier emulator left unfinished."""

from pathlib import Path

import pytest

from local.azureml.jobs import JobStore
from local.azureml.server import AzureMLEmulator

from .client import Client
from .scripts import deployment_document, write_deployment, write_yaml


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """A folder that serves the endpoint `capitals`."""
    return write_deployment(tmp_path / "served")


def left_behind(served: Path, storage: str, status: str) -> str:
    """The name of a job that an emulator left with a status, after it wrote its output."""
    state = served.parent / "state"
    with AzureMLEmulator([served], storage, state) as emulator:
        client = Client(emulator.url, storage)
        name = str(client.run({"a.txt": "x"})["name"])
    store = JobStore(state / "jobs.sqlite")
    store.change(name, status=status)
    store.close()
    return name


@pytest.mark.parametrize(
    ("left", "ends", "said"),
    [
        ("Finalizing", "Completed", None),
        ("Running", "Failed", "already exists"),
        ("CancelRequested", "Canceled", None),
    ],
)
def test_only_a_job_that_was_publishing_may_write_over_its_output(
    served: Path, azurite_connection: str, left: str, ends: str, said: str | None
) -> None:
    name = left_behind(served, azurite_connection, left)
    with AzureMLEmulator([served], azurite_connection, served.parent / "state") as emulator:
        job = Client(emulator.url, azurite_connection).finished(name)
    assert job["properties"]["status"] == ends
    assert said is None or said in job["error"]["message"]


def test_a_job_whose_deployment_is_gone_fails(served: Path, azurite_connection: str) -> None:
    name = left_behind(served, azurite_connection, "Running")
    write_yaml(served / "deployment.yml", deployment_document("renamed"))
    with AzureMLEmulator([served], azurite_connection, served.parent / "state") as emulator:
        job = Client(emulator.url, azurite_connection).finished(name)
    assert job["error"]["message"] == "The deployment capitals/first is gone; invoke another"
