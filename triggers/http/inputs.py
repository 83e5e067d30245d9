"""Files that come over HTTP, or from an address, into the inbox, whole or not at all."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import azure.functions as func
from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobClient, BlobProperties

from shared import clients
from shared.blob_io import CSV, properties, read_chunks
from shared.names import bare_etag, usable
from shared.records import Launch
from shared.routes import Route
from shared.settings import trusted_url
from triggers.http.answers import Answer, BadRequest, name_over_http, response, usable_routes

LARGEST = 50_000_000


def taken(name: str, launches: list[Launch], base: str, **more: Any) -> func.HttpResponse:
    """202: the file lies in the inbox; the runs, if any, that began with it. Others take it when their turn comes."""
    url = f"{base}/files/{quote(name)}"
    shown = [{"run": one.run, "blobs": [name], "url": f"{base}/runs/{one.run}"} for one in launches]
    return response(Answer({"file": name, **more, "runs": shown}, 202, {"Location": url, "Retry-After": "5"}))


def put_in(name: str, data: bytes | Iterator[bytes], *, replace: bool) -> str:
    """Writes a file into the inbox in one commit. Returns its ETag. Raises BadRequest where it must not replace one.

    The same bytes under the same name are no other file: an earlier request whose answer was lost may have put them.
    """
    blob = clients.container("inbox").get_blob_client(name)
    try:
        written = blob.upload_blob(data, overwrite=replace, content_settings=CSV)
    except ResourceExistsError:
        etag = standing_etag(blob, data) if isinstance(data, bytes) else ""
        if etag:
            return etag
        raise BadRequest(
            409, "file-exists", f"There is a file {name} in the inbox already; give another name."
        ) from None
    return bare_etag(written["etag"])


def standing_etag(blob: BlobClient, data: bytes) -> str:
    """The ETag of what stands under a name, if it is these bytes; else ""."""
    standing = properties(blob)
    if standing is None or standing.size != len(data):
        return ""
    try:
        same = b"".join(read_chunks(blob, standing.etag)) == data
    except (ResourceModifiedError, ResourceNotFoundError):
        return ""
    return bare_etag(standing.etag) if same else ""


def brought_in(address: str, name: str, route: Route) -> str:
    """Copies the blob at an address of an allowed account into the inbox, as it stands. Returns its name there.

    Nothing is replaced; the same address under the same name twice is answered with 409.
    """
    source = source_of(address)
    name = name_over_http(name or usual_name(address, route))
    found = usable_routes().of(name)
    if found is None or found.name != route.name:
        raise BadRequest(
            400, "bad-name", f'The route {route.name} takes names like {route.pattern}: give one with "as".'
        )
    standing = readable(source)
    try:
        put_in(name, read_chunks(source, standing.etag), replace=False)
    except AzureError as problem:
        raise unreadable(problem) from problem
    return name


def usual_name(address: str, route: Route) -> str:
    """The last part of the address, in the folder that the route's pattern begins with."""
    folder = route.pattern.split("*")[0].split("?")[0].rpartition("/")[0]
    last = unquote(urlsplit(address).path).rpartition("/")[2]
    return f"{folder}/{last}" if folder else last


def source_of(address: str) -> BlobClient:
    """The blob at an address. Raises BadRequest unless it names a blob of an allowed account, and nothing more."""
    try:
        parts = urlsplit(address)
        plain = not (
            parts.query or parts.fragment or parts.username is not None or parts.password is not None
        )
        allowed = parts.netloc.lower() in (*clients.settings().input_accounts, own_host())
    except ValueError:
        raise not_allowed() from None
    if not plain:
        raise BadRequest(
            400,
            "bad-input",
            "The address may hold no key, SAS or fragment: the app reads with its own identity.",
        )
    path = unquote(parts.path).lstrip("/")
    if not allowed or not trusted_url(address) or not usable(path) or "/" not in path or "\\" in path:
        raise not_allowed()
    if parts.netloc.lower() == own_host():
        return own_blob(parts.path)
    # Whoever answers for an allowed account may still point elsewhere.
    options = {**clients.blob_options(), "permit_redirects": False}
    return BlobClient.from_blob_url(address, clients.credential(), **options)


def not_allowed() -> BadRequest:
    return BadRequest(
        403,
        "input-not-allowed",
        "Inputs are read from blobs of this app's account, and of the accounts that DROPSCORE_INPUT_ACCOUNTS names.",
    )


def own_host() -> str:
    return urlsplit(clients.storage().url).netloc.lower()


def own_blob(path: str) -> BlobClient:
    """A blob of the app's own account, of the containers that hold people's files."""
    account = urlsplit(clients.storage().url).path
    container, _, name = unquote(path.removeprefix(account).lstrip("/")).partition("/")
    chosen = clients.settings()
    if not name or container not in (chosen.inbox, chosen.archive, chosen.rejected):
        raise BadRequest(
            403,
            "input-not-allowed",
            "Of this app's own account, inputs are read from the containers inbox, archive and rejected.",
        )
    return clients.storage().get_blob_client(container, name)


def unreadable(problem: AzureError) -> BadRequest:
    told = f"The input cannot be read ({type(problem).__name__}): may the app's identity, and does it stay as it is?"
    return BadRequest(502, "input-unreadable", told)


def readable(source: BlobClient) -> BlobProperties:
    """What stands at an address. Raises BadRequest where there is nothing, or too much, or it may not be read."""
    try:
        standing = properties(source)
    except AzureError as problem:
        raise unreadable(problem) from problem
    if standing is None or standing.blob_type != "BlockBlob":
        raise BadRequest(404, "no-such-input", "There is no block blob at the input's address.")
    if not 0 < standing.size <= LARGEST:
        raise BadRequest(
            413,
            "file-too-large",
            f"An input may have 1 to {LARGEST:,} bytes; copy larger ones into the inbox.",
        )
    return standing
