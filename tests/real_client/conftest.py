"""A workspace for the real client, and a way to run its scripts."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from azure.storage.blob import BlobServiceClient

from local.azureml.server import AzureMLEmulator
from local.stack import ROOT
from tests.local.azureml.scripts import CAPITALS, PATIENT, patient_settings, write_deployment

from .environment import NotInstalled, client_python
from .files import write_files

WORDS = {"words/a.txt": "hello\n", "words/b.txt": "there\n"}
ENDPOINT = "words"


class Run(Protocol):
    """Runs a script of the real client with a folder of files and an endpoint; what the script reports."""

    def __call__(self, script: str, endpoint: str = ENDPOINT) -> dict[str, Any]: ...


@pytest.fixture(scope="session")
def python() -> Path:
    """The interpreter that has the client."""
    try:
        return client_python()
    except NotInstalled as error:
        pytest.skip(f"azure-ai-ml cannot be installed: {error}")


@pytest.fixture(scope="session")
def run(python: Path, azurite_connection: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A workspace with some words in its datastore, and a patient endpoint; scripts are run against it."""
    files = write_files(tmp_path_factory.mktemp("files"))
    with BlobServiceClient.from_connection_string(azurite_connection) as service:
        storage = service.url.rstrip("/").removesuffix("/devstoreaccount1")
        container = service.get_container_client("azureml")
        if not container.exists():
            container.create_container()
        for name, text in WORDS.items():
            container.upload_blob(name, text, overwrite=True)
    served = tmp_path_factory.mktemp("served")
    write_deployment(served / "capitals", CAPITALS)
    write_deployment(served / "patient", PATIENT, endpoint="patient", **patient_settings(served))
    with AzureMLEmulator([served], azurite_connection, tmp_path_factory.mktemp("state")) as emulator:

        def start(script: str, endpoint: str = ENDPOINT) -> dict[str, Any]:
            command = [python, "-W", "ignore", "-m", f"tests.real_client.scripts.{script}", files, endpoint]
            environment = {"EMULATOR_URL": emulator.url, "EMULATOR_STORAGE": storage, "PYTHONPATH": str(ROOT)}
            quiet = {"AZUREML_RUN_POLLING_INTERVAL_MIN": "1", "NO_PROXY": "127.0.0.1"}
            ended = subprocess.run(
                [str(part) for part in command],
                cwd=ROOT,
                env=os.environ | environment | quiet,
                capture_output=True,
                text=True,
                check=False,
                timeout=300,
            )
            assert ended.returncode == 0, ended.stderr[-6000:]
            reported: dict[str, Any] = json.loads(ended.stdout.strip().rpartition("\n")[2])
            return reported

        yield start


@pytest.fixture(scope="session")
def created(run: Run) -> dict[str, Any]:
    """What making the endpoint has reported."""
    return run("create")
