"""Predictions on this machine: whole or not at all, and never over something else by accident."""

import re
from pathlib import Path

from dropscore.api import Api, path_of
from dropscore.errors import Unusable

UNWANTED = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


def name_of(blob: str) -> str:
    """The local name for a blob: its last part, without what leads out of a folder."""
    name = UNWANTED.sub("_", blob.rsplit("/", 1)[-1])
    return name if name.strip(". ") else "predictions.csv"


def check_free(target: Path, *, overwrite: bool) -> None:
    """Raises Unusable where a file would be replaced, which might be the one that was dropped."""
    if target.exists() and not overwrite:
        raise Unusable(
            "file-exists",
            f"{target} is there already, and nothing was changed.",
            "Choose another place, or type --overwrite.",
        )


def save(api: Api, name: str, target: Path) -> int:
    """Writes a file's predictions; the number of bytes. A broken connection leaves nothing behind."""
    part = target.with_name(f"{target.name}.part")
    try:
        with part.open("wb") as file:
            size = sum(file.write(piece) for piece in api.pieces(f"predictions/{path_of(name)}"))
        part.replace(target)
    except OSError as problem:
        raise Unusable("unwritable", f"{target} cannot be written: {problem.strerror}.") from None
    finally:
        part.unlink(missing_ok=True)
    return size
