"""Many small files at once: files a second, jobs, node-seconds, calls, memory; nodes that start at once, or late."""

from typing import Any

from benchmarks import subjects
from benchmarks.floods import flood, peer_flood
from benchmarks.sections.one import OURS, PLAIN
from benchmarks.setting import Setting
from benchmarks.stack import Bench
from benchmarks.subjects import FLOOR, PEERS

AT_ONCE = 8
POLL = 0.05
LATE_FILES = 16
PATIENCE = 7200.0


def measured(setting: Setting) -> dict[str, Any]:
    subjects.set_up()
    found: dict[str, list[dict[str, Any]]] = {OURS: [], **{peer.name: [] for peer in PEERS}}
    sizes = [60] if setting.quick else [1_000, *([10_000] if setting.huge else [])]
    late = setting.sized(30, 3)
    for number in range(setting.rounds):
        print(f"  round {number + 1}", flush=True)
        found[OURS].append(ours(setting, sizes[0], 0, number=number))
        for peer in PEERS:
            found[peer.name].append(theirs(setting, peer, setting.sized(100, 16), 0))
    for files, start in [(sizes[0], late), *((files, start) for files in sizes[1:] for start in (0, late))]:
        print(f"  {files:,} files, nodes start after {start} s", flush=True)
        found[OURS].append(ours(setting, files, start))
    for peer in PEERS:
        found[peer.name].append(theirs(setting, peer, setting.sized(LATE_FILES, 8), late))
    return {
        "peers": subjects.versions(),
        "subjects": found,
        "counted": ours(setting, sizes[0], 0, counted=True),
    }


def ours(
    setting: Setting, files: int, start: float, *, counted: bool = False, number: int = 0
) -> dict[str, Any]:
    """On a stack of its own: each call takes Azurite longer, the more blobs it has."""
    with bench(setting, f"flood-{files}-{start}-{number}-{counted}", counted=counted) as stack:
        found = flood(stack, files, start, PATIENCE)
    print(f"    {found}", flush=True)
    return found.to_dict()


def theirs(setting: Setting, peer: subjects.Peer, files: int, start: float) -> dict[str, Any]:
    with bench(setting, f"{peer.module}-{start}", counted=False) as stack:
        at_once = files if start else AT_ONCE
        return peer_flood(stack, peer, files, start, at_once, POLL)


def bench(setting: Setting, name: str, *, counted: bool) -> Bench:
    folder = setting.folder / name
    return Bench(
        folder, settings={**Bench(folder).settings, **PLAIN}, app=setting.app, storage_faults=counted
    )


def floor() -> str:
    return FLOOR.name
