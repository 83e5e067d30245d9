"""Small JSON blobs with conditional writes: the one primitive the ledger is built on.

Reads, conditional writes and listings of Azure Storage are strongly consistent; nothing else is relied on.
"""

import json
from collections.abc import Iterator
from typing import Any, Protocol

from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobProperties, ContainerClient, ContentSettings

from shared.blob_io import listed, upload_new
from shared.records import Listed, timestamp

JSON = ContentSettings(content_type="application/json")
Document = dict[str, Any]


class Store(Protocol):
    """Documents by key. ETags are opaque."""

    def read(self, key: str) -> tuple[Document, str] | None:
        """The document and its ETag, or None where there is none."""

    def create(self, key: str, document: Document, metadata: dict[str, str] | None = None) -> str:
        """Writes only if nothing is there (If-None-Match: *). Returns the new ETag; "": something was."""

    def replace(self, key: str, document: Document, etag: str) -> str:
        """Writes only over that ETag (If-Match). Returns the new one; "": somebody was faster."""

    def create_lines(self, key: str, documents: list[Document]) -> str:
        """As `create`, for JSON Lines."""

    def read_lines(self, key: str) -> list[Document] | None:
        """The documents of a JSON Lines blob, or None where there is none."""

    def delete(self, key: str, etag: str | None = None) -> None:
        """Deletes; nothing there is fine. With an ETag (If-Match) another one stays."""

    def listed(self, prefix: str) -> Iterator[Listed]:
        """Everything under a prefix, with metadata."""

    def page(self, prefix: str, size: int, after: str = "") -> tuple[list[Listed], str]:
        """Up to `size` of what `listed` gives, and what to ask for the next page with; "" where there is none."""


class BlobStore:
    """The store on a blob container."""

    def __init__(self, container: ContainerClient) -> None:
        self.container = container

    def read(self, key: str) -> tuple[Document, str] | None:
        try:
            blob = self.container.download_blob(key)
        except ResourceNotFoundError:
            return None
        return json.loads(blob.readall()), blob.properties.etag

    def create(self, key: str, document: Document, metadata: dict[str, str] | None = None) -> str:
        return self.create_bytes(key, readable(document), metadata)

    def create_lines(self, key: str, documents: list[Document]) -> str:
        return self.create_bytes(key, "".join(json.dumps(line) + "\n" for line in documents).encode())

    def create_bytes(self, key: str, data: bytes, metadata: dict[str, str] | None = None) -> str:
        return upload_new(self.container, key, data, metadata=metadata, content_settings=JSON)

    def replace(self, key: str, document: Document, etag: str) -> str:
        try:
            written = self.container.get_blob_client(key).upload_blob(
                readable(document),
                overwrite=True,
                etag=etag,
                match_condition=MatchConditions.IfNotModified,
                content_settings=JSON,
            )
        except (ResourceModifiedError, ResourceNotFoundError):
            return ""
        return str(written["etag"])

    def read_lines(self, key: str) -> list[Document] | None:
        try:
            text = self.container.download_blob(key).readall()
        except ResourceNotFoundError:
            return None
        return [json.loads(line) for line in text.splitlines()]

    def delete(self, key: str, etag: str | None = None) -> None:
        same: dict[str, Any] = (
            {"etag": etag, "match_condition": MatchConditions.IfNotModified} if etag else {}
        )
        try:
            self.container.delete_blob(key, **same)
        except (ResourceNotFoundError, ResourceModifiedError):
            return

    def listed(self, prefix: str) -> Iterator[Listed]:
        return map(listed_blob, listed(self.container, prefix, ["metadata"]))

    def page(self, prefix: str, size: int, after: str = "") -> tuple[list[Listed], str]:
        found = self.container.list_blobs(prefix, include=["metadata"], results_per_page=size)
        pages: Any = found.by_page(after or None)
        page = [listed_blob(item) for item in next(pages, iter(()))]
        return page, pages.continuation_token or ""


def listed_blob(blob: BlobProperties) -> Listed:
    return Listed(key=blob.name, created=timestamp(blob.creation_time), metadata=dict(blob.metadata or {}))


def readable(document: Document) -> bytes:
    """Indented JSON: the ledger is meant to be read in a storage browser."""
    return json.dumps(document, indent=1, ensure_ascii=False).encode()
