"""Runs over HTTP: start one by naming its files, ask how it stands."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from activities.inbox import look
from activities.runs import start
from shared import clients
from shared.current_routes import route_named
from shared.errors import NoSuchRoute, NotTheOwner, RouteError
from shared.ledger import Ledger
from shared.ledger_stages import CANCELABLE
from shared.names import new_run, run_of_idempotency_key
from shared.records import Launch, Run, Version
from shared.routes import Route
from shared.watching import WAKE

bp = df.Blueprint()
LONGEST_BODY = 1_000_000
BLOBS_PER_REQUEST = 100


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
    blobs: list[str]
    new: bool


@bp.route(route="runs", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def start_run(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Scores files that lie in the inbox, now, whether or not they were scored before in vain.

    Body: `{"route": "...", "blobs": ["path in the inbox", ...], "force": false}`. 202: the runs, each with its files
    and the address to look at. The same `Idempotency-Key` names the same runs.
    """
    try:
        asked = parsed(req.get_body())
        runs = await asyncio.to_thread(planned, asked, req.headers.get("Idempotency-Key", ""))
    except BadRequest as problem:
        return problem_json(problem)
    await start(client, [one.launch for one in runs if one.new])
    return accepted(runs, req.url.split("?")[0].rstrip("/"))


def accepted(runs: list[Planned], base: str) -> func.HttpResponse:
    """202: the runs, each with its files and the address to look at, below `base`."""
    shown = [{"run": one.launch.run, "blobs": one.blobs, "url": f"{base}/{one.launch.run}"} for one in runs]
    headers = {"Location": f"{base}/{runs[0].launch.run}", "Retry-After": "5"}
    return json_response({"runs": shown}, 202, headers)


def parsed(body: bytes) -> Asked:
    """Raises BadRequest for everything that is not the documented body."""
    if len(body) > LONGEST_BODY:
        raise BadRequest(413, "body-too-large", f"The body may have {LONGEST_BODY} bytes.")
    try:
        data = json.loads(body, object_pairs_hook=unambiguous)
        route, blobs, force = data["route"], data["blobs"], data.get("force", False)
        json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
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


def unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises ValueError for an object that has a key twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def planned(asked: Asked, key: str) -> list[Planned]:
    """Writes the plan and the record of each run that was not asked for before; starting them is all that remains.

    Files of a route whose jobs can be shared make one run, others one each.
    """
    route = usable_route(asked.route)
    versions = found_versions(asked, route)
    runs = [(asked_run(key, group), group) for group in grouped(versions, route)]
    check_load(sum(ledger().run(run) is None for run, _ in runs))
    return [opened(run, route, group, force=asked.force) for run, group in runs]


def grouped(versions: list[Version], route: Route) -> list[list[Version]]:
    """The files of each run."""
    return [versions] if route.shares_jobs else [[version] for version in versions]


def asked_run(key: str, versions: list[Version]) -> str:
    """The run of an `Idempotency-Key` and its files; without a key a new one."""
    blobs = [version.blob for version in versions]
    return run_of_idempotency_key(json.dumps([key, *blobs])) if key else new_run(clients.now())


def check_load(wanted: int) -> None:
    """Raises BadRequest where more runs that take no slot would be open than the app allows."""
    allowed = clients.settings().max_adhoc
    under_way = sum(launch.slot is None for launch, _ in ledger().announced()) if wanted else 0
    if under_way + wanted > allowed:
        detail = f"{under_way} runs that were asked for are open, {allowed} may be (DROPSCORE_MAX_ADHOC)."
        raise BadRequest(429, "too-many-runs", f"{detail} Try again when some have closed.")


def opened(run: str, route: Route, versions: list[Version], *, force: bool) -> Planned:
    """A run that brings its plan and takes no slot."""
    launch = Launch(run=run, launch=1, route=route.name, force=force)
    ledger().bring_plan(run, versions)
    # Of requests at the same time, the one that makes the record starts the run; the sweep, where that one dies.
    begun = ledger().run(run) is None and ledger().begin(launch, route) is not None
    return Planned(launch, [version.blob for version in versions], new=begun)


