"""The workspace's resources, and the SQLite file that remembers them: endpoints, deployments, computes, assets."""

import json
import sqlite3
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from .clock import now

FOLDER, CLIENT = "folder", "client"
CHANGING = frozenset({"Creating", "Updating", "Deleting"})


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as it was PUT. `path` is its ARM id below the workspace, as `batchEndpoints/e/deployments/d`.

    `origin` says who made it: a FOLDER of YAML, which makes it anew at each start, or a CLIENT. `state` is the
    provisioningState, `error` the code and message of a Failed one. `extra` holds top-level members besides tags:
    location, identity, sku, kind.
    """

    path: str
    properties: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    origin: str = CLIENT
    state: str = "Succeeded"
    error: dict[str, str] | None = None
    created: str = field(default_factory=now)
    modified: str = field(default_factory=now)

    @property
    def name(self) -> str:
        """The last segment of the path."""
        return self.path.rpartition("/")[2]

    @property
    def kind(self) -> str:
        """The path without its names, as `batchEndpoints/deployments`."""
        return "/".join(self.path.split("/")[::2])

    @property
    def parent(self) -> str:
        """The path of what it belongs to; empty for what belongs to the workspace itself."""
        return "/".join(self.path.split("/")[:-2])

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The resource that `to_json` wrote."""
        return cls(**json.loads(text))

    def to_json(self) -> str:
        """The whole resource as JSON."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A change of the resource at `path` that takes its time. `status` is Succeeded or Failed once it is over."""

    name: str
    path: str
    status: str
    started: str
    ended: str | None = None
    error: dict[str, str] | None = None

    @property
    def over(self) -> bool:
        """Whether there is nothing to wait for."""
        return self.ended is not None

    def ending(self, status: str, error: dict[str, str] | None = None) -> Self:
        """The operation, over now."""
        return replace(self, status=status, ended=now(), error=error)


class ResourceStore:
    """Resources by their paths, which match in any case, and operations. Belongs to the thread that opened it."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS resources"
            " (number INTEGER PRIMARY KEY, key TEXT UNIQUE, kind TEXT, parent TEXT, resource TEXT)"
        )
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS operations (name TEXT PRIMARY KEY, open INTEGER, operation TEXT)"
        )

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def get(self, path: str) -> Resource | None:
        """The resource at that path."""
        row = self._database.execute(
            "SELECT resource FROM resources WHERE key = ?", (path.lower(),)
        ).fetchone()
        return row and Resource.from_json(row[0])

    def put(self, resource: Resource) -> None:
        """Remember a resource, in the place of the one of its path."""
        self._database.execute(
            "INSERT INTO resources (key, kind, parent, resource) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET resource = excluded.resource",
            (resource.path.lower(), resource.kind.lower(), resource.parent.lower(), resource.to_json()),
        )

    def change(self, path: str, **changes: Any) -> None:
        """Change fields of a resource, if it is still there."""
        resource = self.get(path)
        if resource is not None:
            self.put(replace(resource, **changes))

    def delete(self, path: str) -> None:
        """Forget a resource and all below it."""
        below = path.lower() + "/"
        self._database.execute(
            "DELETE FROM resources WHERE key = ? OR substr(key, 1, ?) = ?", (path.lower(), len(below), below)
        )

    def listed(self, kind: str, parent: str | None = None) -> list[Resource]:
        """Resources of a kind, of one parent or of all, in the order they were made."""
        rows = self._database.execute(
            "SELECT resource FROM resources WHERE kind = ? AND (? IS NULL OR parent = ?) ORDER BY number",
            (kind.lower(), parent, (parent or "").lower()),
        )
        return [Resource.from_json(text) for (text,) in rows]

    def forget(self, origin: str) -> None:
        """Forget the resources of an origin, and leave what others have made below them."""
        rows = self._database.execute("SELECT key, resource FROM resources").fetchall()
        gone = [(key,) for key, text in rows if Resource.from_json(text).origin == origin]
        self._database.executemany("DELETE FROM resources WHERE key = ?", gone)

    def put_operation(self, operation: Operation) -> None:
        """Remember an operation as it is now."""
        self._database.execute(
            "INSERT OR REPLACE INTO operations VALUES (?, ?, ?)",
            (operation.name.lower(), not operation.over, json.dumps(asdict(operation))),
        )

    def operation(self, name: str) -> Operation | None:
        """The operation of that name."""
        row = self._database.execute(
            "SELECT operation FROM operations WHERE name = ?", (name.lower(),)
        ).fetchone()
        return row and Operation(**json.loads(row[0]))

    def open_operations(self) -> list[Operation]:
        """Operations that are not over."""
        rows = self._database.execute("SELECT operation FROM operations WHERE open")
        return [Operation(**json.loads(text)) for (text,) in rows]
