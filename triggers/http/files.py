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
from shared.blob_io import listed, properties
from shared.file_views import State, Taken, shown_file
from shared.names import NOTE, bare_etag, errors_name, predictions_name
from shared.records import Launch, Run, Verdict, Version, timestamp
from shared.routes import Route
from triggers.http.answers import (
    READS,
    BadRequest,
    address_of,
    answered,
    api_url,
    ledger,
    listable,
    name_over_http,
    number,
    problem_json,
    usable_routes,
)
from triggers.http.inputs import LARGEST, put_in, taken
from triggers.http.run_views import words_of
from triggers.http.waiting import waiting_of

bp = df.Blueprint()
VERSIONS_SHOWN = 20
LONGEST_NOTE = 20_000
PLACES = ("inbox", "predictions", "rejected")


@bp.route(route="files", methods=["GET"], auth_level=READS)
async def find_files(req: func.HttpRequest) -> func.HttpResponse:
    """Names that begin so, and in which containers they stand. Query: `prefix`, `limit`."""
    return await answered(lambda: found_names(req.params))


def found_names(query: Mapping[str, str]) -> dict[str, Any]:
    prefix = listable(query.get("prefix", ""), "bad-query")
    limit = number(query, "limit", 100, 1000)
    found: dict[str, dict[str, Any]] = {}
    for place in PLACES:
        for name, modified in islice(names_in(place, prefix), limit + 1):
            entry = found.setdefault(name, {"file": name, "in": [], "modified": modified})
            entry["in"].append(place)
            entry["modified"] = max(entry["modified"], modified)
    files = [found[name] for name in sorted(found)]
    return {"files": files[:limit], "more": len(files) > limit}


def names_in(place: str, prefix: str) -> Iterator[tuple[str, str]]:
    for blob in listed(clients.container(place), prefix):
        if not blob.name.endswith(NOTE):
            yield blob.name, timestamp(blob.last_modified)


@bp.route(route="files/{*path}", methods=["GET"], auth_level=READS)
async def get_file(req: func.HttpRequest) -> func.HttpResponse:
    """Everything that is known about one name in the inbox, and its versions."""
    return await answered(lambda: everything_about(named(req)))


def named(req: func.HttpRequest) -> str:
    """The file's name. Raises BadRequest for one that cannot be asked for."""
    return name_over_http(str(req.route_params.get("path", "")))


@dataclass(frozen=True)
class Known:
    """What storage and the ledger say of one name."""

    route: Route | None
    inbox: BlobProperties | None
    predictions: BlobProperties | None
    errors: BlobProperties | None
    rejected: BlobProperties | None
    why: str
    states: list[State]


def everything_about(name: str) -> dict[str, Any]:
    known = looked_up(name)
    if not (known.inbox or known.predictions or known.rejected or known.states):
        raise BadRequest(
            404, "no-such-file", f"Nothing is known of a file {name}: was it dropped under this name?"
        )
    newest = known.states[0] if known.states else None
    waiting = waiting_of(newest.version) if newest and newest.state == "waiting" else None
    return {
        **shown_file(
            name,
            known.route.name if known.route else None,
            standing(known.inbox),
            known.states,
            waiting,
            Taken([one.pattern for one in usable_routes().routes], clients.settings().empty_after),
        ),
        "predictions": placed(known.predictions, "predictions"),
        "errors": placed(known.errors, "predictions"),
        "rejected": {"name": name, "why": known.why} if known.rejected or known.why else None,
    }


def looked_up(name: str) -> Known:
    route = usable_routes().of(name)
    inbox, predictions, rejected = (
        properties(clients.container(place).get_blob_client(blob))
        for place, blob in (("inbox", name), ("predictions", predictions_name(name)), ("rejected", name))
    )
    beside = clients.container("predictions").get_blob_client(errors_name(name))
    errors = properties(beside) if predictions else None
    versions = ledger().versions_of(clients.settings().inbox, name, VERSIONS_SHOWN)
    states = states_of(versions)
    known = {version.key for version in versions}
    fresh = [State(one, "waiting") for one in marked(name, route, versions) if one.key not in known]
    return Known(route, inbox, predictions, errors, rejected, note_beside(name), [*fresh, *states])


def marked(name: str, route: Route | None, versions: list[Version]) -> list[Version]:
    """The file's versions that wait, under its route and under those that they were dropped under."""
    routes = {version.route for version in versions} | ({route.name} if route else set())
    inbox = clients.settings().inbox
    found = [one for some in sorted(routes) for one in ledger().waiting_of(some, inbox, name)]
    return sorted(found, key=lambda version: version.modified, reverse=True)


def states_of(versions: list[Version]) -> list[State]:
    """What has become of versions that have a record. Each run is read once."""
    names = {version.run for version in versions if version.run}
    runs = {name: run for name in names if (run := ledger().run(name)) is not None}
    words = {name: {word.version: word for word in words_of(run)} for name, run in runs.items()}
    return [
        state_of(version, runs.get(version.run or ""), words.get(version.run or "", {}).get(version.key))
        for version in versions
    ]


def state_of(version: Version, run: Run | None, word: Verdict | None) -> State:
    if run is None:
        return State(version, "waiting")
    if run.stage != "closed":
        return State(version, "running", run, word)
    return State(version, word.word if word and word.word else "failed", run, word)


def note_beside(name: str) -> str:
    """The reason beside a rejected file, or "" where there is none."""
    note = clients.container("rejected").get_blob_client(f"{name}{NOTE}")
    if properties(note) is None:
        return ""
    return note.download_blob(offset=0, length=LONGEST_NOTE).readall().decode("utf-8", "replace")


def standing(blob: BlobProperties | None) -> dict[str, Any] | None:
    if blob is None:
        return None
    return {"etag": bare_etag(blob.etag), "size": blob.size, "modified": timestamp(blob.last_modified)}


def placed(blob: BlobProperties | None, container: str) -> dict[str, Any] | None:
    if blob is None:
        return None
    address = address_of(clients.container(container).get_blob_client(blob.name))
    return {"name": blob.name, **(standing(blob) or {}), "url": address}


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
    routes, replace = usable_routes(), replacing(req.headers)
    route = routes.of(name)
    if route is None:
        patterns = ", ".join(one.pattern for one in routes.routes)
        raise BadRequest(404, "no-route", f"No route takes the name {name}. The routes take: {patterns}.")
    etag = put_in(name, body, replace=replace)
    return {"etag": etag, "size": len(body), "route": route.name}, dropped(name)


def replacing(headers: Mapping[str, str]) -> bool:
    """Whether a file may be replaced. Raises BadRequest for conditions that are not looked at."""
    condition = headers.get("If-None-Match", "")
    if condition not in ("", "*") or headers.get("If-Match"):
        raise BadRequest(400, "bad-condition", "The one condition that is known is If-None-Match: *.")
    return not condition
