"""The host's state directory: one SQLite database and the lock that keeps it to one host."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

DATABASE = "host.db"


class StateInUse(Exception):
    """Another host has the state directory."""


class State:
    """The open database of a state directory. Used from the host's one loop thread only."""

    def __init__(self, directory: Path) -> None:
        """Lock `directory` (made if missing) and open its database; raises StateInUse."""
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(directory)
        self._connection = sqlite3.connect(
            directory / DATABASE, isolation_level=None, check_same_thread=False
        )
        # NORMAL survives the death of the process, as the host promises; FULL is for power loss.
        self._connection.executescript("pragma journal_mode=wal; pragma synchronous=normal;")

    def create(self, schema: str) -> None:
        """Create the tables of `schema` where they do not exist."""
        self._connection.executescript(schema)

    def execute(self, statement: str, *values: Any) -> list[Any]:
        """Run one statement; returns its rows as tuples."""
        return self._connection.execute(statement, values).fetchall()

    def execute_many(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        """Run one statement for each of `rows`."""
        self._connection.executemany(statement, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything written within becomes durable together, or not at all. Does not nest, never awaits."""
        self._connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    def close(self) -> None:
        """Close the database and let go of the directory."""
        self._connection.close()
        os.close(self._lock)


@contextmanager
def reading(directory: Path) -> Iterator[sqlite3.Connection]:
    """The database of a state directory to read from, whether or not a host is using it."""
    connection = sqlite3.connect(f"file:{quote(str(directory / DATABASE))}?mode=ro", uri=True)
    try:
        yield connection
    finally:
        connection.close()


def _lock(directory: Path) -> int:
    descriptor = os.open(directory / "host.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(descriptor, 32).decode() or "unknown"
        os.close(descriptor)
        raise StateInUse(
            f"the host with process id {owner} is using the state directory {directory.resolve()}: "
            "stop it, or give this one a directory of its own with --state"
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor
