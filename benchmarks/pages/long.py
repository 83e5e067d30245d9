"""A job that is looked at for long."""

from collections.abc import Mapping
from typing import Any

from benchmarks.tables import circumstances, least, least_and_slowest, markdown, number

Kept = Mapping[str, Any]
NAMES = {"limit": "http.client (limit)", "azure-core": "azure-core", "ours": "**dropscore**"}


def page(kept: Kept) -> str:
    waited, counted = kept["waited"], kept["counted"]
    shown = {
        "the first tenth of the looks": waited["first"],
        "the last tenth": waited["last"],
    }
    rows = [
        [what, number(some["ms"]), number(some["slowest_ms"]), number(some["bytes"])]
        for what, some in shown.items()
    ]
    clients = [
        [NAMES[client], *(least_and_slowest(rounds, key, factor=1) for key in ("cpu", "wall"))]
        for client, rounds in kept["clients"].items()
    ]
    return "\n".join(
        [
            circumstances(kept, f"{waited['looks']:,} looks, 10 ms apart"),
            "",
            "One step of the orchestrator that waits: milliseconds of its replay, and the bytes it is "
            "given to replay.",
            "",
            markdown(["", "replay, ms", "slowest", "bytes"], rows),
            f"At the end, all histories of the run hold {waited['history']} events. A look costs calls, "
            f"{counted['rest']:g} to Azure ML and {counted['storage']:g} to storage (whether the run is still this "
            f"launch's), and {number(waited['cpu_ms'])} ms of the host's "
            f"processor, the local engine and its SQLite included. The host held {number(waited['peak'])} MiB at most.",
            "",
            "The look itself, one GET of a job, by client, milliseconds:",
            "",
            markdown(["", "CPU", "by the clock"], clients),
        ]
    )


def figures(kept: Kept) -> dict[str, float]:
    waited, clients = kept["waited"], kept["clients"]
    return {
        "long: CPU of a look, × azure-core": least(clients["ours"], "cpu")
        / least(clients["azure-core"], "cpu"),
        "long: CPU of a look, ms": least(clients["ours"], "cpu"),
        "long: replay at the end, ms": waited["last"]["ms"],
        "long: replay at the end, × the beginning": waited["last"]["ms"] / waited["first"]["ms"],
        "long: history at the end, × the beginning": waited["last"]["bytes"] / waited["first"]["bytes"],
        "long: CPU of the host for a look, ms": waited["cpu_ms"],
    }
