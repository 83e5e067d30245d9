"""A large file through the whole stack: time and memory of each stage, and the straight script beside it."""

from typing import Any

from benchmarks import large, subjects
from benchmarks.sections.flood import bench
from benchmarks.sections.one import OURS
from benchmarks.setting import Setting
from benchmarks.stack import epoch
from benchmarks.subjects import FLOOR

MEGABYTE = 1_000_000
PATIENCE = 7200.0
POLL = 1.0


def measured(setting: Setting) -> dict[str, Any]:
    FLOOR.environment.set_up()
    sizes = [2 * MEGABYTE, 20 * MEGABYTE] if setting.quick else [64 * MEGABYTE, 1000 * MEGABYTE]
    found: dict[str, list[dict[str, Any]]] = {OURS: [], FLOOR.name: []}
    for _ in range(setting.rounds):
        found[FLOOR.name].append(theirs(setting, sizes[0]))
        found[OURS].append(ours(setting, sizes[0]))
    found[FLOOR.name].append(theirs(setting, sizes[1]))
    for size in [sizes[1], *([5000 * MEGABYTE] if setting.huge else [])]:
        print(f"  {size // MEGABYTE:,} MB", flush=True)
        found[OURS].append(ours(setting, size))
    return {"peers": FLOOR.environment.versions(), "subjects": found}


def ours(setting: Setting, size: int) -> dict[str, Any]:
    """On a stack of its own, so that its memory is that of this file."""
    with bench(setting, f"large-{size}", counted=False) as stack:
        return large.large(stack, size, PATIENCE)


def theirs(setting: Setting, size: int) -> dict[str, Any]:
    """The straight script, which holds the file in memory."""
    with bench(setting, f"script-{size}", counted=False) as stack:
        names = subjects.numbered("large", 1)
        bytes_, rows = large.drop_rows(stack, names[0], size, "peers-inbox")
        run = subjects.scored(FLOOR, names, stack.peers_settings(), poll=POLL)
        [file], [job] = run.files, stack.jobs()
        return {
            "bytes": bytes_,
            "rows": rows,
            "job": round(epoch(job.ended) - epoch(job.created), 3),
            "own": round(epoch(job.created) - file["arrived"] + file["published"] - file["seen"], 3),
            "cpu": run.cpu,
            "peak": run.peak,
        }
