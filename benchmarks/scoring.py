"""Rows a second of a model: called directly, or by the Azure ML emulator, in so many processes.

`python -m benchmarks.scoring direct|emulator PROCESSES ROWS` prints what it took as JSON. Each takes the same files,
from the start of its processes, imports included, to the last row; the emulator also reads them from storage and writes
the predictions there.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests
from azure.storage.blob import BlobServiceClient

from benchmarks.direct import MODEL
from benchmarks.environment import ROOT
from local import azurite
from local.azureml.server import AzureMLEmulator
from local.azureml.workspace import DATASTORE_CONTAINER, SCORING_AUDIENCE
from local.children import Child
from local.stack import free_ports, in_use

SAMPLE = MODEL / "data" / "clinic-north.csv"
FILES = 8
ENDED = {"Completed", "Failed", "Canceled"}


def files_of(folder: Path, rows: int) -> list[Path]:
    """Write CSVs of so many rows altogether and return them."""
    header, *lines = SAMPLE.read_text("utf-8").splitlines(keepends=True)
    each = rows // FILES
    text = header + "".join(lines * (each // len(lines) + 1))
    text = "".join(text.splitlines(keepends=True)[: each + 1])
    paths = [folder / f"{number}.csv" for number in range(FILES)]
    for path in paths:
        path.write_text(text, "utf-8")
    return paths


def direct(processes: int, rows: int) -> tuple[int, float]:
    """Call the scoring script in so many processes; returns how many rows it predicted, and its seconds."""
    command = [sys.executable, "-m", "benchmarks.direct"]
    with tempfile.TemporaryDirectory() as folder:
        files = list(map(str, files_of(Path(folder), rows)))
        shares = [files[number::processes] for number in range(processes)]
        before = time.perf_counter()
        started = [subprocess.Popen([*command, *share], cwd=ROOT, stdout=subprocess.PIPE) for share in shares]
        predicted = sum(int(process.communicate()[0]) for process in started)
        return predicted, time.perf_counter() - before


def emulator(processes: int, rows: int) -> tuple[int, float]:
    """Run a job; returns how many rows it wrote, and its seconds from the request to its end."""
    with tempfile.TemporaryDirectory() as name, storage(Path(name)) as connection:
        folder = Path(name)
        container = upload(connection, files_of(folder, rows))
        with AzureMLEmulator([served(folder, processes)], connection, folder / "state") as azureml:
            url = azureml.scoring_url("diabetes")
            headers = {"Authorization": f"Bearer {azureml.token(SCORING_AUDIENCE)}"}
            data = {"files": {"jobInputType": "UriFolder", "uri": container}}
            before = time.perf_counter()
            answer = requests.post(url, json={"properties": {"inputData": data}}, headers=headers, timeout=60)
            job = finished(f"{url}/{answer.json()['name']}", headers)
            seconds = time.perf_counter() - before
        return lines_of(connection, job), seconds


@contextmanager
def storage(folder: Path) -> Iterator[str]:
    """An Azurite of its own; yields its connection string."""
    ports = [free_ports()[name] for name in ("blob", "queue", "table")]
    command = azurite.command(folder / "azurite", *ports)
    with ExitStack() as stack:
        child = Child("azurite", command, folder / "azurite.log", azurite.environment())
        stack.callback(child.stop)
        child.wait_until(lambda: all(in_use(port) for port in ports))
        yield azurite.connection_string(*ports)


def upload(connection: str, files: list[Path]) -> str:
    with BlobServiceClient.from_connection_string(connection) as service:
        container = service.create_container("input")
        service.create_container(DATASTORE_CONTAINER)
        for file in files:
            container.upload_blob(file.name, file.read_bytes())
        return str(container.url)


def served(folder: Path, processes: int) -> Path:
    """The sample model's folder with so many processes a node."""
    shutil.copytree(MODEL, folder / "model")
    deployment = folder / "model" / "deployment.yml"
    text = deployment.read_text("utf-8")
    changed = text.replace("max_concurrency_per_instance: 2", f"max_concurrency_per_instance: {processes}")
    deployment.write_text(changed, "utf-8")
    return folder / "model"


def finished(url: str, headers: dict[str, str]) -> dict[str, Any]:
    while True:
        job: dict[str, Any] = requests.get(url, headers=headers, timeout=60).json()
        if job["properties"]["status"] in ENDED:
            return job
        time.sleep(0.02)


def lines_of(connection: str, job: dict[str, Any]) -> int:
    if job["properties"]["status"] != "Completed":
        raise SystemExit(f"the job ended as {job['properties']['status']}")
    path = job["properties"]["outputData"]["score"]["uri"].partition("/paths/")[2]
    with BlobServiceClient.from_connection_string(connection) as service:
        written: bytes = service.get_blob_client(DATASTORE_CONTAINER, path).download_blob().readall()
    return written.count(b"\n")


def main(subject: str, processes: int, rows: int) -> None:
    predicted, seconds = {"direct": direct, "emulator": emulator}[subject](processes, rows)
    print(json.dumps({"rows": predicted, "seconds": seconds, "right": predicted == rows // FILES * FILES}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
