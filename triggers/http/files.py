"""One file: where it is and what came of it, how to drop it, its predictions."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import azure.durable_functions as df
import azure.functions as func
from azure.storage.blob import BlobProperties

from activities.runs import dropped, start
from shared import clients
from shared.blob_io import properties
from shared.current_routes import current_routes
from shared.file_views import State, Waiting, shown_file
from shared.names import NOTE, bare_etag, predictions_name, usable
from shared.records import Launch, Run, Verdict, Version, timestamp
from shared.routes import Route
from shared.schedule import next_due
from triggers.http.answers import READS, BadRequest, answered, api_url, ledger, number, problem_json
from triggers.http.inputs import LARGEST, put_in, taken

bp = df.Blueprint()
VERSIONS_SHOWN = 20
LONGEST_NOTE = 20_000
PLACES = ("inbox", "predictions", "rejected")


@bp.route(route="files", methods=["GET"], auth_level=READS)
async def find_files(req: func.HttpRequest) -> func.HttpResponse:
    """Names that begin so, and in which containers they stand. Query: `prefix`, `limit`."""
    return await answered(lambda: found_names(req.params))


def found_names(query: Mapping[str, str]) -> dict[str, Any]:
    prefix, limit = query.get("prefix", ""), number(query, "limit", 100, 1000)
    found: dict[str, dict[str, Any]] = {}
    for place in PLACES:
        for name, modified in islice(names_in(place, prefix), limit + 1):
            entry = found.setdefault(name, {"file": name, "in": [], "modified": modified})
            entry["in"].append(place)
            entry["modified"] = max(entry["modified"], modified)
    files = [found[name] for name in sorted(found)]
    return {"files": files[:limit], "more": len(files) > limit}


def names_in(place: str, prefix: str) -> Iterator[tuple[str, str]]:
    for blob in clients.container(place).list_blobs(prefix):
        if not blob.name.endswith(NOTE):
            yield blob.name, timestamp(blob.last_modified)


@bp.route(route="files/{*path}", methods=["GET"], auth_level=READS)
async def get_file(req: func.HttpRequest) -> func.HttpResponse:
    """Everything that is known about one name in the inbox, and its versions."""
    return await answered(lambda: everything_about(named(req)))


def named(req: func.HttpRequest) -> str:
    """The file's name. Raises BadRequest for one that cannot be asked for."""
    name = str(req.route_params.get("path", ""))
    if not name or not usable(name) or "\\" in name:
        raise BadRequest(
            400, "bad-name", "Name a file: no part of its path may be . or .., and it may hold no backslash."
        )
    return name


@dataclass(frozen=True)
class Known:
    """What storage and the ledger say of one name."""

    route: Route | None
    inbox: BlobProperties | None
    predictions: BlobProperties | None
    rejected: BlobProperties | None
    why: str
    states: list[State]


def everything_about(name: str) -> dict[str, Any]:
    known = looked_up(name)
    if not (known.inbox or known.predictions or known.rejected or known.states):
        raise BadRequest(
            404, "no-such-file", f"Nothing is known of a file {name}: was it dropped under this name?"
        )
    waiting = waiting_of(known) if any(one.state == "waiting" for one in known.states[:1]) else None
    return {
        **shown_file(
            name, known.route.name if known.route else None, standing(known.inbox), known.states, waiting
        ),
        "predictions": placed(known.predictions, "predictions"),
        "rejected": {"name": name, "why": known.why} if known.rejected or known.why else None,
    }


def looked_up(name: str) -> Known:
    route = current_routes().of(name)
    inbox, predictions, rejected = (
        properties(clients.container(place).get_blob_client(blob))
        for place, blob in (("inbox", name), ("predictions", predictions_name(name)), ("rejected", name))
    )
    versions = ledger().versions_of(clients.settings().inbox, name, VERSIONS_SHOWN)
    marked = [one for one in waiting_versions(route, versions) if one.blob == name]
    states = [state_of(version) for version in versions]
    known = {version.key for version in versions}
    fresh = [State(one, "waiting") for one in marked if one.key not in known]
    return Known(route, inbox, predictions, rejected, note_beside(name), [*fresh, *states])


