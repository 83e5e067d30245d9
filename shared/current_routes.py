"""The routes in force: the blob `config/routes.toml` where there is one, else the packaged file.

The signatures they name lie beside them: in the same container, or in the packaged folder.
"""

import json
import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ResourceModifiedError, ResourceNotFoundError

from shared import clients
from shared.blob_io import properties, read_chunks
from shared.errors import NoSuchRoute, RouteError
from shared.routes import Route, Routes, parse_routes

log = logging.getLogger(__name__)
PACKAGED = Path(__file__).parent.parent / "routes.toml"
PACKAGED_ETAG = "packaged"
LAST_GOOD = "routes.last-good.json"
LARGEST_SIGNATURE = 1_000_000
FRESH_FOR = 5.0


@dataclass
class Signatures:
    """The signatures beside the routes, each read once, and the ETags of those that are blobs."""

    packaged: bool
    etags: dict[str, str] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)

    def read(self, path: str) -> bytes:
        """Raises RouteError where there is no such file."""
        if path not in self.contents:
            self.contents[path] = self.packaged_file(path) if self.packaged else self.blob(path)
        return self.contents[path]

    def packaged_file(self, path: str) -> bytes:
        try:
            return (PACKAGED.parent / path).read_bytes()
        except OSError:
            raise RouteError(f'there is no "{path}" beside the packaged routes.toml') from None

    def blob(self, path: str) -> bytes:
        blob = clients.container("config").get_blob_client(path)
        standing = properties(blob)
        if standing is None:
            raise RouteError(f'there is no "{path}" in the container config, beside routes.toml')
        if standing.size > LARGEST_SIGNATURE:
            raise RouteError(f'"{path}" has {standing.size:,} bytes, an MLmodel file a few thousand')
        self.etags[path] = standing.etag
        return b"".join(read_chunks(blob, standing.etag))


@dataclass
class Loaded:
    """The last good routes, the text and the ETags they came of, and when they were last looked at."""

    routes: Routes | None = None
    text: str = ""
    etag: str = ""
    signatures: dict[str, str] = field(default_factory=dict)
    at: float = -FRESH_FOR
    problem: str = ""


loaded = Loaded()


def current_routes() -> Routes:
    """The routes in force, at most five seconds old.

    A blob that cannot be used changes nothing: the last good routes stay in force, over restarts as well, and the log
    says why. Raises RouteError when there have never been any.
    """
    while (routes := loaded.routes) is None or time.monotonic() - loaded.at > FRESH_FOR:
        refresh()
        loaded.at = time.monotonic()
    return routes


def refresh() -> None:
    loaded.problem = ""
    try:
        text, etag = newest(loaded.etag)
        if etag != loaded.etag:
            take(text, etag)
        elif any(changed(*known) for known in loaded.signatures.items()):
            take(loaded.text, etag)
    except (RouteError, AzureError) as problem:
        loaded.routes = loaded.routes or last_good()
        if loaded.routes is None:
            raise
        loaded.problem = str(problem) if isinstance(problem, RouteError) else type(problem).__name__
        log.warning("config/routes.toml cannot be used, the last good routes stay in force: %s", problem)


def take(text: str, etag: str) -> None:
    """Puts the routes of a text into force; those of the blob are kept as the last good ones. Raises RouteError."""
    signatures = Signatures(packaged=etag == PACKAGED_ETAG)
    routes = parse_routes(text, signatures.read)
    if etag != PACKAGED_ETAG:
        if not routes.routes:
            raise RouteError("config/routes.toml names no route; delete it to use the packaged routes")
        kept = json.dumps([route.to_dict() for route in routes.routes], indent=1)
        clients.container("config").upload_blob(LAST_GOOD, kept.encode(), overwrite=True)
    loaded.routes, loaded.text, loaded.etag, loaded.signatures = routes, text, etag, signatures.etags


def changed(path: str, etag: str) -> bool:
    """Whether a signature that was read under that ETag is another now, or gone."""
    standing = properties(clients.container("config").get_blob_client(path))
    return standing is None or standing.etag != etag


def last_good() -> Routes | None:
    """The routes that were last in force, as this or an earlier process kept them, with their signatures."""
    try:
        blob = clients.container("config").download_blob(LAST_GOOD)
    except AzureError:
        return None
    return Routes(tuple(Route.from_dict(route) for route in json.loads(blob.readall())))


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
