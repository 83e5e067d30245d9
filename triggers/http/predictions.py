"""Predictions over HTTP, where the app may show row values: whole, or a look at the first with a histogram."""

from typing import Any

import azure.durable_functions as df
import azure.functions as func
from azure.storage.blob import BlobClient, BlobProperties

from shared import clients
from shared.blob_io import properties, read_chunks
from shared.csv_preview import preview_of
from shared.current_routes import current_routes
from shared.names import predictions_name
from triggers.http.answers import Answer, BadRequest, answered
from triggers.http.files import named

bp = df.Blueprint()
LARGEST = 50_000_000
LOOKED_AT = 4_000_000


@bp.route(route="predictions/{*path}", methods=["GET"])
async def get_predictions(req: func.HttpRequest) -> func.HttpResponse:
    """The predictions of a file, a CSV. Only with `DROPSCORE_ROW_VALUES=yes`."""
    return await answered(lambda: whole(named(req)))


def whole(name: str) -> Answer:
    blob, standing = standing_predictions(name)
    if standing.size > LARGEST:
        raise BadRequest(
            413, "file-too-large", f"The predictions have {standing.size:,} bytes: take them from {blob.url}."
        )
    data = b"".join(read_chunks(blob, standing.etag))
    return Answer(data, 200, {"ETag": f'"{standing.etag}"'}, "text/csv; charset=utf-8")


@bp.route(route="preview/{*path}", methods=["GET"])
async def get_preview(req: func.HttpRequest) -> func.HttpResponse:
    """The first predictions of a file, and a histogram of the predicted column. Only where row values may be shown."""
    return await answered(lambda: preview(named(req)))


def preview(name: str) -> dict[str, Any]:
    blob, standing = standing_predictions(name)
    route = current_routes().of(name)
    stretch = (0, min(standing.size, LOOKED_AT))
    data = b"".join(read_chunks(blob, standing.etag, stretch))
    return preview_of(data, route.predictions if route else (), whole=standing.size <= LOOKED_AT)


def standing_predictions(name: str) -> tuple[BlobClient, BlobProperties]:
    """Raises BadRequest where row values may not be shown, or there are no predictions."""
    if not clients.settings().row_values:
        raise BadRequest(
            403,
            "row-values-not-allowed",
            f"This app shows no row values (DROPSCORE_ROW_VALUES): take the predictions from the container "
            f"{clients.settings().predictions} with a storage tool.",
        )
    blob = clients.container("predictions").get_blob_client(predictions_name(name))
    standing = properties(blob)
    if standing is None:
        raise BadRequest(
            404, "no-predictions", f"There are no predictions of {name}: look at /api/files/{name}."
        )
    return blob, standing
