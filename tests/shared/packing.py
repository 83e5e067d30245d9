"""Packing one file in memory, as the pack activity does it."""

from typing import Any, cast

from activities.parts import copy_rows
from shared.blob_io import BlockWriter, ChunkStream, CsvWriter
from shared.csv_rows import Row, read_rows
from shared.routes import Route

ROUTE = Route(
    name="r",
    pattern="**",
    model="https://e/jobs",
    send=("age", "bmi"),
    carry=("id",),
    columns={"age": "number"},
)
ANY_COLUMNS = Route(name="r", pattern="**", model="https://e/jobs")
HEADER = b"id,age,bmi\n"


class MemoryBlob:
    """A block blob: what is staged is not in it before the commit; little is uploaded in one piece."""

    def __init__(self) -> None:
        self.staged: dict[str, bytes] = {}
        self.content = b""

    def stage_block(self, block_id: str, data: bytes) -> None:
        self.staged[block_id] = data

    def upload_blob(self, data: bytes, **_: Any) -> None:
        self.content = data

    def commit_block_list(self, blocks: list[Any], **_: Any) -> None:
        self.content = b"".join(self.staged[block.id] for block in blocks)


def packed(data: bytes, route: Route = ROUTE) -> tuple[int, bytes, bytes]:
    """As pack does it: the number of rows, the part, the carried columns."""
    blobs = MemoryBlob(), MemoryBlob()
    part, carried = (CsvWriter(BlockWriter(cast("Any", blob), "owner")) for blob in blobs)
    rows = copy_rows(ChunkStream([data]), route, part, carried)
    part.commit()
    carried.commit()
    return rows, blobs[0].content, blobs[1].content


def rows_of(data: bytes, delimiter: str = ",", size: int = 1 << 16) -> list[Row]:
    """The rows of data that comes in chunks of `size` bytes."""
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    return list(read_rows(ChunkStream(chunks), delimiter))
