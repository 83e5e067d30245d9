"""Changing the routes: checked before it takes effect, each text kept, so that one can go back.

`config/routes.toml` is what counts; `config/history/ID.toml` are the texts it had. An id is the time of the change.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import ContentSettings

from shared import clients
from shared.blob_io import upload_new
from shared.current_routes import PACKAGED_ETAG, Signatures, loaded, newest
from shared.errors import RouteError
from shared.names import bare_etag
from shared.routes import Route, Routes, parse_routes

FOLDER = "history/"
FORM = "%Y%m%dT%H%M%S%fZ"
ID = re.compile(r"(\d{8}T\d{12}Z)\.toml")
SHOWN = 100
TOML = ContentSettings(content_type="application/toml; charset=utf-8")


class ChangedMeanwhile(Exception):
    """Somebody else has changed the routes since they were read."""


@dataclass(frozen=True)
class Text:
    """A text of the routes, and the ETag of the blob it came from (`packaged`: of the file in the package)."""

    text: str
    etag: str

    @property
    def packaged(self) -> bool:
        return self.etag == PACKAGED_ETAG


def standing_text() -> Text:
    """What `config/routes.toml` holds, or the packaged text. Raises RouteError where it is not UTF-8."""
    return Text(*newest(""))


def checked(text: str) -> Routes:
    """The routes of a text that may become `config/routes.toml`. Raises RouteError listing every problem."""
    routes = parse_routes(text, Signatures(packaged=False).read)
    if not routes.routes:
        raise RouteError("routes.toml is not usable:\n  it names no route")
    return routes


def changes(before: Routes, after: Routes) -> list[dict[str, Any]]:
    """What a change does, key by key; None for a route, or the value of a key, that is not there."""
    old, new = ({route.name: route for route in routes.routes} for routes in (before, after))
    found = []
    for name in dict.fromkeys([*old, *new]):
        one, other = keys_of(old.get(name)), keys_of(new.get(name))
        found += [
            {"route": name, "key": key, "before": one.get(key), "after": other.get(key)}
            for key in dict.fromkeys([*one, *other])
            if one.get(key) != other.get(key)
        ]
    return found


def keys_of(route: Route | None) -> dict[str, Any]:
    """What a route says that is not the usual."""
    if route is None:
        return {}
    usual = Route(name="", pattern="", model="").to_dict()
    said = {key: value for key, value in route.to_dict().items() if key != "name" and value != usual[key]}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in said.items()}


def put(text: str, over: Text) -> tuple[str, str]:
    """Makes a checked text the routes, if `over` still is. Returns the change's id and the new ETag.

    The text that is replaced is kept first, if it is not yet; raises ChangedMeanwhile where another change was faster.
    """
    keep(over)
    blob = clients.container("config").get_blob_client("routes.toml")
    same: dict[str, Any] = {"etag": over.etag, "match_condition": MatchConditions.IfNotModified}
    rule = {"overwrite": False} if over.packaged else {"overwrite": True, **same}
    try:
        written = blob.upload_blob(text.encode(), content_settings=TOML, **rule)
    except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
        raise ChangedMeanwhile from None
    etag = str(written["etag"])
    loaded.at = float("-inf")
    return keep(Text(text, etag)), bare_etag(etag)


def keep(one: Text) -> str:
    """Puts a text into the history unless it is the last one there. Returns its id."""
    last = next(iter(history()), None)
    if last is not None and text_of(last) == one.text:
        return last
    at = clients.now()
    while not upload_new(
        clients.container("config"), f"{FOLDER}{id_of(at)}.toml", one.text.encode(), content_settings=TOML
    ):
        at += timedelta(microseconds=1)
    return id_of(at)


def id_of(at: datetime) -> str:
    return f"{at:{FORM}}"


def moment_of(name: str) -> datetime:
    return datetime.strptime(name, FORM).replace(tzinfo=UTC)


def history() -> list[str]:
    """The ids of the texts, newest first. What people have put beside them is none."""
    names = clients.container("config").list_blob_names(name_starts_with=FOLDER)
    ids = (ID.fullmatch(name.removeprefix(FOLDER)) for name in names)
    return sorted((found[1] for found in ids if found), reverse=True)[:SHOWN]


def text_of(name: str) -> str | None:
    """The text of an id, or None where there is none."""
    if not (name.isascii() and name.isalnum()):
        return None
    try:
        blob = clients.container("config").download_blob(f"{FOLDER}{name}.toml")
    except ResourceNotFoundError:
        return None
    return str(blob.readall().decode("utf-8"))


def edited(text: str, route: str, values: dict[str, Any]) -> str:
    """The text with some keys of one route changed (None takes a key out); all else, comments too, stays as it is.

    Raises KeyError where the text has no such route, ValueError where it is no TOML.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document: Any = tomlkit.parse(text)
    except TOMLKitError as problem:
        raise ValueError(str(problem)) from problem
    table = document["routes"][route]
    for key, value in values.items():
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
    return tomlkit.dumps(document)
