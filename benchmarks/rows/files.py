"""Reading and writing that several subjects share, and what their outputs are compared by."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from benchmarks.rows.data import COLUMNS, SEND

# What storage is read in.
CHUNK = 4 * 1024 * 1024
PART_AT_MOST = 32 * 1024 * 1024
DIGESTED = 1024 * 1024
HEADERS = {",".join(names).encode() + b"\n" for names in (COLUMNS, SEND)}


def chunks(path: Path, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """The bytes from `start` to before `stop`, or to the file's end."""
    with path.open("rb") as file:
        file.seek(start)
        left = path.stat().st_size - start if stop is None else stop - start
        while chunk := file.read(min(CHUNK, left)):
            left -= len(chunk)
            yield chunk


class Parts:
    """Numbered parts of at most 32 MiB below `out`, each with the header; what is carried lies beside them."""

    def __init__(self, out: Path, header: bytes, carries: bool) -> None:
        self.header = header
        self.folders = [out / name for name in (("parts", "carried") if carries else ("parts",))]
        self.files: list[BinaryIO] = []
        self.number = self.size = 0
        for folder in self.folders:
            folder.mkdir()

    def add(self, sent: bytes, carried: bytes) -> None:
        """Whole rows. What is carried of them is dropped where nothing is to be carried."""
        if not self.files or self.size + len(sent) > PART_AT_MOST:
            self.open_next()
        self.size += len(sent)
        for file, data in zip(self.files, (sent, carried), strict=False):
            file.write(data)

    def open_next(self) -> None:
        self.close()
        self.number += 1
        self.files = [(folder / f"part-{self.number:05d}.csv").open("wb") for folder in self.folders]
        self.size = self.files[0].write(self.header)

    def close(self) -> None:
        for file in self.files:
            file.close()


def digest(out: Path) -> str:
    """The SHA-256 of all files below a folder, one after the other, without the headers of parts."""
    seen = hashlib.sha256()
    for path in sorted(path for path in out.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            first = file.readline()
            seen.update(b"" if first in HEADERS else first)
            while data := file.read(DIGESTED):
                seen.update(data)
    return seen.hexdigest()
