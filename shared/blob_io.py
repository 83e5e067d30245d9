"""Streams over blobs: reading one ETag, writing by blocks, copying on the server."""

import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import (
    BlobBlock,
    BlobClient,
    BlobProperties,
    ContainerClient,
    ContentSettings,
    StorageErrorCode,
)

BLOCK = 4 * 1024 * 1024
SLICE = 256 * 1024
# Taken apart, a page of the 5,000 blobs that storage gives unasked holds 60 MiB.
LISTED_AT_ONCE = 1_000
CSV = ContentSettings(content_type="text/csv; charset=utf-8")


class ChunkStream(io.RawIOBase):
    """A readable stream over byte chunks, each shown to `seen` as it passes."""

    def __init__(self, chunks: Iterable[bytes], seen: Callable[[bytes], object] = len) -> None:
        self.chunks = iter(chunks)
        self.seen = seen
        self.rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self.rest:
            chunk = next(self.chunks, None)
            if chunk is None:
                return 0
            self.seen(chunk)
            self.rest = memoryview(chunk)
        size = min(len(buffer), len(self.rest))
        buffer[:size] = self.rest[:size]
        self.rest = self.rest[size:]
        return size


def properties(blob: BlobClient) -> BlobProperties | None:
    """What stands under a name, or None."""
    try:
        return blob.get_blob_properties()
    except ResourceNotFoundError:
        return None


def metadata_of(standing: BlobProperties | None) -> dict[str, str]:
    """What a blob says of itself, by lower-case names: some services change their capitals."""
    return {key.lower(): value for key, value in ((standing and standing.metadata) or {}).items()}


def listed(
    container: ContainerClient, prefix: str | None = None, include: list[str] | None = None
) -> Iterator[BlobProperties]:
    """The blobs whose names begin so, in the order of names; `include` is what to say of them beside the usual."""
    return iter(container.list_blobs(prefix, include=include, results_per_page=LISTED_AT_ONCE))


def refusal(problem: HttpResponseError) -> str:
    """Why storage refuses one blob (archived, leased, immutable), where trying again would not help; else "".

    Not where it refuses the identity or the load, nor where another writer has discarded staged blocks, nor where it
    gives no code: then something on the way has answered.
    """
    named, status = getattr(problem, "error_code", None), problem.status_code or 0
    code = str(getattr(named, "value", named) or "")
    passing = status in (401, 403, 404, 408, 429) or code in ("InvalidBlockList", "ConditionNotMet")
    return "" if passing or not 400 <= status < 500 else code


def upload_new(container: ContainerClient, key: str, data: bytes, **options: Any) -> str:
    """Writes only if nothing is there. Returns the new ETag; "": something was.

    A 409 may say other things, too (a container that is being deleted, a lease, an immutable blob): that is raised.
    Whoever took it for "something was there" would go on as if it had been written.
    """
    try:
        written = container.get_blob_client(key).upload_blob(data, **options)
    except ResourceExistsError as problem:
        if getattr(problem, "error_code", None) != StorageErrorCode.BLOB_ALREADY_EXISTS:
            raise
        return ""
    return str(written["etag"])


def read_chunks(
    blob: BlobClient, etag: str | None = None, stretch: tuple[int, int] | None = None
) -> Iterator[bytes]:
    """The blob, or the bytes from the first to before the second of `stretch`, in pieces of at most 4 MiB.

    All of one ETag. Raises ResourceModifiedError where the ETag is no longer the blob's, ResourceNotFoundError where
    it is gone.
    """
    condition: dict[str, Any] = (
        {"etag": etag, "match_condition": MatchConditions.IfNotModified} if etag else {}
    )
    if stretch is not None:
        condition |= {"offset": stretch[0], "length": stretch[1] - stretch[0]}
    return iter(blob.download_blob(**condition).chunks())


def in_slices(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of at most `SLICE`: rows that were taken apart are many times as large."""
    for chunk in chunks:
        for start in range(0, len(chunk), SLICE):
            yield chunk[start : start + SLICE]


class BlockWriter:
    """Stages what is written as blocks; nothing is visible before `commit`, and without it nothing ever is.

    Block ids carry `owner`, whose length never changes: staged blocks belong to the blob's name, whoever staged them.
    `staged` are the ids of blocks that another writer has staged before.
    """

    def __init__(self, blob: BlobClient, owner: str, staged: Iterable[str] = ()) -> None:
        self.blob = blob
        self.owner = owner
        self.buffer = bytearray()
        self.blocks = [BlobBlock(one) for one in staged]

    def write(self, data: bytes) -> None:
        self.buffer += data
        while len(self.buffer) >= BLOCK:
            self.stage(bytes(self.buffer[:BLOCK]))
            del self.buffer[:BLOCK]

    def stage(self, data: bytes) -> None:
        block = BlobBlock(f"{self.owner}-{len(self.blocks):05d}")
        self.blob.stage_block(block.id, data)
        self.blocks.append(block)

    def hold(self) -> list[str]:
        """Stages the rest. Returns the ids of all blocks, for another writer to go on or to commit."""
        if self.buffer:
            self.stage(bytes(self.buffer))
            self.buffer.clear()
        return [block.id for block in self.blocks]

    def commit(self, metadata: dict[str, str] | None = None, **condition: Any) -> None:
        """Makes everything written the blob's content, in one call, if the match condition holds.

        Little goes in one piece, without blocks. May be called again where the condition did not hold.
        """
        if not self.blocks:
            self.blob.upload_blob(
                bytes(self.buffer),
                metadata=metadata,
                content_settings=CSV,
                **(condition or {"overwrite": True}),
            )
            return
        self.hold()
        self.blob.commit_block_list(self.blocks, metadata=metadata, content_settings=CSV, **condition)


def copy_version(source: BlobClient, etag: str, target: BlobClient, owner: str) -> None:
    """Copies one ETag of a blob, 4 MiB at a time; the copy is visible only when it is whole.

    Not by the server: Copy Blob From URL wants a SAS for its source even within an account, and refuses empty blobs.
    Raises ResourceModifiedError where the ETag is no longer the source's, ResourceNotFoundError where it is gone.
    """
    writer = BlockWriter(target, owner)
    for chunk in read_chunks(source, etag):
        writer.write(chunk)
    writer.commit()
