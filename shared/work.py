"""The lists a run keeps in the work container between its activities; they never cross the durable boundary."""

import json

from azure.storage.blob import ContainerClient

from shared import clients
from shared.names import work_folder
from shared.records import Run, Verdict, Version


def container() -> ContainerClient:
    return clients.container("work")


def write_claimed(run: str, versions: list[Version]) -> None:
    """The versions the run has claimed; the same run always claims the same."""
    write_lines(f"{run}/claimed.jsonl", [version.to_dict() for version in versions])


def claimed(run: str) -> list[Version]:
    return [Version.from_dict(line) for line in read_lines(f"{run}/claimed.jsonl")]


def write_verdicts(run: Run, stage: str, verdicts: list[Verdict]) -> None:
    """What `stage` (`pack` or `unpack`) found out, one line per version."""
    write_lines(f"{work_folder(run.run, run.attempt)}/{stage}.jsonl", [one.to_dict() for one in verdicts])


def verdicts(run: Run, stage: str) -> list[Verdict]:
    lines = read_lines(f"{work_folder(run.run, run.attempt)}/{stage}.jsonl")
    return [Verdict.from_dict(line) for line in lines]


def write_lines(key: str, lines: list[dict[str, object]]) -> None:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    container().upload_blob(key, text.encode(), overwrite=True)


def read_lines(key: str) -> list[dict[str, object]]:
    """Empty where the stage was never reached."""
    blob = container().get_blob_client(key)
    if not blob.exists():
        return []
    return [json.loads(line) for line in blob.download_blob().readall().splitlines()]


def forget(run: str) -> None:
    """Deletes everything the run kept."""
    for name in container().list_blob_names(name_starts_with=f"{run}/"):
        container().delete_blob(name)
