"""The inbox: seeing files, finding the ones no event announced, and disposing of inputs when a run closes."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.durable_functions as df
from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobProperties

from activities import status
from shared import clients, work
from shared.blob_io import copy_version, listed
from shared.current_routes import current_routes
from shared.durations import parse_size
from shared.names import NOTE, bare_etag, shown, unaddressable, usable
from shared.records import Launch, Run, Verdict, Version, timestamp
from shared.routes import Route
from shared.telemetry import traced

log = logging.getLogger(__name__)
bp = df.Blueprint()

NEVER = datetime.min.replace(tzinfo=UTC)
TOLD_EVERY = timedelta(hours=1)


def arrive(name: str) -> Route | None:
    """Looks at a name in the inbox and leaves a marker if it is a new version that is ready.

    Returns the route whose file now waits, or None where nothing is to be done. Key: container, name and ETag.
    """
    route = current_routes().of(name)
    if route is None:
        log.info("blob %s: no route takes it, it stays where it is", shown(name))
        return None
    seen = look(name, route)
    if seen is None or not seen.size:
        log.info("blob %s: gone, empty or not whole yet, the sweep looks again", shown(name))
        return None
    if not clients.ledger().arrive(seen):
        return None
    status.show_waiting([seen], scheduled=bool(route.schedule))
    return route


def look(name: str, route: Route) -> Version | None:
    """The version that stands under a name now, or None where there is none that is whole."""
    if not usable(name):
        return None
    try:
        blob = clients.container("inbox").get_blob_client(name).get_blob_properties()
    except ResourceNotFoundError:
        return None
    return version_of(blob, name, route) if whole(blob) else None


def whole(blob: BlobProperties) -> bool:
    """The one test of readiness: a block blob that is no folder and into which no copy is under way."""
    folder = (blob.metadata or {}).get("hdi_isfolder") == "true"
    return blob.blob_type == "BlockBlob" and blob.copy.status in (None, "success") and not folder


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
@traced
def find_missed_files(sweep: str) -> int:
    """Leaves markers for the settled versions in the inbox that the ledger does not know.

    Key: container, name and ETag of each. Returns how many there were.
    """
    ledger = clients.ledger()
    known, marked = ledger.known_versions(), ledger.marked_versions()
    # A version that waits under a route that has been renamed since waits under the new one, too.
    waiting = {key for _, key in marked}
    missed = [
        one
        for one in settled_versions()
        if (one.key not in known or one.key in waiting) and (one.route, one.key) not in marked
    ]
    found = [version for version in missed if ledger.arrive(version)]
    if found:
        log.info("%s: %d files in the inbox that no event had announced", sweep, len(found))
        ledger.missed(len(found))
        status.show_waiting(found)
    return len(found)


def versions_below(prefix: str, route: Route) -> Iterator[Version]:
    """The whole versions in the inbox whose names begin so and that are the route's, in the order of names.

    Not those that are empty: whoever writes them may not have come to their content yet.
    """
    routes = current_routes()
    for blob in listed(clients.container("inbox"), prefix, ["copy", "metadata"]):
        found = routes.of(blob.name)
        if found and found.name == route.name and blob.size and whole(blob):
            yield version_of(blob, blob.name, route)


def settled_versions() -> Iterator[Version]:
    """What has lain in the inbox for a while. Empty files wait longer: some tools create them and fill them later."""
    now, chosen, routes = clients.now(), clients.settings(), current_routes()
    for blob in listed(clients.container("inbox"), include=["copy", "metadata"]):
        route = routes.of(blob.name)
        patience = chosen.settle_after if blob.size else chosen.empty_after
        if route and blob.last_modified <= now - patience and whole(blob):
            yield version_of(blob, blob.name, route)
        elif unaddressable(blob.name):
            unusable_names.found(blob.name, now)


@dataclass
class UnusableNames:
    """Tells of a name that can never be scored, once an hour: there is no place for a note beside it."""

    told_at: datetime = NEVER

    def found(self, name: str, now: datetime) -> None:
        if now - self.told_at > TOLD_EVERY:
            self.told_at = now
            log.warning(
                "blob %s: HTTP clients cannot ask for such a name; drop it under another", shown(name)
            )


unusable_names = UnusableNames()


@bp.activity_trigger(input_name="message")
@traced
def dispose_inputs(message: dict) -> dict[str, Any]:
    """Rejected files move to `rejected` with the reason beside them; scored ones move or stay as the route says.

    Everything else stays in the inbox. Key: each version's ETag; a file overwritten or deleted meanwhile is left
    alone. A file that cannot be moved is named in the run's record and keeps nothing else from happening. Returns
    how many files of the portion `moved`, and whether there is `more`.
    """
    launch, chunk = Launch.from_dict(message), message.get("chunk", 0)
    run = clients.ledger().fenced(launch)
    words = {verdict.version: verdict for verdict in clients.ledger().results(run)}
    worded = [one for one in clients.ledger().sealed(launch.run) if one.key in words]
    portions = [portion for portion in work.portions(worded) if portion.last]
    answers = clients.in_parallel(lambda one: moved(one, words[one.key], run), portions[chunk].versions)
    status.show_end(run, words, portions[chunk].versions)
    left = {version.blob: why for version, why in answers if why not in ("moved", "stays")}
    if left:
        clients.ledger().not_moved(launch, left)
    more = chunk + 1 < len(portions)
    if more:
        clients.ledger().progressing(launch)
    return {"more": more, "moved": sum(why == "moved" for _, why in answers)}


def moved(version: Version, verdict: Verdict, run: Run) -> tuple[Version, str]:
    """Whether the input moved or stays, or what storage had against it."""
    try:
        return version, "moved" if dispose(version, verdict, run) else "stays"
    except AzureError as problem:
        log.exception("run %s: blob %s could not be moved", run.run, shown(version.blob))
        return version, type(problem).__name__


def dispose(version: Version, verdict: Verdict, run: Run) -> bool:
    """Moves one input where its word wants it. False: it stays, or is no longer what was looked at."""
    rejected = verdict.word == "rejected"
    if rejected and stays(version, run):
        explain(version, verdict, run)
        return False
    if rejected:
        target = clients.container("rejected").get_blob_client(version.blob)
    elif run.route["after"] == "archive" and verdict.word in ("published", "unchanged"):
        target = clients.container("archive").get_blob_client(archived_name(version))
    else:
        return False
    source = clients.container("inbox").get_blob_client(version.blob)
    try:
        copy_version(source, version.etag, target, f"{run.run}-{run.attempt}")
        if rejected:
            explain(version, verdict, run)
        source.delete_blob(etag=version.etag, match_condition=MatchConditions.IfNotModified)
    except (ResourceNotFoundError, ResourceModifiedError):
        if stands(source, version):
            raise
        return False
    return True


def stands(source: BlobClient, version: Version) -> bool:
    """Whether the version is still there, so that it was something else that was missing."""
    return source.exists() and bare_etag(source.get_blob_properties().etag) == version.etag


def stays(version: Version, run: Run) -> bool:
    """A file that is too large to be looked at is too large to be carried about."""
    return version.size > parse_size(run.route["max_size"])


def archived_name(version: Version) -> str:
    """`a/b.csv` -> `a/b.20261120T101500.3f9c2a….csv`: every version keeps a name of its own."""
    folder, slash, name = version.blob.rpartition("/")
    stem, dot, end = name.rpartition(".") if "." in name[1:] else (name, "", "")
    dropped = version.modified[:19].replace("-", "").replace(":", "")
    return f"{folder}{slash}{stem}.{dropped}.{version.key[-12:]}{dot}{end}"


def explain(version: Version, verdict: Verdict, run: Run) -> None:
    """Writes `<name>.why.txt` into `rejected`, for people who see only containers."""
    where = (
        f"The file was left where it is, in {version.container}."
        if stays(version, run)
        else "The file lies beside this note, unchanged."
    )
    text = (
        f"{version.blob} was not scored.\n\n{verdict.why}\n\n"
        f"{where} Correct it and drop it into {version.container} again, under the same name.\n\n"
        f"dropped {version.modified}, route {version.route}, run {run.run}\n"
    )
    note = clients.container("rejected").get_blob_client(f"{version.blob}{NOTE}")
    note.upload_blob(text.encode(), overwrite=True)
