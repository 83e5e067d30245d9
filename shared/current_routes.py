"""The routes in force: the blob `config/routes.toml` where there is one, else the packaged file."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ResourceModifiedError, ResourceNotFoundError

from shared import clients
from shared.errors import NoSuchRoute, RouteError
from shared.routes import Route, Routes, parse_routes

log = logging.getLogger(__name__)
PACKAGED = Path(__file__).parent.parent / "routes.toml"
PACKAGED_ETAG = "packaged"
LAST_GOOD = "routes.last-good.toml"
FRESH_FOR = 5.0


@dataclass
class Loaded:
    """The last good routes, the ETag they came under, and when they were last looked at."""

    routes: Routes | None = None
    etag: str = ""
    at: float = -FRESH_FOR


loaded = Loaded()


def current_routes() -> Routes:
    """The routes in force, at most five seconds old.

    A blob that cannot be used changes nothing: the last good routes stay in force, over restarts as well, and the log
    says why. Raises RouteError when there have never been any.
    """
    if loaded.routes is None or time.monotonic() - loaded.at > FRESH_FOR:
        refresh()
        loaded.at = time.monotonic()
    assert loaded.routes is not None
    return loaded.routes


def refresh() -> None:
    try:
        text, etag = newest(loaded.etag)
        if etag != loaded.etag or loaded.routes is None:
            loaded.routes, loaded.etag = parsed(text, etag), etag
    except (RouteError, AzureError) as problem:
        loaded.routes = loaded.routes or last_good()
        if loaded.routes is None:
            raise
        log.warning("config/routes.toml cannot be used, the last good routes stay in force: %s", problem)


def parsed(text: str, etag: str) -> Routes:
    """The routes of a text; those of the blob are kept as the last good ones. Raises RouteError."""
    routes = parse_routes(text)
    if etag != PACKAGED_ETAG:
        if not routes.routes:
            raise RouteError("config/routes.toml names no route; delete it to use the packaged routes")
        clients.container("config").upload_blob(LAST_GOOD, text.encode(), overwrite=True)
    return routes


def last_good() -> Routes | None:
    """The routes that were last in force, as this or an earlier process kept them."""
    try:
        blob = clients.container("config").download_blob(LAST_GOOD)
    except AzureError:
        return None
    return parse_routes(blob.readall().decode())


def newest(known: str) -> tuple[str, str]:
    """The text of the routes and its ETag; ("", known) when the blob is still the known one."""
    blob = clients.container("config").get_blob_client("routes.toml")
    changed: dict[str, Any] = {"etag": known, "match_condition": MatchConditions.IfModified} if known else {}
    try:
        download = blob.download_blob(**changed)
    except ResourceModifiedError:
        return "", known
    except ResourceNotFoundError:
        return PACKAGED.read_text("utf-8"), PACKAGED_ETAG
    try:
        return download.readall().decode("utf-8-sig"), download.properties.etag
    except UnicodeDecodeError:
        raise RouteError("config/routes.toml is not UTF-8: save it as UTF-8") from None


def route_named(name: str) -> Route:
    """Raises NoSuchRoute naming the routes there are, RouteError where there are none that can be used."""
    routes = current_routes()
    found = routes.named(name)
    if found is None:
        known = ", ".join(route.name for route in routes.routes) or "none"
        raise NoSuchRoute(f'There is no route "{name}"; the routes are: {known}.')
    return found