@bp.route(route="runs/{run}/cancel", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def cancel_run(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Stops a run: its job is canceled, its files end as `canceled`. 409 once the job has ended."""
    try:
        run = await asyncio.to_thread(to_be_canceled, req.route_params["run"])
    except BadRequest as problem:
        return problem_json(problem)
    await wake(client, Launch(run=run.run, launch=run.launch, route=""))
    return json_response({"run": run.run, "stage": run.stage, "cancel": True}, 202, {"Retry-After": "5"})


def to_be_canceled(name: str) -> Run:
    run = ledger().cancel(name) if name.isalnum() else None
    if run is None:
        raise BadRequest(404, "no-such-run", f"There is no run {name}.")
    if run.stage not in CANCELABLE:
        raise BadRequest(
            409, "too-late", f"Run {name} cannot be canceled any more: it is {run.outcome or run.stage}."
        )
    return run


async def wake(client: df.DurableOrchestrationClient, launch: Launch) -> None:
    """Ends the launch's present wait, so that the record is read at once and not at the next look."""
    for number in count(1):
        status = (await client.get_status(launch.watch_id(number))).runtime_status
        if status is None:
            return
        if status.name == "Running":
            # It may have ended since; the flag stands in any case.
            with suppress(Exception):
                await client.raise_event(launch.watch_id(number), WAKE)


@bp.route(route="runs/{run}/rerun", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def rerun_run(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Goes on with the files of a closed run that failed or were canceled.

    Where its job completed, its raw predictions are unpacked again, and only what they leave incomplete is scored once
    more, in the same run; otherwise new runs score the files. 202: the runs that go on, as `POST /api/runs` shows them.
    """
    name = req.route_params["run"]
    try:
        runs = await asyncio.to_thread(to_be_rerun, name)
    except BadRequest as problem:
        return problem_json(problem)
    await start(client, [one.launch for one in runs])
    return accepted(runs, req.url.split("?")[0].removesuffix(f"/{name}/rerun"))


def to_be_rerun(name: str) -> list[Planned]:
    """The runs that go on; their records are written. Raises BadRequest where there is nothing to go on with."""
    run = found_run(name)
    if run.stage != "closed":
        raise BadRequest(409, "still-open", f"Run {name} is at {run.stage}; cancel it, or wait for its end.")
    unscored = {word.version for word in ledger().results(run) if word.word in ("failed", "canceled")}
    versions = [version for version in ledger().claims(name) if version.key in unscored]
    if not versions:
        raise BadRequest(
            409, "nothing-to-do", f"No file of run {name} failed, or others have scored them since."
        )
    route = usable_route(run.route["name"])
    groups = [versions] if run.job_outcome == "completed" else grouped(versions, route)
    check_load(len(groups))
    if run.job_outcome == "completed":
        launch = ledger().reopen(name, route)
        if launch is None:
            raise BadRequest(409, "still-open", f"Run {name} is being rerun already.")
        return [Planned(launch, [version.blob for version in versions], new=True)]
    return [opened(new_run(clients.now()), route, group, force=run.force) for group in groups]


def ledger() -> Ledger:
    """The ledger. Raises BadRequest where it is another app's."""
    try:
        return clients.ledger()
    except NotTheOwner as problem:
        raise BadRequest(503, "not-the-owner", str(problem)) from problem


def found_run(name: str) -> Run:
    run = ledger().run(name) if name.isalnum() else None
    if run is None:
        raise BadRequest(404, "no-such-run", f"There is no run {name}.")
    return run


def usable_route(name: str) -> Route:
    try:
        return route_named(name)
    except NoSuchRoute as problem:
        raise BadRequest(404, "no-such-route", str(problem)) from problem
    except RouteError as problem:
        raise BadRequest(503, "no-routes", str(problem)) from problem


def found_versions(asked: Asked, route: Route) -> list[Version]:
    # Some services take a backslash for a slash: a file would have two names.
    looked = clients.in_parallel(lambda blob: None if "\\" in blob else look(blob, route), asked.blobs)
    versions = dict(zip(asked.blobs, looked, strict=True))
    missing = [blob for blob, version in versions.items() if version is None]
    if missing:
        raise BadRequest(404, "no-such-blob", f"Not in the inbox, or not whole yet: {', '.join(missing)}.")
    return [version for version in versions.values() if version]


@bp.route(route="runs/{run}", methods=["GET"])
async def get_run(req: func.HttpRequest) -> func.HttpResponse:
    """The run's record and, once it has them, the final word of each of its files."""
    try:
        shown = await asyncio.to_thread(run_shown, req.route_params["run"])
    except BadRequest as problem:
        return problem_json(problem)
    return json_response(shown, 200, {})


def run_shown(name: str) -> dict[str, Any]:
    record = found_run(name)
    words = [
        {
            key: value
            for key, value in verdict.to_dict().items()
            if key in ("blob", "word", "why", "rows", "where")
        }
        for verdict in ledger().results(record)
    ]
    keys = ("run", "stage", "outcome", "created_at", "closed_at", "files", "rows", "job", "studio")
    reasons = ("failed_stage", "why", "left_out", "held", "released", "not_moved")
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
