"""An account of block blobs in memory with Azure's rules, behind the part of azure-storage-blob that the app uses.

`Disk` is what is stored, and the rules; `Account` and its clients are how one reaches it, each call through a `Gate`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobBlock, BlobProperties, BlobType, StorageErrorCode

METADATA_LIMIT = 8 * 1024
PAGE = 5000
CHUNK = 4 * 1024 * 1024

Result = TypeVar("Result")


class Gate(Protocol):
    """What stands between a caller and a call's effect: it may wait, and may let the caller die or fail."""

    def __call__(self, call: str, effect: Callable[[], Result]) -> Result: ...


def open_gate(call: str, effect: Callable[[], Result]) -> Result:
    """Lets everything through at once."""
    return effect()


@dataclass(frozen=True)
class Blob:
    """One blob as it stands. `etag` is bare; `blocks` are those it was committed from."""

    data: bytes
    etag: str
    created: datetime
    modified: datetime
    metadata: dict[str, str] = field(default_factory=dict)
    blocks: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """One blob before and after an effect; None: not there."""

    container: str
    name: str
    before: Blob | None
    after: Blob | None


@dataclass(frozen=True)
class Condition:
    """A match condition and the bare ETag it speaks of."""

    match: MatchConditions | None = None
    etag: str = ""

    @classmethod
    def of(cls, etag: str | None, match: MatchConditions | None) -> "Condition":
        return cls(match, (etag or "").strip('"'))


NO_CONDITION = Condition()
IF_MISSING = Condition(MatchConditions.IfMissing)


class Disk:
    """The containers and their blobs. Every method is one request: all of it happens, or none. Watchers see writes."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.blobs: dict[str, dict[str, Blob]] = {}
        self.staged: dict[tuple[str, str], dict[str, bytes]] = {}
        self.writes = 0
        self.watchers: list[Callable[[Change], None]] = []

    def put(self, container: str, name: str, data: bytes, metadata: dict[str, str], on: Condition) -> Blob:
        """Put Blob. Raises ResourceExistsError, ResourceModifiedError."""
        self.check_write(self.standing(container, name), on)
        return self.write(container, name, data, metadata, {})

    def stage(self, container: str, name: str, block: str, data: bytes) -> None:
        """Put Block. Raises HttpResponseError (InvalidBlobOrBlock) where another id of the name has another length."""
        blocks = self.staged.setdefault((container, name), {})
        if any(len(other) != len(block) for other in blocks):
            raise refusal(HttpResponseError, 400, StorageErrorCode.INVALID_BLOB_OR_BLOCK)
        blocks[block] = data

    def commit(
        self, container: str, name: str, blocks: list[str], metadata: dict[str, str], on: Condition
    ) -> Blob:
        """Put Block List, of staged and of committed blocks. Raises HttpResponseError (InvalidBlockList), too."""
        standing = self.standing(container, name)
        self.check_write(standing, on)
        found = {**(standing.blocks if standing else {}), **self.staged.get((container, name), {})}
        if any(block not in found for block in blocks):
            raise refusal(HttpResponseError, 400, StorageErrorCode.INVALID_BLOCK_LIST)
        chosen = {block: found[block] for block in blocks}
        return self.write(container, name, b"".join(found[block] for block in blocks), metadata, chosen)

    def write(
        self, container: str, name: str, data: bytes, metadata: dict[str, str], blocks: dict[str, bytes]
    ) -> Blob:
        size = sum(len(key) + len(value.encode("ascii")) for key, value in metadata.items())
        if size > METADATA_LIMIT:
            raise refusal(HttpResponseError, 400, StorageErrorCode.METADATA_TOO_LARGE)
        before, now = self.standing(container, name), self.clock().replace(microsecond=0)
        self.writes += 1
        created = before.created if before else now
        after = Blob(data, f"0x{self.writes:X}", created, now, dict(metadata), blocks)
        self.staged.pop((container, name), None)
        self.container(container)[name] = after
        self.tell(Change(container, name, before, after))
        return after

    def get(self, container: str, name: str, on: Condition = NO_CONDITION) -> Blob:
        """Raises ResourceNotFoundError; ResourceModifiedError where the condition does not hold."""
        blob = self.standing(container, name)
        if blob is None:
            raise refusal(ResourceNotFoundError, 404, StorageErrorCode.BLOB_NOT_FOUND)
        if on.match is MatchConditions.IfModified and blob.etag == on.etag:
            raise refusal(ResourceModifiedError, 304, StorageErrorCode.CONDITION_NOT_MET)
        if on.match is MatchConditions.IfNotModified and blob.etag != on.etag:
            raise refusal(ResourceModifiedError, 412, StorageErrorCode.CONDITION_NOT_MET)
        return blob

    def delete(self, container: str, name: str, on: Condition = NO_CONDITION) -> None:
        """Raises as `get`."""
        before = self.get(container, name, on)
        del self.container(container)[name]
        self.tell(Change(container, name, before, None))

    def page(self, container: str, prefix: str, after: str, size: int) -> list[tuple[str, Blob]]:
        """At most `size` blobs whose names begin with `prefix` and come after `after`, sorted."""
        blobs = self.container(container)
        names = sorted(name for name in blobs if name.startswith(prefix) and name > after)
        return [(name, blobs[name]) for name in names[:size]]

    def container(self, name: str) -> dict[str, Blob]:
        return self.blobs.setdefault(name, {})

    def standing(self, container: str, name: str) -> Blob | None:
        return self.container(container).get(name)

    def check_write(self, standing: Blob | None, on: Condition) -> None:
        if on.match is MatchConditions.IfMissing and standing:
            raise refusal(ResourceExistsError, 409, StorageErrorCode.BLOB_ALREADY_EXISTS)
        if on.match is MatchConditions.IfNotModified and (standing is None or standing.etag != on.etag):
            raise refusal(ResourceModifiedError, 412, StorageErrorCode.CONDITION_NOT_MET)

    def tell(self, change: Change) -> None:
        for watcher in self.watchers:
            watcher(change)


def refusal(kind: type[HttpResponseError], status: int, code: StorageErrorCode) -> HttpResponseError:
    """What the SDK raises for such an answer."""
    problem = kind(message=f"the request was refused\nErrorCode:{code.value}")
    problem.status_code = status
    problem.error_code = code  # type: ignore[attr-defined]
    return problem


def described(container: str, name: str, blob: Blob, *, quotes: str = '"') -> BlobProperties:
    """A blob's properties as the SDK shows them; listings show ETags without quotes."""
    shown = BlobProperties()
    shown.name, shown.container, shown.blob_type = name, container, BlobType.BLOCKBLOB
    shown.etag, shown.size = f"{quotes}{blob.etag}{quotes}", len(blob.data)
    shown.creation_time, shown.last_modified = blob.created, blob.modified
    shown.metadata = dict(blob.metadata)
    return shown


