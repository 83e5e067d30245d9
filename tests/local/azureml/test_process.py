"""The emulator as a process: what it prints, what it leaves behind, what it knows after a restart."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .client import Client, alive, noted_processes, output_to, wait_until
from .scripts import PATIENT, patient_settings, write_deployment

ROOT = Path(__file__).parents[3]


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """A folder that serves a patient script on two processes, and an empty `notes` beside it."""
    notes = tmp_path / "notes"
    notes.mkdir()
    settings = patient_settings(notes) | {"mini_batch_size": 1, "max_concurrency_per_instance": 2}
    return write_deployment(tmp_path / "served", PATIENT, **settings)


@contextmanager
def emulator(served: Path, storage: str) -> Iterator[tuple[subprocess.Popen[str], Client]]:
    """The emulator's process, killed at the end where it has not ended by itself."""
    command = [sys.executable, "-m", "local.azureml", str(served), "--state", str(served.parent / "state")]
    with subprocess.Popen(
        [*command, "--storage", storage], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        first, second = process.stdout.readline(), process.stdout.readline()
        base = first.removeprefix("azureml ready at ").strip()
        assert second == f"  {base}/endpoints/capitals/jobs\n"
        try:
            yield process, Client(base, storage)
        finally:
            process.kill()


@pytest.mark.parametrize(
    "ending", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.full), signal.SIGKILL]
)
def test_no_process_is_left_behind(served: Path, azurite_connection: str, ending: signal.Signals) -> None:
    notes = served.parent / "notes"
    with emulator(served, azurite_connection) as (process, client):
        client.invoke(client.upload({"a": "", "b": ""}))
        wait_until(lambda: len(noted_processes(notes)) == 4)
        assert all(alive(pid) for pid in noted_processes(notes))
        process.send_signal(ending)
        status = process.wait(60)
    assert status == (0 if ending != signal.SIGKILL else -signal.SIGKILL)
    wait_until(lambda: not any(alive(pid) for pid in noted_processes(notes)))


@pytest.mark.parametrize("ending", [pytest.param(signal.SIGTERM, marks=pytest.mark.full), signal.SIGKILL])
def test_a_restart_knows_the_jobs_and_runs_the_unfinished_ones_again(
    served: Path, azurite_connection: str, ending: signal.Signals
) -> None:
    notes, output = served.parent / "notes", f"restart-{os.getpid()}-{ending}/out.csv"
    with emulator(served, azurite_connection) as (process, client):
        files = client.upload({"a": "", "b": ""})
        name = client.invoke(files, outputData=output_to(output))
        wait_until(lambda: len(noted_processes(notes)) == 4)
        process.send_signal(ending)
        process.wait(60)
    (notes / "release").touch()
    with emulator(served, azurite_connection) as (_, client):
        job = client.finished(name)
        assert job["properties"]["outputData"]["score"]["uri"].endswith(output)
        assert len(client.output(job).splitlines()) == 2
    with emulator(served, azurite_connection) as (_, client):
        assert client.job(name) == job


def test_what_the_service_would_not_take_is_told_in_one_line(tmp_path: Path, azurite_connection: str) -> None:
    served = write_deployment(tmp_path / "served", endpoint="a_b")
    command = [sys.executable, "-m", "local.azureml", str(served), "--state", str(tmp_path / "state")]
    command += ["--storage", azurite_connection]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("azureml: batchEndpoints/a_b: 'a_b' is no name of an endpoint")
    assert len(ended.stderr.splitlines()) == 1


def test_what_cannot_be_served_is_told_in_one_line(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "local.azureml",
        str(tmp_path),
        "--state",
        str(tmp_path),
        "--storage",
        "",
    ]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"azureml: {tmp_path} holds no batch endpoint YAML ($schema …/batchEndpoint.schema.json)\n"
    )
