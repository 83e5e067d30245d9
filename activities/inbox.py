"""The inbox: seeing files, finding the ones no event announced, and disposing of inputs when a run closes."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import PurePosixPath

import azure.durable_functions as df
from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobProperties

from shared import clients, work
from shared.blob_io import copy_version
from shared.current_routes import current_routes
from shared.names import bare_etag
from shared.records import Launch, Run, Verdict, Version, timestamp
from shared.routes import Route

log = logging.getLogger(__name__)
bp = df.Blueprint()


def arrive(name: str) -> Route | None:
    """V1: looks at a name in the inbox and leaves a marker if it is a new version that is ready.

    Returns the route whose file now waits, or None where nothing is to be done. Key: container, name and ETag.
    """
    route = current_routes().of(name)
    if route is None:
        log.info("blob %s: no route takes it, it stays where it is", name)
        return None
    seen = look(name, route)
    if seen is None:
        log.info("blob %s: gone or not whole yet, the sweep looks again", name)
        return None
    return route if clients.ledger().arrive(seen) else None


def look(name: str, route: Route, *, settled: bool = False) -> Version | None:
    """The version that stands under a name now, or None where there is none that is ready."""
    try:
        blob = clients.container("inbox").get_blob_client(name).get_blob_properties()
    except ResourceNotFoundError:
        return None
    return version_of(blob, name, route) if ready(blob, settled=settled) else None


def ready(blob: BlobProperties, *, settled: bool) -> bool:
    """The one test of readiness: whole, and not empty unless it is old enough to be meant so."""
    whole = blob.blob_type == "BlockBlob" and blob.copy.status in (None, "success")
    return whole and (settled or bool(blob.size))


def version_of(blob: BlobProperties, name: str, route: Route) -> Version:
    return Version(
        container=clients.settings().inbox,
        blob=name,
        etag=bare_etag(blob.etag),
        modified=timestamp(blob.last_modified),
        size=blob.size,
        route=route.name,
    )


@bp.activity_trigger(input_name="sweep")
def find_missed_files(sweep: str) -> int:
    """W2: leaves markers for the settled versions in the inbox that the ledger has never heard of.

    Key: container, name and ETag of each. Returns how many there were.
    """
    ledger = clients.ledger()
    known = ledger.known_versions()
    missed = [version for version in settled_versions() if version.key not in known]
    found = sum(ledger.arrive(version) for version in missed)
    if found:
        log.info("%s: %d files in the inbox that no event had announced", sweep, found)
    return found


def settled_versions() -> Iterator[Version]:
    before = datetime.now(UTC) - clients.settings().settle_after
    routes = current_routes()
    for blob in clients.container("inbox").list_blobs():
        route = routes.of(blob.name)
        if route and blob.last_modified <= before and ready(blob, settled=True):
            yield version_of(blob, blob.name, route)


@bp.activity_trigger(input_name="message")
def dispose_inputs(message: dict) -> int:
    """R9: rejected files move to `rejected` with the reason beside them; scored ones move or stay as the route says.

    Everything else stays in the inbox. Key: each version's ETag; a file overwritten or deleted meanwhile is left
    alone. Returns how many files moved.
    """
    launch = Launch.from_dict(message)
    run = clients.ledger().fenced(launch)
    words = {verdict.version: verdict for verdict in clients.ledger().results(run)}
    return sum(
        dispose(version, words[version.key], run)
        for version in work.claimed(launch.run)
        if version.key in words
    )


def dispose(version: Version, verdict: Verdict, run: Run) -> bool:
    archive = run.route["after"] == "archive" and verdict.word in ("published", "unchanged")
    if verdict.word == "rejected":
        target = clients.container("rejected").get_blob_client(version.blob)
    elif archive:
        target = clients.container("archive").get_blob_client(archived_name(version))
    else:
        return False
    source = clients.container("inbox").get_blob_client(version.blob)
    try:
        copy_version(source, version.etag, target, clients.storage_bearer())
        if verdict.word == "rejected":
            explain(target, version, verdict, run)
        source.delete_blob(etag=version.etag, match_condition=MatchConditions.IfNotModified)
    except (ResourceNotFoundError, ResourceModifiedError):
        return False
    return True


def archived_name(version: Version) -> str:
    """`a/b.csv` -> `a/b.20261120T101500.3f9c2a….csv`: every version keeps a name of its own."""
    path = PurePosixPath(version.blob)
    dropped = version.modified[:19].replace("-", "").replace(":", "")
    return str(path.with_name(f"{path.stem}.{dropped}.{version.key[-12:]}{path.suffix}"))


def explain(target: BlobClient, version: Version, verdict: Verdict, run: Run) -> None:
    """Writes `<name>.why.txt` beside a rejected file, for people who see only containers."""
    text = (
        f"{version.blob} was not scored.\n\n{verdict.why}\n\n"
        f"The file lies beside this note, unchanged. Correct it and drop it into {version.container} again, "
        "under the same name.\n\n"
        f"dropped {version.modified}, route {version.route}, run {run.run}\n"
    )
    note = clients.container("rejected").get_blob_client(f"{target.blob_name}.why.txt")
    note.upload_blob(text.encode(), overwrite=True)