class Download:
    """A blob that is being read in chunks, each under the ETag of the first."""

    def __init__(self, client: "BlobClient", on: Condition, offset: int, length: int | None) -> None:
        self.client = client
        first = client.reached("get", lambda: client.disk.get(client.container_name, client.blob_name, on))
        self.properties = described(client.container_name, client.blob_name, first)
        self.on = Condition(MatchConditions.IfNotModified, first.etag)
        self.start, self.end = offset, len(first.data) if length is None else offset + length
        if offset and offset >= len(first.data):
            raise refusal(HttpResponseError, 416, StorageErrorCode.INVALID_RANGE)
        self.data = first.data[self.start : self.end]

    def chunks(self) -> Iterator[bytes]:
        size = self.client.account.chunks.get(self.client.container_name, CHUNK)
        for start in range(0, len(self.data), size):
            if start:
                self.client.reached("get", self.still_there)
            yield self.data[start : start + size]

    def still_there(self) -> Blob:
        return self.client.disk.get(self.client.container_name, self.client.blob_name, self.on)

    def readall(self) -> bytes:
        return b"".join(self.chunks())


class BlobClient:
    """One name in a container."""

    def __init__(self, account: "Account", container: str, name: str) -> None:
        self.account, self.disk = account, account.disk
        self.container_name, self.blob_name = container, name
        self.account_name = account.account_name

    @property
    def url(self) -> str:
        return f"{self.account.url}/{self.container_name}/{quote(self.blob_name, safe='/~')}"

    def reached(self, verb: str, effect: Callable[[], Result]) -> Result:
        return self.account.gate(f"{verb} {self.container_name}/{self.blob_name}", effect)

    def upload_blob(
        self,
        data: bytes | str,
        *,
        overwrite: bool = False,
        metadata: dict[str, str] | None = None,
        content_settings: object = None,
        etag: str | None = None,
        match_condition: MatchConditions | None = None,
    ) -> dict[str, Any]:
        on = Condition.of(etag, match_condition)
        if not overwrite and match_condition is None:
            on = IF_MISSING
        content = data.encode() if isinstance(data, str) else bytes(data)
        shown = metadata or {}
        try:
            blob = self.reached(
                "put", lambda: self.disk.put(self.container_name, self.blob_name, content, shown, on)
            )
        except ResourceModifiedError as problem:
            if overwrite:
                raise
            raise refusal(ResourceExistsError, 412, StorageErrorCode.BLOB_ALREADY_EXISTS) from problem
        return {"etag": f'"{blob.etag}"', "last_modified": blob.modified}

    def stage_block(self, block_id: str, data: bytes) -> None:
        self.reached("stage", lambda: self.disk.stage(self.container_name, self.blob_name, block_id, data))

    def commit_block_list(
        self,
        block_list: list[BlobBlock],
        *,
        metadata: dict[str, str] | None = None,
        content_settings: object = None,
        etag: str | None = None,
        match_condition: MatchConditions | None = None,
    ) -> dict[str, Any]:
        on, ids = Condition.of(etag, match_condition), [str(block.id) for block in block_list]
        blob = self.reached(
            "commit",
            lambda: self.disk.commit(self.container_name, self.blob_name, ids, metadata or {}, on),
        )
        return {"etag": f'"{blob.etag}"', "last_modified": blob.modified}

    def download_blob(
        self,
        offset: int | None = None,
        length: int | None = None,
        *,
        etag: str | None = None,
        match_condition: MatchConditions | None = None,
    ) -> Download:
        return Download(self, Condition.of(etag, match_condition), offset or 0, length)

    def get_blob_properties(self) -> BlobProperties:
        blob = self.reached("head", lambda: self.disk.get(self.container_name, self.blob_name))
        return described(self.container_name, self.blob_name, blob)

    def set_blob_metadata(
        self,
        metadata: dict[str, str],
        *,
        etag: str | None = None,
        match_condition: MatchConditions | None = None,
    ) -> None:
        on = Condition.of(etag, match_condition)

        def effect() -> None:
            standing = self.disk.get(self.container_name, self.blob_name, on)
            self.disk.write(self.container_name, self.blob_name, standing.data, metadata, standing.blocks)

        self.reached("describe", effect)

    def exists(self) -> bool:
        return self.reached(
            "head", lambda: self.disk.standing(self.container_name, self.blob_name) is not None
        )

    def delete_blob(self, *, etag: str | None = None, match_condition: MatchConditions | None = None) -> None:
        on = Condition.of(etag, match_condition)
        self.reached("delete", lambda: self.disk.delete(self.container_name, self.blob_name, on))


