"""Results as sections keep them, small enough to be reckoned by hand."""

from typing import Any

from benchmarks.pages.one import FLOOR, OURS

COMMON: dict[str, Any] = {
    "command": "python3 dev.py bench one",
    "rounds": 2,
    "load": 0.5,
    "machine": {"cores": 2, "memory_gib": 24, "python": "3.11.7", "system": "Linux x86_64"},
    "revision": "abc",
    "anyway": False,
}


def one(own: float = 0.2, storage: int = 30) -> dict[str, Any]:
    def times(seconds: float) -> dict[str, float]:
        parts = {"submit": seconds / 2, "publish": seconds / 2, "own": seconds}
        return {**parts, "job": 0.1, "wait": 0.5, "close": 0.01, "cpu": 0.05, "peak": 90.0}

    rest = {"POST of the job": 1, "token": 0}
    calls = [
        {"step": "pack", "operation": "read", "kind": "inbox", "calls": 1},
        {"step": "pack", "operation": "write", "kind": "work/parts", "calls": 2},
        {"step": "close_run", "operation": "list", "kind": "work/listing", "calls": 1},
    ]
    counted = {"storage": storage, "rest": rest, "history": 56, "executions": 20, "busy": 0.5, "calls": calls}
    return {
        **COMMON,
        "files": 5,
        "bytes": 10_000,
        "poll": 1.0,
        "subjects": {OURS: [times(own), times(2 * own)], FLOOR: [times(0.05), times(0.06)]},
        "steps": [{"step": "pack", "between": 2.0, "lasts": 41.25}],
        "counted": {FLOOR: {"storage": 5, "rest": rest}, OURS: counted},
    }


def flood() -> dict[str, Any]:
    def run(files: int, start: float, seconds: float, node: float, **more: Any) -> dict[str, Any]:
        figures = {"jobs": 2, "cpu": 4.0, "peak": 120.0, "storage_cpu": 30.0, "executions": 900, "busy": 30.0}
        return {
            "files": files,
            "start": start,
            "seconds": seconds,
            "node": node,
            "operations": {},
            **figures,
            **more,
        }

    ours = [
        run(1000, 0, 50.0, 1.0, lost=0),
        run(1000, 0, 40.0, 1.0, lost=0),
        run(1000, 30, 90.0, 62.0, lost=0),
    ]
    floor = [run(100, 0, 5.0, 10.0), run(10, 30, 31.0, 310.0)]
    operations = {"read": 6000, "write": 4000, "list": 20, "delete": 1000}
    return {
        **COMMON,
        "subjects": {OURS: ours, FLOOR: floor},
        "counted": run(1000, 0, 60.0, 1.0, lost=0, operations=operations),
    }


def huge() -> dict[str, Any]:
    def run(size: int, own: float, peak: float, **more: Any) -> dict[str, Any]:
        return {"bytes": size, "rows": size // 40, "own": own, "job": 3.0, "cpu": own, "peak": peak, **more}

    stages = [{"stage": "pack", "calls": 3, "seconds": 6.0, "longest": 2.5, "peak": 130.0}]
    ours = [
        run(size, size / 1e7, 100 + size / 1e8, published=size // 40, stages=stages)
        for size in (64_000_000, 1_000_000_000)
    ]
    return {**COMMON, "subjects": {OURS: ours, FLOOR: [run(64_000_000, 8.0, 400.0)]}}


def long() -> dict[str, Any]:
    step = {"ms": 4.0, "slowest_ms": 9.0, "bytes": 20_000}
    waited = {"looks": 3000, "cpu_ms": 9.5, "first": step, "last": step, "history": 120, "peak": 96.0}
    clients = {name: [{"cpu": cpu, "wall": 2 * cpu}] for name, cpu in (("azure-core", 0.8), ("ours", 0.5))}
    return {**COMMON, "waited": waited, "counted": {"storage": 1.0, "rest": 1.0}, "clients": clients}


def cold() -> dict[str, Any]:
    def imported(wall: float, peak: float) -> list[dict[str, float]]:
        return [{"wall": wall, "cpu": wall, "peak": peak}]

    subjects = {"azure-ai-ml": imported(1.0, 100.0), "dropscore, deployed": imported(0.5, 60.0)}
    sizes = {name: {"mb": 50.0, "distributions": 20} for name in subjects}
    return {
        **COMMON,
        "imports": subjects,
        "installed": sizes,
        "loaded": 1000,
        "largest": [{"package": "aiohttp", "ms": 90.0}],
    }


def growth() -> dict[str, Any]:
    def files(count: int, cpu: float) -> list[dict[str, Any]]:
        figures = {"seconds": cpu, "cpu": cpu, "storage_cpu": cpu, "jobs": 1, "peak": 100.0}
        return [{"files": count, **figures, "operations": {"read": 10 * count}}]

    large = {"bytes": 10_000_000, "rows": 250_000, "own": 2.0, "cpu": 2.0, "peak": 100.0}
    counted = {**large, "operations": {"read": 50, "write": 20}, "executions": 30, "busy": 4.0}
    floor = [files(10, 0.5), files(1000, 20.0)]
    kept = {"files": [files(1, 0.5), files(10, 1.0)], "bytes": [[large]], "floor": floor}
    return {**COMMON, **kept, "counted": counted}


EVERYTHING = {
    "one": one(),
    "flood": flood(),
    "huge": huge(),
    "long": long(),
    "cold": cold(),
    "growth": growth(),
}
