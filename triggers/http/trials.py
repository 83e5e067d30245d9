"""Trials over HTTP: a few rows are scored by a route's model, to prove that it can; nothing is published."""

import asyncio
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from activities.trials import prepared
from shared import work
from shared.errors import FileRejected
from shared.trials import LARGEST_SAMPLE, Trial
from triggers.http.answers import (
    READS,
    Answer,
    BadRequest,
    api_url,
    as_object,
    ledger,
    problem_json,
    response,
    usable_route,
)

bp = df.Blueprint()
SHOWN = ("rows", "job", "studio", "why", "advice", "left")


@bp.route(route="routes/{route}/trial", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def start_trial(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Scores the rows of a CSV, the body, with the route's model. They are checked as those of a file are."""
    try:
        trial = await asyncio.to_thread(begun, req.route_params["route"], req.get_body())
    except BadRequest as problem:
        return problem_json(problem)
    try:
        await client.start_new("trial", f"trial-{trial.id}", trial.to_dict())
    except Exception:
        await asyncio.to_thread(work.forget, trial.id)
        raise
    url = f"{api_url(req)}/trials/{trial.id}"
    told = {"trial": trial.id, "rows": trial.rows, "url": url}
    return response(Answer(told, 202, {"Location": url, "Retry-After": "5"}))


def begun(name: str, sample: bytes) -> Trial:
    if not sample:
        raise BadRequest(400, "empty-file", "The sample is empty: send a CSV with a header and a few rows.")
    if len(sample) > LARGEST_SAMPLE:
        raise BadRequest(
            413, "file-too-large", f"A sample may have {LARGEST_SAMPLE:,} bytes: send a few rows."
        )
    ledger()
    route = usable_route(name)
    try:
        return prepared(route, sample)
    except FileRejected as problem:
        told = f"The route {route.name} would not take the sample: {problem}"
        raise BadRequest(422, "bad-sample", told) from None


@bp.route(route="trials/{id}", methods=["GET"], auth_level=READS)
@bp.durable_client_input(client_name="client")
async def get_trial(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """How a trial stands, and what came of it."""
    try:
        return response(Answer(await standing(client, req.route_params["id"])))
    except BadRequest as problem:
        return problem_json(problem)


async def standing(client: df.DurableOrchestrationClient, name: str) -> dict[str, Any]:
    found = await client.get_status(f"trial-{name}") if name.isalnum() else None
    if found is None or found.runtime_status is None:
        raise BadRequest(404, "no-such-trial", f"There is no trial {name}.")
    state = Trial.from_dict(found.custom_status or as_object(found.input_))
    ended = {"Completed": state.outcome, "Failed": "failed", "Terminated": "canceled"}
    status = ended.get(found.runtime_status.name, "running")
    shown = {key: getattr(state, key) for key in SHOWN}
    own = {"trial": name, "route": state.route, "status": status, "begun_at": state.begun_at}
    return {**own, "job_status": state.status, **shown}


@bp.route(route="trials/{id}/cancel", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def cancel_trial(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Ends a trial: its job is canceled, and what it has put anywhere is deleted, within half a minute."""
    try:
        state = await standing(client, req.route_params["id"])
    except BadRequest as problem:
        return problem_json(problem)
    if state["status"] == "running":
        await asyncio.to_thread(work.create, f"{state['trial']}/cancel", b"")
        state = await standing(client, state["trial"])
        if state["status"] != "running":
            # It was over before anybody could read that; nobody would delete it any more.
            await asyncio.to_thread(work.forget, state["trial"])
    return response(Answer({**state, "cancel": True}, 202))
