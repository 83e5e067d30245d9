"""The app on itself: whether it is alive, and the description of its API."""

from pathlib import Path

import azure.durable_functions as df
import azure.functions as func
from azure.core.exceptions import AzureError

from shared import clients
from shared.errors import DropscoreError
from shared.records import moment
from triggers.http.answers import Answer, answered

bp = df.Blueprint()
DESCRIPTION = Path(__file__).parent.parent.parent / "web" / "openapi.json"
STALE_AFTER = 300.0


@bp.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def get_health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001
    """Whether sweeps begin: 200, or 503 where none has for five minutes, or storage cannot be reached."""
    return await answered(health)


def health() -> Answer:
    try:
        beat = clients.ledger().heartbeat()
        row_values = clients.settings().row_values
    except (AzureError, DropscoreError):
        return told("broken", "", None, row_values=False)
    if beat is None:
        return told("starting", "", None, row_values=row_values)
    age = (clients.now() - moment(beat.at)).total_seconds()
    return told("stale" if age > STALE_AFTER else "ok", beat.at, age, row_values=row_values)


def told(status: str, at: str, age: float | None, *, row_values: bool) -> Answer:
    heartbeat = {"heartbeat_at": at or None, "heartbeat_age_seconds": age}
    well = status in ("ok", "starting")
    return Answer({"status": status, **heartbeat, "row_values": row_values}, 200 if well else 503)


@bp.route(route="openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def get_description(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001
    """The description of this API (OpenAPI 3.1)."""
    return await answered(lambda: Answer(DESCRIPTION.read_bytes()))
