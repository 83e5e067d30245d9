"""The lists a run keeps in the work container between its activities; they never cross the durable boundary."""

import json
from collections.abc import Iterator
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import ContainerClient

from shared import clients
from shared.names import work_folder
from shared.raw_predictions import Extents
from shared.records import Run, Verdict, Version
from shared.store import BATCH

FILES_AT_ONCE = 500
BYTES_AT_ONCE = 64 * 1024 * 1024


def container() -> ContainerClient:
    return clients.container("work")


def to_score(run: Run) -> list[Version]:
    """The versions of the run's attempt: all that it claimed, then only what the last job left incomplete."""
    versions = clients.ledger().sealed(run.run)
    if run.attempt == 1:
        return versions
    last = verdicts(run, "unpack", attempt=run.attempt - 1)
    incomplete = {verdict.version for verdict in last if not verdict.word}
    return [version for version in versions if version.key in incomplete]


def chunks(versions: list[Version]) -> Iterator[list[tuple[int, Version]]]:
    """What one activity call takes on, each version with its number (from 1): bounded in files and in bytes."""
    chunk: list[tuple[int, Version]] = []
    size = 0
    for number, version in enumerate(versions, start=1):
        if chunk and (len(chunk) == FILES_AT_ONCE or size + version.size > BYTES_AT_ONCE):
            yield chunk
            chunk, size = [], 0
        chunk.append((number, version))
        size += version.size
    yield chunk


def write_verdicts(run: Run, stage: str, chunk: int, verdicts: list[Verdict], *, once: bool = False) -> None:
    """What `stage` (`pack` or `unpack`) found out about one chunk of the attempt, one line per version.

    `once`: what an execution wrote before stands.
    """
    write = write_once if once else write_lines
    write(verdicts_key(run, stage, chunk), [one.to_dict() for one in verdicts])


def has_verdicts(run: Run, stage: str, chunk: int) -> bool:
    return bool(container().get_blob_client(verdicts_key(run, stage, chunk)).exists())


def verdicts_key(run: Run, stage: str, chunk: int) -> str:
    return f"{work_folder(run.run, run.attempt)}/{stage}/{chunk:05d}.jsonl"


def verdicts(run: Run, stage: str, *, attempt: int = 0) -> list[Verdict]:
    """Everything `stage` has found out in an attempt, by default the run's present one."""
    folder = f"{work_folder(run.run, attempt or run.attempt)}/{stage}/"
    names = sorted(container().list_blob_names(name_starts_with=folder))
    return [Verdict.from_dict(line) for name in names for line in read_lines(name)]


def write_extents(run: Run, extents: Extents) -> None:
    """Where the rows of each part lie in the attempt's raw predictions."""
    lines = [{"part": part, "stretches": stretches} for part, stretches in extents.items()]
    write_lines(f"{work_folder(run.run, run.attempt)}/extents-{run.launch}.jsonl", lines)


def extents(run: Run) -> Extents | None:
    """As this launch has found them, if it has."""
    lines = read_lines(f"{work_folder(run.run, run.attempt)}/extents-{run.launch}.jsonl")
    return {line["part"]: line["stretches"] for line in lines} or None


def write_lines(key: str, lines: list[dict[str, Any]], *, overwrite: bool = True) -> None:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    container().upload_blob(key, text.encode(), overwrite=overwrite)


def write_once(key: str, lines: list[dict[str, Any]]) -> None:
    """What stands there stays."""
    try:
        write_lines(key, lines, overwrite=False)
    except ResourceExistsError:
        return


def read_lines(key: str) -> list[dict[str, Any]]:
    """Empty where the stage was never reached."""
    try:
        text = container().download_blob(key).readall()
    except ResourceNotFoundError:
        return []
    return [json.loads(line) for line in text.splitlines()]


def forget(run: str) -> None:
    """Deletes everything the run kept."""
    names = list(container().list_blob_names(name_starts_with=f"{run}/"))
    for start in range(0, len(names), BATCH):
        container().delete_blobs(*names[start : start + BATCH], raise_on_any_failure=False)
