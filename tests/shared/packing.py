"""Packing in memory, as the pack activity does it: one file, or all of a run into a work container."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from activities.parts import refuse_bad_rows
from shared import blob_io, clients, packing, work
from shared.blob_io import ChunkStream
from shared.csv_lines import csv_line
from shared.csv_rows import Dialect, Row, read_rows
from shared.names import bare_etag
from shared.records import Run, Version
from shared.routes import Route
from tests.shared.ledgers import START, version
from tests.simulation.storage import Account, Disk

ROUTE = Route(
    name="r",
    pattern="**",
    model="https://e/jobs",
    send=("age", "bmi"),
    carry=("id",),
    columns={"age": "number"},
)
ANY_COLUMNS = Route(name="r", pattern="**", model="https://e/jobs")
NUMBERED = ANY_COLUMNS.but(match="row", columns={"x": "number"}, carry=("id",))
HEADER = b"id,age,bmi\n"
LIMITS = {"BLOCK": blob_io, "SHARED_AT_MOST": packing, "BYTES_AT_ONCE": work, "FILES_AT_ONCE": work}
RUN = Run(run="R1", launch=1, route={}, slot=0, created_at="")


def packed(data: bytes, route: Route = ROUTE) -> tuple[int, bytes, bytes]:
    """The number of rows, the part, the carried columns. Raises FileRejected where the route sets no row aside."""
    found, rest = packing.opened([data], route)
    packing.read_rows(found, rest, version(), RUN, route, None)
    refuse_bad_rows(found, route)
    header = csv_line(found.table.sent_header) + b"\n"
    part = b"".join([header, *(block.sent for block in found.kept)])
    return found.rows, part, b"".join(block.carried for block in found.kept)


def rows_of(data: bytes, delimiter: str = ",", size: int = 1 << 16) -> list[Row]:
    """The rows of data that comes in chunks of `size` bytes, header and all."""
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    return list(read_rows(ChunkStream(chunks), Dialect(delimiter)))


@dataclass
class Storage:
    """Containers in memory: files to be packed, and what pack leaves of the run's first attempt."""

    account: Account

    def drop(self, name: str, data: bytes) -> Version:
        blob = self.account.get_container_client("inbox").upload_blob(name, data, overwrite=True)
        etag = bare_etag(str(blob.get_blob_properties().etag))
        return version(name, etag=etag).but(size=len(data))

    def names(self, folder: str = "") -> list[str]:
        work = self.account.get_container_client("work")
        prefix = f"{RUN.run}/{RUN.attempt}/"
        return [name.removeprefix(prefix) for name in work.list_blob_names(name_starts_with=prefix + folder)]

    def read(self, name: str) -> bytes:
        work = self.account.get_container_client("work")
        return work.download_blob(f"{RUN.run}/{RUN.attempt}/{name}").readall()

    def rows(self, name: str) -> list[list[str]]:
        data = self.read(name)
        assert data.endswith(b"\n")
        return list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))


@contextmanager
def in_memory(chunk: int = 1 << 22, **limits: int) -> Iterator[Storage]:
    """The app's storage, read in chunks of so many bytes; `limits` are those of the app's modules."""
    with pytest.MonkeyPatch.context() as patch:
        account = Account(Disk(lambda: START), chunks={"inbox": chunk, "work": chunk})
        patch.setattr(clients, "container", account.get_container_client)
        for name, limit in limits.items():
            patch.setattr(LIMITS[name], name, limit)
        yield Storage(account)