def waiting_versions(route: Route | None, versions: list[Version]) -> list[Version]:
    """What waits under the file's route, and under those that its versions were dropped under."""
    routes = {version.route for version in versions if version.run is None} | (
        {route.name} if route else set()
    )
    return [one for name in sorted(routes) for one in ledger().waiting(name)]


def state_of(version: Version) -> State:
    """What has become of one version that has a record."""
    run = ledger().run(version.run) if version.run else None
    if run is None:
        return State(version, "waiting")
    word = word_of(run, version)
    if run.stage != "closed":
        return State(version, "running", run, word)
    return State(version, word.word or "failed", run, word)


def word_of(run: Run, version: Version) -> Verdict:
    words = {verdict.version: verdict for verdict in ledger().results(run)}
    return words.get(version.key, Verdict(version=version.key, blob=version.blob))


def note_beside(name: str) -> str:
    """The reason beside a rejected file, or "" where there is none."""
    note = clients.container("rejected").get_blob_client(f"{name}{NOTE}")
    if properties(note) is None:
        return ""
    return note.download_blob(offset=0, length=LONGEST_NOTE).readall().decode("utf-8", "replace")


def waiting_of(known: Known) -> Waiting:
    """What the file waits for."""
    version = known.states[0].version
    route = current_routes().named(version.route)
    ahead = sum(one.modified < version.modified for one in ledger().waiting(version.route))
    if route is None:
        return Waiting(version.modified, ahead, 0, 0, "its route is gone", None)
    hold = ledger().held(route)
    due = next_due(route.schedule, clients.now()) if route.schedule else None
    busy = sum(1 for _ in ledger().held_slots(route))
    return Waiting(version.modified, ahead, busy, route.max_jobs, hold.why if hold else None, due)


def standing(blob: BlobProperties | None) -> dict[str, Any] | None:
    if blob is None:
        return None
    return {"etag": bare_etag(blob.etag), "size": blob.size, "modified": timestamp(blob.last_modified)}


def placed(blob: BlobProperties | None, container: str) -> dict[str, Any] | None:
    if blob is None:
        return None
    url = clients.container(container).get_blob_client(blob.name).url
    return {"name": blob.name, **(standing(blob) or {}), "url": url}


@bp.route(route="files/{*path}", methods=["PUT"])
@bp.durable_client_input(client_name="client")
async def drop_file(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Drops a file: the body becomes the file of that name in the inbox, and is scored in its turn.

    `If-None-Match: *`: only where there is none of that name. 202: its ETag, and the runs that began with it at once.
    """
    try:
        name = named(req)
        version, launches = await asyncio.to_thread(put_file, name, req)
    except BadRequest as problem:
        return problem_json(problem)
    await start(client, launches)
    return taken(name, launches, api_url(req), **version)


def put_file(name: str, req: func.HttpRequest) -> tuple[dict[str, Any], list[Launch]]:
    """Which version the file is, and the runs that begin with it."""
    body = req.get_body()
    if not body:
        raise BadRequest(400, "empty-file", f"The body is the file {name}: it is empty.")
    if len(body) > LARGEST:
        raise BadRequest(
            413, "file-too-large", f"A body may have {LARGEST:,} bytes; use a storage tool for larger files."
        )
    routes = current_routes()
    route = routes.of(name)
    if route is None:
        patterns = ", ".join(one.pattern for one in routes.routes)
        raise BadRequest(404, "no-route", f"No route takes the name {name}. The routes take: {patterns}.")
    etag = put_in(name, body, replace=req.headers.get("If-None-Match", "") != "*")
    return {"etag": etag, "size": len(body), "route": route.name}, dropped(name)


@bp.route(route="waiting", methods=["GET"], auth_level=READS)
async def get_waiting(req: func.HttpRequest) -> func.HttpResponse:
    """The files that wait, the first dropped first. Query: `route`, `limit`."""
    return await answered(lambda: all_waiting(req.params))


def all_waiting(query: Mapping[str, str]) -> dict[str, Any]:
    limit, wanted = number(query, "limit", 100, 1000), query.get("route", "")
    names = [route.name for route in current_routes().routes if not wanted or route.name == wanted]
    found = sorted(
        (one for name in names for one in ledger().waiting(name)), key=lambda one: (one.modified, one.key)
    )
    shown = [
        {"file": one.blob, "route": one.route, "since": one.modified, "size": one.size}
        for one in found[:limit]
    ]
    return {"waiting": shown, "total": len(found)}
