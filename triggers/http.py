"""Runs over HTTP: start one by naming its files, ask how it stands."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from activities.inbox import look
from activities.runs import start
from shared import clients
from shared.current_routes import current_routes
from shared.errors import RouteError
from shared.names import new_run, run_of_idempotency_key
from shared.records import Launch, Version
from shared.routes import Route, Routes

bp = df.Blueprint()
LONGEST_BODY = 1_000_000
BLOBS_PER_REQUEST = 20


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


@dataclass(frozen=True)
class Planned:
    """One run of a request; `new` is False where the same request was made before."""

    launch: Launch
    blob: str
    new: bool


@bp.route(route="runs", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def start_run(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Scores files that lie in the inbox, now, whether or not they were scored before in vain.

    Body: `{"route": "...", "blobs": ["path in the inbox", ...], "force": false}`. 202: one run per file, each with
    the address to look at. The same `Idempotency-Key` names the same runs.
    """
    try:
        asked = parsed(req.get_body())
        runs = await asyncio.to_thread(planned, asked, req.headers.get("Idempotency-Key", ""))
    except BadRequest as problem:
        return problem_json(problem)
    await start(client, [one.launch for one in runs if one.new])
    base = req.url.split("?")[0].rstrip("/")
    shown = [{"run": one.launch.run, "blobs": [one.blob], "url": f"{base}/{one.launch.run}"} for one in runs]
    headers = {"Location": f"{base}/{runs[0].launch.run}", "Retry-After": "5"}
    return json_response({"runs": shown}, 202, headers)


def parsed(body: bytes) -> Asked:
    """Raises BadRequest for everything that is not the documented body."""
    if len(body) > LONGEST_BODY:
        raise BadRequest(413, "body-too-large", f"The body may have {LONGEST_BODY} bytes.")
    try:
        data = json.loads(body)
        route, blobs, force = data["route"], data["blobs"], data.get("force", False)
        json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadRequest(400, "bad-body", 'Send {"route": "...", "blobs": ["..."]} as JSON.') from None
    unknown = sorted(set(data) - {"route", "blobs", "force"})
    if unknown:
        raise BadRequest(400, "bad-body", f"Unknown: {', '.join(unknown)}. Known are route, blobs and force.")
    named = isinstance(blobs, list) and blobs and all(isinstance(blob, str) and blob for blob in blobs)
    if not isinstance(route, str) or not named or not isinstance(force, bool):
        raise BadRequest(
            400, "bad-body", "route is text, blobs a list of names in the inbox, force true or false."
        )
    if len(blobs) > BLOBS_PER_REQUEST:
        raise BadRequest(413, "too-many-blobs", f"Name at most {BLOBS_PER_REQUEST} blobs in one request.")
    return Asked(route, list(dict.fromkeys(blobs)), force)


def planned(asked: Asked, key: str) -> list[Planned]:
    """Writes the plan and the record of each run that was not asked for before; starting them is all that remains."""
    routes = usable_routes()
    route = routes.named(asked.route)
    if route is None:
        known = ", ".join(one.name for one in routes.routes) or "none"
        raise BadRequest(404, "no-such-route", f'There is no route "{asked.route}"; the routes are: {known}.')
    runs = []
    for version in found_versions(asked, route):
        run = run_of_idempotency_key(f"{key}\n{version.blob}") if key else new_run(clients.now())
        launch = Launch(run=run, launch=1, route=asked.route, force=asked.force)
        new = clients.ledger().bring_plan(run, [version]) or clients.ledger().run(run) is None
        if new:
            clients.ledger().open(launch, route)
        runs.append(Planned(launch, version.blob, new=new))
    return runs


def usable_routes() -> Routes:
    try:
        return current_routes()
    except RouteError as problem:
        raise BadRequest(503, "no-routes", str(problem)) from problem


def found_versions(asked: Asked, route: Route) -> list[Version]:
    versions = {blob: look(blob, route) for blob in asked.blobs}
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
        return problem_json(BadRequest(404, "no-such-run", f"There is no run {run}."))
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
    reasons = ("failed_stage", "why", "left_out", "not_moved")
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
