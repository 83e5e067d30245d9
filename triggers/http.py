"""Runs over HTTP: start one by naming its files, ask how it stands."""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from activities.inbox import look
from activities.runs import start
from shared import clients
from shared.current_routes import route_named
from shared.errors import RouteError
from shared.names import new_run, run_of_idempotency_key
from shared.records import Launch, Version

bp = df.Blueprint()
LONGEST_BODY = 1_000_000
BLOBS_PER_REQUEST = 1000


class BadRequest(Exception):
    """The request cannot be carried out; status, code and detail are the answer."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


@dataclass(frozen=True)
class Asked:
    """The body of `POST /api/runs`."""

    route: str
    blobs: list[str]
    force: bool


@bp.route(route="runs", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def start_run(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Scores files that lie in the inbox, now, whether or not they were scored before in vain.

    Body: `{"route": "...", "blobs": ["path in the inbox", ...], "force": false}`. 202: one run per file, each with
    the address to look at. The same `Idempotency-Key` names the same runs.
    """
    try:
        asked = parsed(req.get_body())
        launches = await asyncio.to_thread(planned, asked, req.headers.get("Idempotency-Key", ""))
    except BadRequest as problem:
        return problem_json(problem)
    await start(client, [launch for launch, _ in launches])
    base = req.url.split("?")[0].rstrip("/")
    runs = [{"run": launch.run, "blobs": [blob], "url": f"{base}/{launch.run}"} for launch, blob in launches]
    headers = {"Location": f"{base}/{launches[0][0].run}", "Retry-After": "5"}
    return json_response({"runs": runs}, 202, headers)


def parsed(body: bytes) -> Asked:
    """Raises BadRequest for everything that is not the documented body."""
    if len(body) > LONGEST_BODY:
        raise BadRequest(413, "body-too-large", f"The body may have {LONGEST_BODY} bytes.")
    try:
        data = json.loads(body)
        route, blobs, force = data["route"], data["blobs"], data.get("force", False)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadRequest(400, "bad-body", 'Send {"route": "...", "blobs": ["..."]} as JSON.') from None
    named = isinstance(blobs, list) and blobs and all(isinstance(blob, str) and blob for blob in blobs)
    if not isinstance(route, str) or not named or not isinstance(force, bool):
        raise BadRequest(
            400, "bad-body", "route is text, blobs a list of names in the inbox, force true or false."
        )
    if len(blobs) > BLOBS_PER_REQUEST:
        raise BadRequest(413, "too-many-blobs", f"Name at most {BLOBS_PER_REQUEST} blobs in one request.")
    return Asked(route, list(dict.fromkeys(blobs)), force)


def planned(asked: Asked, key: str) -> list[tuple[Launch, str]]:
    """Writes each run's plan and enters it into the index of open runs; starting them is all that remains."""
    versions = found_versions(asked)
    launches = []
    for version in versions:
        run = run_of_idempotency_key(f"{key}\n{version.blob}") if key else new_run(datetime.now(UTC))
        launch = Launch(run=run, launch=1, route=asked.route, force=asked.force)
        if clients.ledger().bring_plan(run, [version]):
            clients.ledger().announce(launch)
        launches.append((launch, version.blob))
    return launches


def found_versions(asked: Asked) -> list[Version]:
    try:
        route = route_named(asked.route)
    except RouteError as problem:
        raise BadRequest(404, "no-such-route", str(problem)) from problem
    versions = {blob: look(blob, route, settled=True) for blob in asked.blobs}
    missing = [blob for blob, version in versions.items() if version is None]
    if missing:
        raise BadRequest(404, "no-such-blob", f"Not in the inbox, or not whole yet: {', '.join(missing)}.")
    return [version for version in versions.values() if version]


@bp.route(route="runs/{run}", methods=["GET"])
async def get_run(req: func.HttpRequest) -> func.HttpResponse:
    """The run's record and, once it has them, the final word of each of its files."""
    run = req.route_params["run"]
    shown = await asyncio.to_thread(run_shown, run)
    if shown is None:
        return problem_json(
            BadRequest(404, "no-such-run", f"There is no run {run}, or it has not begun yet.")
        )
    return json_response(shown, 200, {})


def run_shown(run: str) -> dict[str, Any] | None:
    if not run.isalnum():
        return None
    record = clients.ledger().run(run)
    if record is None:
        return None
    words = [
        {
            key: value
            for key, value in verdict.to_dict().items()
            if key in ("blob", "word", "why", "rows", "where")
        }
        for verdict in clients.ledger().results(record)
    ]
    keys = ("run", "stage", "outcome", "created_at", "closed_at", "files", "rows", "job", "studio")
    reasons = ("failed_stage", "why", "left_out")
    data = record.to_dict()
    return {"route": record.route["name"], **{key: data[key] for key in (*keys, *reasons)}, "results": words}


def json_response(body: Any, status: int, headers: dict[str, str]) -> func.HttpResponse:
    return func.HttpResponse(
        json.dumps(body, indent=1), status_code=status, headers=headers, mimetype="application/json"
    )


def problem_json(problem: BadRequest) -> func.HttpResponse:
    """RFC 9457."""
    body = {"type": problem.code, "title": problem.code.replace("-", " "), "status": problem.status}
    return func.HttpResponse(
        json.dumps({**body, "detail": problem.detail}),
        status_code=problem.status,
        mimetype="application/problem+json",
    )
