"""The log files of jobs: what processes print, and what the emulator notes of a job's life."""

from datetime import UTC, datetime
from pathlib import Path

from .jobs import Job

EXECUTION_LOG = "logs/azureml/executionlogs.txt"


class JobLogs:
    """Log files by job, below `folder`. Jobs and their child runs know them under the names Azure gives them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def folder(self, job: str) -> Path:
        """Where the processes of a job may write."""
        return self._folder / job

    def note(self, job: str, line: str) -> None:
        """Append a line to the execution log of a job."""
        path = self._folder / job / "executionlogs.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as log:
            log.write(f"[{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}] {line}\n")

    def of_job(self, job: Job) -> dict[str, Path]:
        """The files of the job itself."""
        path = self._folder / job.name / "executionlogs.txt"
        return {EXECUTION_LOG: path} if path.is_file() else {}

    def of_step(self, job: Job, index: int) -> dict[str, Path]:
        """The files of a child run: one for each process of a model, one for a step of a pipeline."""
        folder = self._folder / job.name
        if job.component is not None:
            path = folder / f"{job.steps[index].name}.txt"
            return {"user_logs/std_log.txt": path} if path.is_file() else {}
        found = sorted(folder.glob("process-*.txt"), key=lambda path: int(path.stem.rpartition("-")[2]))
        return {
            f"logs/user/stdout/0/process{number:03}.stdout.txt": path for number, path in enumerate(found)
        }
