"""Cost per file from 1 to 10,000, and per row from 1 MB to 5 GB: flat, or not; and the floor's per file beside it.

The largest sizes of ours come from the sections flood and huge, where those were measured.
"""

from typing import Any

from benchmarks import large
from benchmarks.floods import flood
from benchmarks.sections.flood import bench, theirs
from benchmarks.setting import Setting
from benchmarks.subjects import FLOOR

MEGABYTE = 1_000_000
PATIENCE = 3600.0
FILES, FILES_QUICK = (1, 10, 100, 1_000), (1, 10)
FLOOR_FILES, FLOOR_FILES_QUICK, FLOOR_FILES_HUGE = (100, 1_000), (10,), 10_000
SIZES, SIZES_QUICK = (1, 10, 100), (1,)


def measured(setting: Setting) -> dict[str, Any]:
    FLOOR.environment.set_up()
    files = [in_files(setting, count) for count in (FILES_QUICK if setting.quick else FILES)]
    bytes_ = [in_bytes(setting, size * MEGABYTE) for size in (SIZES_QUICK if setting.quick else SIZES)]
    floor = [of_floor(setting, count) for count in (FLOOR_FILES_QUICK if setting.quick else FLOOR_FILES)]
    if setting.huge:
        floor.append([theirs(setting, FLOOR, FLOOR_FILES_HUGE, 0)])
    return {"files": files, "bytes": bytes_, "floor": floor, "counted": counted(setting)}


def in_files(setting: Setting, count: int) -> list[dict[str, Any]]:
    """The same number of files in every round, on a stack that has warmed up."""
    found = []
    for number in range(setting.rounds):
        with bench(setting, f"files-{count}-{number}", counted=True) as stack:
            flood(stack, 1, 0, PATIENCE)
            found.append(flood(stack, count, 0, PATIENCE).to_dict())
    return found


def of_floor(setting: Setting, count: int) -> list[dict[str, Any]]:
    """The straight script, a job a file, on storage that grows with its files as with ours."""
    return [theirs(setting, FLOOR, count, 0) for _ in range(setting.rounds)]


def counted(setting: Setting) -> dict[str, Any]:
    """A large file once more, its calls to storage counted."""
    with bench(setting, "counted", counted=True) as stack:
        size = (SIZES_QUICK if setting.quick else SIZES)[-1]
        return large.large(stack, size * MEGABYTE, PATIENCE)


def in_bytes(setting: Setting, size: int) -> list[dict[str, Any]]:
    found = []
    for number in range(setting.rounds):
        with bench(setting, f"bytes-{size}-{number}", counted=False) as stack:
            flood(stack, 1, 0, PATIENCE)
            found.append(large.large(stack, size, PATIENCE))
    return found
