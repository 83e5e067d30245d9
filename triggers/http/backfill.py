"""Backfill over HTTP: what it would do, begun, as it stands, ended."""

import asyncio
from dataclasses import dataclass
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from activities.inbox import versions_below
from shared import clients
from shared.names import new_run, run_of_idempotency_key
from shared.records import Backfill
from triggers.http.answers import (
    READS,
    Answer,
    BadRequest,
    answered,
    api_url,
    as_object,
    json_object,
    ledger,
    listable,
    problem_json,
    response,
    usable_route,
)

bp = df.Blueprint()
FORM = '{"route": "...", "prefix": "..."}'
KNOWN = ("route", "prefix", "dry_run", "force", "per_minute")
NAMED = 20
FASTEST = 100_000
STATES = {"Completed": "completed", "Failed": "failed", "Terminated": "canceled", "Canceled": "canceled"}


@bp.route(route="backfill", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def start_backfill(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Scores all files of a route below a prefix, one run after the other; `dry_run` only says what that would be.

    Files that were scored before are left out unless `force`. At most `per_minute` files are begun in a minute. The
    same `Idempotency-Key` names the same backfill.
    """
    key = req.headers.get("Idempotency-Key", "")
    try:
        asked = await asyncio.to_thread(parsed, json_object(req, FORM, KNOWN), key)
    except BadRequest as problem:
        return problem_json(problem)
    if asked.dry_run:
        return await answered(lambda: foreseen(asked.backfill))
    instance = f"backfill-{asked.backfill.id}"
    if not key or (await client.get_status(instance)).runtime_status is None:
        await client.start_new("backfill", instance, asked.backfill.to_dict())
    url = f"{api_url(req)}/backfill/{asked.backfill.id}"
    told = {"backfill": asked.backfill.id, "url": url}
    return response(Answer(told, 202, {"Location": url, "Retry-After": "10"}))


@dataclass(frozen=True)
class Asked:
    """The body of `POST /api/backfill`."""

    backfill: Backfill
    dry_run: bool


def parsed(data: dict[str, Any], key: str) -> Asked:
    route, prefix, pace = data.get("route"), data.get("prefix", ""), data.get("per_minute", 1000)
    dry_run, force = data.get("dry_run", False), data.get("force", False)
    if not isinstance(route, str) or not isinstance(prefix, str):
        raise BadRequest(400, "bad-body", "route and prefix are text.")
    if not isinstance(dry_run, bool) or not isinstance(force, bool):
        raise BadRequest(400, "bad-body", "dry_run and force are true or false.")
    # 1000.0 is a whole number in JSON.
    if isinstance(pace, bool) or not isinstance(pace, int | float) or pace % 1 or not 1 <= pace <= FASTEST:
        raise BadRequest(400, "bad-body", f"per_minute is a whole number from 1 to {FASTEST}.")
    name = usable_route(route).name
    own = run_of_idempotency_key(f"backfill/{key}") if key else new_run(clients.now())
    below = listable(prefix, "bad-body")
    asked = Backfill(id=own, route=name, prefix=below, force=force, per_minute=int(pace))
    return Asked(asked, dry_run)


def foreseen(backfill: Backfill) -> dict[str, Any]:
    """What the backfill would score."""
    route, known = usable_route(backfill.route), ledger().known_versions()
    versions = list(versions_below(backfill.prefix, route))
    below = sum(1 for _ in clients.container("inbox").list_blob_names(name_starts_with=backfill.prefix))
    before = [one for one in versions if one.key in known]
    wanted = versions if backfill.force else [one for one in versions if one.key not in known]
    return {
        "files": len(wanted),
        "bytes": sum(one.size for one in wanted),
        "scored_before": len(before),
        "others": below - len(versions),
        "names": [one.blob for one in wanted[:NAMED]],
        "minutes": -(-len(wanted) // backfill.per_minute),
    }


@bp.route(route="backfill/{id}", methods=["GET"], auth_level=READS)
@bp.durable_client_input(client_name="client")
async def get_backfill(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """How far a backfill has come, and its runs."""
    try:
        return response(Answer(await standing(client, req.route_params["id"])))
    except BadRequest as problem:
        return problem_json(problem)


async def standing(client: df.DurableOrchestrationClient, name: str) -> dict[str, Any]:
    found = await client.get_status(f"backfill-{name}") if name.isalnum() else None
    if found is None or found.runtime_status is None:
        raise BadRequest(404, "no-such-backfill", f"There is no backfill {name}.")
    # Before its first step there is no custom status yet, and the input is still text.
    state = Backfill.from_dict(found.custom_status or as_object(found.input_))
    status = STATES.get(found.runtime_status.name, "running")
    status = "failed" if state.why else status
    shown = {key: getattr(state, key) for key in ("route", "prefix", "force", "files", "runs", "why")}
    return {"backfill": name, "status": status, **shown}


@bp.route(route="backfill/{id}/cancel", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def cancel_backfill(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Begins no further run; the one under way goes on (cancel it as any other)."""
    try:
        state = await standing(client, req.route_params["id"])
    except BadRequest as problem:
        return problem_json(problem)
    if state["status"] == "running":
        await client.terminate(f"backfill-{state['backfill']}", "canceled over HTTP")
    return response(Answer({**state, "cancel": True}, 202))
