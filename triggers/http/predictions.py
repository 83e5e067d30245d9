"""Predictions over HTTP, where the app may show row values: whole, or a look at the first with a histogram."""

from typing import Any

import azure.durable_functions as df
import azure.functions as func
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobProperties

from shared import clients
from shared.blob_io import properties, read_chunks
from shared.csv_preview import preview_of
from shared.names import bare_etag, predictions_name
from triggers.http.answers import Answer, BadRequest, address_of, answered, usable_routes
from triggers.http.files import named
from triggers.http.inputs import LARGEST

bp = df.Blueprint()
LOOKED_AT = 4_000_000


@bp.route(route="predictions/{*path}", methods=["GET"])
async def get_predictions(req: func.HttpRequest) -> func.HttpResponse:
    """The predictions of a file, a CSV. Only with `DROPSCORE_ROW_VALUES=yes`."""
    return await answered(lambda: whole(named(req)))


def whole(name: str) -> Answer:
    blob, standing = standing_predictions(name)
    if standing.size > LARGEST:
        raise BadRequest(
            413,
            "file-too-large",
            f"The predictions have {standing.size:,} bytes: take them from {address_of(blob)}.",
        )
    data = content(blob, standing)
    return Answer(data, 200, {"ETag": f'"{bare_etag(standing.etag)}"'}, "text/csv; charset=utf-8")


@bp.route(route="preview/{*path}", methods=["GET"])
async def get_preview(req: func.HttpRequest) -> func.HttpResponse:
    """The first predictions of a file, and a histogram of the predicted column. Only where row values may be shown."""
    return await answered(lambda: preview(named(req)))


def preview(name: str) -> dict[str, Any]:
    blob, standing = standing_predictions(name)
    route = usable_routes().of(name)
    data = content(blob, standing, (0, min(standing.size, LOOKED_AT)))
    return preview_of(data, route.predictions if route else (), whole=standing.size <= LOOKED_AT)


def content(blob: BlobClient, standing: BlobProperties, stretch: tuple[int, int] | None = None) -> bytes:
    """The bytes of one ETag. Raises BadRequest where others were published meanwhile."""
    try:
        return b"".join(read_chunks(blob, standing.etag, stretch))
    except (ResourceModifiedError, ResourceNotFoundError):
        told = "The predictions have been replaced since you asked: ask again."
        raise BadRequest(412, "changed-meanwhile", told) from None


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