class ContainerClient:
    """One container."""

    def __init__(self, account: "Account", name: str) -> None:
        self.account, self.disk = account, account.disk
        self.container_name = name

    @property
    def url(self) -> str:
        return f"{self.account.url}/{self.container_name}"

    def get_blob_client(self, blob: str) -> BlobClient:
        return BlobClient(self.account, self.container_name, blob)

    def upload_blob(self, name: str, data: bytes | str, **options: Any) -> BlobClient:
        client = self.get_blob_client(name)
        client.upload_blob(data, **options)
        return client

    def download_blob(
        self, blob: str, offset: int | None = None, length: int | None = None, **on: Any
    ) -> Download:
        return self.get_blob_client(blob).download_blob(offset, length, **on)

    def delete_blob(self, blob: str, **on: Any) -> None:
        self.get_blob_client(blob).delete_blob(**on)

    def list_blobs(
        self,
        name_starts_with: str | None = None,
        include: Iterable[str] | str | None = None,
        results_per_page: int = PAGE,
    ) -> Iterator[BlobProperties]:
        """Sorted, page by page; metadata only where it is asked for."""
        prefix, after, size = name_starts_with or "", "", min(self.account.page, results_per_page)
        while True:
            page = self.account.gate(
                f"list {self.container_name}/{prefix}",
                lambda after=after: self.disk.page(self.container_name, prefix, after, size),  # type: ignore[misc]
            )
            for name, blob in page:
                shown = described(self.container_name, name, blob, quotes="")
                if "metadata" not in (include or ()):
                    shown.metadata = {}
                yield shown
            if len(page) < size:
                return
            after = page[-1][0]

    def list_blob_names(self, *, name_starts_with: str | None = None) -> Iterator[str]:
        return (str(blob.name) for blob in self.list_blobs(name_starts_with))


class Account:
    """A way to the disk, as BlobServiceClient is one; every call passes `gate`.

    `page` is how many blobs one listing request shows, `chunks` how many bytes one read of a container brings.
    """

    def __init__(
        self,
        disk: Disk,
        gate: Gate = open_gate,
        *,
        account_name: str = "drops",
        page: int = PAGE,
        chunks: dict[str, int] | None = None,
    ) -> None:
        self.disk, self.gate, self.account_name = disk, gate, account_name
        self.page, self.chunks = page, chunks or {}
        self.url = f"https://{account_name}.blob.core.windows.net"

    def get_container_client(self, container: str) -> ContainerClient:
        return ContainerClient(self, container)
