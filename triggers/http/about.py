"""The app on itself: whether it is alive, whether its deployment can work, and the description of its API."""

import asyncio
from pathlib import Path

import azure.durable_functions as df
import azure.functions as func
from azure.core.exceptions import AzureError, HttpResponseError

from shared import clients
from shared.errors import DropscoreError, NotTheOwner
from shared.ledger_retention import STALE_AFTER
from shared.records import Heartbeat, moment
from triggers.http.answers import Answer, answered, response

bp = df.Blueprint()
DESCRIPTION = Path(__file__).parent.parent.parent / "web" / "openapi.json"
# Seconds: names that nobody resolves take longer than any call.
ANSWERED_WITHIN = 5.0
UNREACHABLE = "Storage is unreachable."


@bp.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def get_health(req: func.HttpRequest) -> func.HttpResponse:
    """Whether sweeps begin: 200, or 503 where none has for five minutes, or storage cannot be reached.

    With `deep` it leads to `health/deep`: the platform asks for keys by function, not by query.
    """
    if req.params.get("deep", "0") not in ("0", ""):
        return func.HttpResponse(
            status_code=307, headers={"Location": "health/deep", "Cache-Control": "no-store"}
        )
    try:
        return await asyncio.wait_for(answered(health), ANSWERED_WITHIN)
    except TimeoutError:
        return response(told("broken", None, why=UNREACHABLE))


def health() -> Answer:
    """Of storage that is asked once, for a few seconds: who asks wants to know that it does not answer."""
    try:
        row_values = clients.settings().row_values
        with clients.impatient_storage() as storage:
            ledger = clients.anybodys_ledger(storage)
            beat, standing = ledger.heartbeat(), ledger.standing_owner()
        if standing is not None:
            clients.refuse_others(standing)
    except (AzureError, DropscoreError) as problem:
        return told("broken", None, why=reason(problem))
    if beat is None:
        return told("starting", None, row_values=row_values)
    stale = clients.now() - moment(beat.at) > STALE_AFTER
    return told("stale" if stale else "ok", beat, row_values=row_values)


def reason(problem: Exception) -> str:
    """For everybody: without names, which the checkup tells those who have a key."""
    if isinstance(problem, NotTheOwner):
        return "Another app works on the ledger."
    if isinstance(problem, DropscoreError):
        return "The app's settings are not usable."
    if isinstance(problem, HttpResponseError) and problem.status_code:
        return f"Storage answers {problem.status_code}."
    return UNREACHABLE


def told(status: str, beat: Heartbeat | None, *, row_values: bool = False, why: str = "") -> Answer:
    age = (clients.now() - moment(beat.at)).total_seconds() if beat else None
    heartbeat = {"heartbeat_at": beat.at if beat else None, "heartbeat_age_seconds": age}
    well = status in ("ok", "starting")
    body = {"status": status, **heartbeat, "row_values": row_values, "why": why}
    return Answer(body, 200 if well else 503)


# It writes probes and asks Azure ML: whatever is open for reading, this asks for a key.
@bp.route(route="health/deep", methods=["GET"])
async def get_deep_health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001
    """Whether everything that the app needs is there and lets it in, tried one by one: 200, or 503 where it is not."""
    return await answered(deep)


def deep() -> Answer:
    # What scores files has no use for it.
    from shared.checkup.examined import examined

    found = examined()
    return Answer(found, 200 if found["status"] == "ok" else 503)


@bp.route(route="openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def get_description(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001
    """The description of this API (OpenAPI 3.1)."""
    return await answered(lambda: Answer(DESCRIPTION.read_bytes()))
