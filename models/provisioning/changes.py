"""What is asked for against what is there: nothing is done twice, and every difference is told."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Literal

Outcome = Literal["created", "updated", "unchanged", "deleted"]

_LEFT_OUT = {"__pycache__", ".git", ".ipynb_checkpoints"}
# Told as changed without their values: variables may hold secrets, and nobody reads a digest.
_UNTOLD = {"environment_variables", "content", "score_path"}


class ProvisioningError(Exception):
    """What was asked for cannot be done; the message says what, which one and what to do next."""


def say(text: str) -> None:
    """A line of progress."""
    print(f"· {text}", flush=True)


def differences(
    wanted: Mapping[str, object], present: Mapping[str, object]
) -> dict[str, tuple[object, object]]:
    """Settings that are asked for and are otherwise, as before and after; None asks for nothing."""
    return {
        name: (present.get(name), value)
        for name, value in wanted.items()
        if value is not None and present.get(name) != value
    }


def ensure(
    what: str,
    wanted: Mapping[str, object],
    present: Mapping[str, object] | None,
    put: Callable[[], object],
) -> Outcome:
    """Make `what` as it is `wanted`, unless it is so already; tells what is done and what was done."""
    if present is None:
        say(f"{what}: creating")
        put()
        say(f"{what}: created")
        return "created"
    changed = differences(wanted, present)
    if not changed:
        say(f"{what}: unchanged")
        return "unchanged"
    for name, (before, after) in changed.items():
        say(f"{what}: {name} {_change(name, before, after)}")
    put()
    say(f"{what}: updated")
    return "updated"


def _change(name: str, before: object, after: object) -> str:
    if name in _UNTOLD:
        return "changes"
    return f"is set to {after}" if before is None else f"changes from {before} to {after}"


def spelt(wanted: str | None, present: Mapping[str, Any] | None, name: str) -> str | None:
    """A setting that means the same in any case, as it is spelt already where that is there."""
    there = present and str(present[name])
    return there if there and wanted and there.lower() == wanted.lower() else wanted


def plain(value: object) -> str:
    """A setting that the SDK shows as a text of any case or as a member of an enumeration."""
    return str(value.value if isinstance(value, Enum) else value).lower()


def content_of(path: Path) -> str:
    """A digest of a file, or of a folder's files and their names; caches do not count.

    Raises ProvisioningError where there is nothing.
    """
    digest = hashlib.sha256()
    found = False
    for name, file in _files(path):
        found = True
        digest.update(f"{name}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    if not found:
        raise ProvisioningError(f"{path}: there is no such file, and no folder with files in it")
    return digest.hexdigest()


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    """Files below a path with their names, in an order that is always the same."""
    if path.is_file():
        yield path.name, path
    for file in sorted(path.rglob("*")):
        inner = file.relative_to(path)
        if file.is_file() and not _LEFT_OUT & set(inner.parts):
            yield inner.as_posix(), file
