"""Status for people who see only containers: `NAME.json` says that a file waits, is being scored, or why it was not.

Best effort: nothing here fails a run, and nothing is called where `DROPSCORE_STATUS` names no container.
"""

import json
import logging
from collections.abc import Callable, Iterable, Set
from contextlib import suppress
from functools import partial
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobClient, BlobProperties

from shared import clients
from shared.blob_io import listed, metadata_of, properties
from shared.names import bare_etag, shown
from shared.records import Run, Verdict, Version, timestamp
from shared.store import JSON

log = logging.getLogger(__name__)

RACES = 5
KEPT = ("failed", "canceled")
SAYS = {
    "waiting": "The file has arrived and waits to be scored.",
    "scheduled": "The file has arrived and is scored when its time has come.",
    "held": "The file waits: the scoring service does not let the app in. The app tries again by itself.",
    "running": "The file is being scored.",
    "failed": "The file could not be scored. It is still where it was dropped; drop it again to have it tried again.",
    "canceled": "Somebody has stopped the scoring. The file is still where it was dropped; drop it again to go on.",
}


def show_waiting(versions: Iterable[Version], *, scheduled: bool = False, held: str = "") -> None:
    """The versions have been marked: they wait, for a run, for their time, or (why) for their route."""
    says = "held" if held else "scheduled" if scheduled else "waiting"
    each(versions, partial(wait, says=says, why=held))


def wait(version: Version, *, says: str, why: str) -> None:
    known = {"state": "waiting", "says": SAYS[says], "since": version.modified, "why": why}
    etag = write(version, turn(version, 0, 0), known)
    # Whoever claims a version forgets its marker before it shows it as running, so that nothing is missed here.
    if etag and not clients.ledger().is_marked(version):
        delete(target_of(version), etag)


def show_running(run: Run, versions: Iterable[Version], *, again: bool = False) -> None:
    """The versions are the run's. `again`: only those that have a status yet, those the run has not published."""
    known = {"state": "running", "says": SAYS["running"], "since": now(), "run": run.run, "why": ""}
    each(versions, lambda one: write(one, turn(one, run.launch, 1), known, only_over=again))


def show_end(run: Run, words: dict[str, Verdict], versions: Iterable[Version]) -> None:
    """Of files that were not scored the status says why; that of all others goes: their blobs speak for them."""

    def end(version: Version) -> None:
        verdict = words[version.key]
        at = turn(version, run.launch, 2)
        if verdict.word not in KEPT:
            clear(version, at)
            return
        known = {"state": verdict.word, "says": SAYS[verdict.word], "since": now(), "why": verdict.why}
        write(version, at, {**known, "run": run.run})

    each([version for version in versions if version.key in words], end)


def each(versions: Iterable[Version], show: Callable[[Version], object]) -> None:
    """Shows every version, as far as storage lets us."""

    def shown_quietly(version: Version) -> None:
        try:
            show(version)
        except AzureError as problem:
            log.warning(
                "blob %s: its status cannot be shown: %s", shown(version.blob), type(problem).__name__
            )

    if clients.settings().status:
        clients.in_parallel(shown_quietly, versions)


def now() -> str:
    return timestamp(clients.now())


def turn(version: Version, launch: int, step: int) -> str:
    """Orders what is shown of one version: by its round, the run's launch, and waiting, running, ended."""
    return f"{version.n:05d}.{launch:05d}.{step}"


def target_of(version: Version) -> BlobClient:
    return clients.container("status").get_blob_client(f"{version.blob}.json")


def write(version: Version, at: str, known: dict[str, Any], *, only_over: bool = False) -> str:
    """Shows what is known, unless a newer version, or later news of this one, stands there. Returns the ETag, or ""."""
    document = {"file": version.blob, "etag": version.etag, "run": None, **known}
    metadata = {
        "dropscore_version": version.key,
        "dropscore_modified": version.modified,
        "dropscore_turn": at,
        "dropscore_state": known["state"],
        "dropscore_run": known.get("run", "none"),
    }
    data = json.dumps(document, indent=1, ensure_ascii=False).encode("utf-8", "backslashreplace")
    blob = target_of(version)
    for _ in range(RACES):
        standing = properties(blob)
        if (only_over and standing is None) or not gives_way(standing, version, at):
            return ""
        with suppress(ResourceExistsError, ResourceModifiedError):
            made = blob.upload_blob(data, metadata=metadata, content_settings=JSON, **over(standing))
            return str(made["etag"])
    return ""


def over(standing: BlobProperties | None) -> dict[str, Any]:
    """The condition under which nothing but what was looked at is replaced."""
    if standing is None:
        return {"match_condition": MatchConditions.IfMissing}
    return {"etag": standing.etag, "match_condition": MatchConditions.IfNotModified}


def gives_way(standing: BlobProperties | None, version: Version, at: str) -> bool:
    """Whether what stands is older news of the same file. A blob that is not ours never gives way."""
    said = metadata_of(standing)
    theirs = said.get("dropscore_version", "")
    if standing is None:
        return True
    if theirs[:26] != version.name:
        return False
    if theirs == version.key:
        return said.get("dropscore_turn", "") < at
    if said.get("dropscore_modified", "") != version.modified:
        return said.get("dropscore_modified", "") < version.modified
    inbox = properties(clients.container("inbox").get_blob_client(version.blob))
    return inbox is not None and bare_etag(inbox.etag) == version.etag


def clear(version: Version, at: str) -> None:
    """Takes the status away, unless it is that of a newer version."""
    standing = properties(target_of(version))
    if standing is not None and gives_way(standing, version, at):
        delete(target_of(version), standing.etag)


def tidy(present: Set[str]) -> None:
    """Takes away what no longer holds: of versions that have left the inbox, and what a dying process has left.

    `present` are the keys of all versions in the inbox.
    """
    try:
        if clients.settings().status:
            clear_stale(present)
    except AzureError as problem:
        log.warning("old statuses could not be cleared: %s", type(problem).__name__)


def clear_stale(present: Set[str]) -> None:
    container = clients.container("status")
    ours = [one for one in listed(container, include=["metadata"]) if "dropscore_version" in metadata_of(one)]
    marked = {key for _, key in clients.ledger().marked_versions()}
    for blob in ours:
        if not holds(metadata_of(blob), present, marked):
            delete(container.get_blob_client(blob.name), blob.etag)


def delete(blob: BlobClient, etag: str) -> None:
    """Deletes a status, if it is still the one that was looked at."""
    with suppress(ResourceModifiedError, ResourceNotFoundError):
        blob.delete_blob(etag=etag, match_condition=MatchConditions.IfNotModified)


def holds(said: dict[str, str], present: Set[str], marked: Set[str]) -> bool:
    """Whether a status says what is so: the version lies there, and waits or is being scored as it says."""
    key, state = said["dropscore_version"], said.get("dropscore_state")
    if key not in present:
        return False
    if state == "waiting":
        return key in marked
    run = clients.ledger().run(said.get("dropscore_run", "")) if state == "running" else None
    return state != "running" or (run is not None and run.stage != "closed")
