"""One large file through the whole stack: how long each stage takes, and the memory in it."""

import io
import threading
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

from benchmarks.floods import executions, operations
from benchmarks.host import Ran
from benchmarks.processes import MIB, resident
from benchmarks.stack import Bench, epoch, until

LOOKS_EVERY = 0.1
CHUNK = 4 * 1024 * 1024
STAGES = ("gather", "pack", "submit_job", "unpack", "write_results", "dispose_inputs", "close_run")


class Rows(io.RawIOBase):
    """A CSV of at least so many bytes, made while it is read; `rows` is how many it had."""

    def __init__(self, size: int) -> None:
        self.size, self.made, self.rows = size, 0, 0
        self.rest = memoryview(b"id,a,b,c,d\n")
        self.blocks = self.block()

    def block(self) -> Iterator[bytes]:
        for number in count():
            first = number * 10_000
            lines = (
                f"r{row:09d},{row % 997}.25,{row % 89}.5,3.125,4.0625\n"
                for row in range(first, first + 10_000)
            )
            yield "".join(lines).encode()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self.rest and self.made < self.size:
            self.rest = memoryview(next(self.blocks))
            self.made += len(self.rest)
            self.rows += 10_000
        size = min(len(buffer), len(self.rest))
        buffer[:size], self.rest = self.rest[:size], self.rest[size:]
        return size


class Sampler(threading.Thread):
    """Looks at a process's resident memory all the time."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.process = process
        self.seen: list[tuple[float, float]] = []
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(LOOKS_EVERY):
            self.seen.append((time.time(), resident(self.process) / MIB))

    def most(self, begun: float, ended: float) -> float:
        return round(max((mib for at, mib in self.seen if begun <= at <= ended), default=0.0), 1)


def drop_rows(stack: Bench, name: str, size: int, container: str = "inbox") -> tuple[int, int]:
    """Drops a large file. Returns its bytes and its rows."""
    file = Rows(size)
    # Of a stream that gives less than it is asked for, the storage library (12.31) holds all of it.
    stack.container(container).upload_blob(name, io.BufferedReader(file, CHUNK), max_concurrency=1)
    blob = stack.container(container).get_blob_client(name).get_blob_properties()
    return blob.size, file.rows


def large(stack: Bench, size: int, seconds: float) -> dict[str, Any]:
    """Stages of one file, `own` without the job and the wait for the look that saw its end. Nothing is lost."""
    name = f"score/large-{size}.csv"
    bytes_, rows = drop_rows(stack, name, size)
    earlier, ran = len(stack.jobs()), stack.ran()[:0]
    operations(stack)
    meter, sampler = stack.meter(), Sampler(stack.children["host"].process.pid)
    sampler.start()
    begun = stack.announce([name])

    def closed() -> bool:
        ran.extend(stack.ran())
        return any(one.name == "close_run" for one in ran)

    until(closed, f"the end of {name}", seconds, every=0.1)
    sampler.ended.set()
    sampler.join()
    used, jobs, counted = meter.read(), stack.jobs()[earlier:], operations(stack)
    published = max(one.ended for one in ran if one.name == "unpack")
    seen = max(one.begun for one in ran if one.name == "read_job")
    return {
        "bytes": bytes_,
        "rows": rows,
        "published": published_rows(stack, name),
        "jobs": len(jobs),
        "submit": round(epoch(jobs[0].created) - begun, 3),
        "job": round(epoch(jobs[-1].ended) - epoch(jobs[0].created), 3),
        "own": round(epoch(jobs[0].created) - begun + published - seen, 3),
        "cpu": used.cpu,
        "peak": used.peak,
        **executions(ran),
        "operations": counted,
        "stages": [stage_of(stage, ran, sampler) for stage in STAGES],
    }


def stage_of(name: str, ran: list[Ran], sampler: Sampler) -> dict[str, Any]:
    """All calls of one activity: how many, from the first to the end of the last, and the most memory in between."""
    some = [one for one in ran if one.name == name]
    begun, ended = min(one.begun for one in some), max(one.ended for one in some)
    longest = max(one.seconds for one in some)
    return {
        "stage": name,
        "calls": len(some),
        "seconds": round(ended - begun, 3),
        "longest": round(longest, 3),
        "peak": sampler.most(begun, ended),
    }


def published_rows(stack: Bench, name: str) -> int:
    """The rows that were published, without the header."""
    chunks = stack.container("predictions").download_blob(name).chunks()
    return sum(chunk.count(b"\n") for chunk in chunks) - 1
