"""A store in memory with the rules of Azure Storage that the ledger leans on, and one where others are faster."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.records import Listed, timestamp
from shared.store import Document

METADATA_LIMIT = 8 * 1024


@dataclass(frozen=True)
class Blob:
    """One blob: its text, its ETag, and what a listing shows."""

    text: str
    etag: str
    created: datetime
    metadata: dict[str, str]


class MemoryStore:
    """Blobs by key. Every write gives a new ETag; conditions are checked and writes done in one step.

    As on Azure, times of creation are exact to the second and metadata is ASCII of at most 8 KiB.
    """

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.clock = clock
        self.blobs: dict[str, Blob] = {}
        self.writes = 0
        self.lock = threading.Lock()

    def read(self, key: str) -> tuple[Document, str] | None:
        blob = self.blobs.get(key)
        return (json.loads(blob.text), blob.etag) if blob else None

    def create(self, key: str, document: Document, metadata: dict[str, str] | None = None) -> str:
        return self.put(key, json.dumps(document), None, metadata)

    def replace(self, key: str, document: Document, etag: str) -> str:
        return self.put(key, json.dumps(document), etag)

    def create_lines(self, key: str, documents: list[Document]) -> str:
        return self.put(key, "".join(json.dumps(line) + "\n" for line in documents), None)

    def put(self, key: str, text: str, etag: str | None, metadata: dict[str, str] | None = None) -> str:
        """Writes if the ETag stands, and returns the new one; None asks for nothing to stand there."""
        shown = metadata or {}
        size = sum(len(name) + len(value.encode("ascii")) for name, value in shown.items())
        if size > METADATA_LIMIT:
            raise ValueError(f"{key}: MetadataTooLarge, {size} bytes")
        with self.lock:
            standing = self.blobs.get(key)
            if (standing.etag if standing else None) != etag:
                return ""
            self.writes += 1
            created = standing.created if standing else self.clock().replace(microsecond=0)
            etag = f'"0x{self.writes:X}"'
            self.blobs[key] = Blob(text, etag, created, shown)
            return etag

    def read_lines(self, key: str) -> list[Document] | None:
        blob = self.blobs.get(key)
        return [json.loads(line) for line in blob.text.splitlines()] if blob else None

    def delete(self, key: str, etag: str | None = None) -> None:
        with self.lock:
            standing = self.blobs.get(key)
            if standing and etag in (None, standing.etag):
                del self.blobs[key]

    def listed(self, prefix: str) -> Iterator[Listed]:
        for key, blob in sorted(self.blobs.items()):
            if key.startswith(prefix):
                yield Listed(key=key, created=timestamp(blob.created), metadata=blob.metadata)

    def page(self, prefix: str, size: int, after: str = "") -> tuple[list[Listed], str]:
        left = [item for item in self.listed(prefix) if item.key > after]
        return left[:size], left[size - 1].key if len(left) > size else ""


class OutrunStore(MemoryStore):
    """Somebody else does `meanwhile`, once, right before the next write over an ETag."""

    meanwhile: Callable[[], object] | None = None

    def replace(self, key: str, document: Document, etag: str) -> str:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        return super().replace(key, document, etag)
