"""The peers, and running one of them over some files."""

import json
import os
import signal
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.environment import AZURE_AI_ML, DBOS, PREFECT, ROOT, SCRIPT, Environment
from benchmarks.processes import MIB, family_high_water

LOOKS_EVERY = 0.2
PATIENCE = 3600.0


@dataclass(frozen=True)
class Peer:
    """`module` below `benchmarks.peers` is run by the Python of `environment`."""

    name: str
    module: str
    environment: Environment


PEERS = (
    Peer("straight script", "script", SCRIPT),
    Peer("azure-ai-ml in a loop", "client_loop", AZURE_AI_ML),
    Peer("DBOS workflow", "dbos_flow", DBOS),
    Peer("Prefect flow", "prefect_flow", PREFECT),
)
FLOOR = PEERS[0]


@dataclass(frozen=True)
class PeerRun:
    """What a peer said of each file, processor seconds of its process and those it waited for, and the most MiB."""

    files: list[dict[str, Any]]
    cpu: float
    peak: float


def scored(
    peer: Peer, names: list[str], settings: dict[str, str], *, poll: float, at_once: int = 1
) -> PeerRun:
    """Runs a peer over files that lie in its inbox, the first of them alone. Stops the program where it fails."""
    with tempfile.TemporaryDirectory(prefix="benchmark-peer-") as home, tempfile.TemporaryFile("w+") as shown:
        words = ["--poll", str(poll), "--at-once", str(at_once)]
        child = subprocess.Popen(
            [str(peer.environment.python), "-m", f"benchmarks.peers.{peer.module}", *words],
            stdin=subprocess.PIPE,
            stdout=shown,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env=surroundings(home) | settings,
            text=True,
            start_new_session=True,
        )
        peak, cpu, errors = watched(child, "\n".join(names) + "\n")
        shown.seek(0)
        lines = [line for line in shown if line.startswith("{")]
    if child.returncode or len(lines) != len(names):
        raise SystemExit(f"{peer.name} failed with {child.returncode}:\n{errors[-3000:]}")
    return PeerRun([json.loads(line) for line in lines], cpu, peak)


def watched(child: subprocess.Popen[str], given: str) -> tuple[float, float, str]:
    """The most MiB of a process and its children, their seconds, and what it wrote to stderr."""
    before = children_seconds()
    with ThreadPoolExecutor(1) as pool:
        talk = pool.submit(child.communicate, given)
        peak, deadline = 0, time.monotonic() + PATIENCE
        while wait([talk], LOOKS_EVERY).not_done:
            peak = max(peak, family_high_water(child.pid))
            if time.monotonic() > deadline:
                os.killpg(child.pid, signal.SIGKILL)
        _, errors = talk.result()
    end_what_is_left(child.pid)
    return round(peak / MIB, 1), round(children_seconds() - before, 3), errors


def end_what_is_left(group: int) -> None:
    """Of a peer's processes: one that was ended for its slowness leaves its server behind."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)


def children_seconds() -> float:
    """Processor seconds of all children of this process that have ended. One at a time is waited for here."""
    spent = os.times()
    return spent.children_user + spent.children_system


def surroundings(home: str) -> dict[str, str]:
    """Without a credential of whoever runs it, without telemetry, and with its files in a folder of its own."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AZURE_")}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "NO_PROXY": "127.0.0.1,localhost",
        "BENCHMARK_STATE": home,
        "PREFECT_HOME": str(Path(home) / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "DO_NOT_TRACK": "1",
    }


def set_up() -> None:
    """Installs what peers need, where it is missing."""
    for peer in PEERS:
        peer.environment.set_up()


def versions() -> dict[str, str]:
    """Of what makes each peer what it is."""
    found: dict[str, str] = {}
    for peer in PEERS:
        found |= peer.environment.versions()
    return found


def drop_for_peers(stack: Any, names: list[str], data: bytes) -> None:
    for name in names:
        stack.drop(name, data, container="peers-inbox")


def numbered(label: str, count: int) -> list[str]:
    """Names that nobody has used."""
    return [f"score/{label}-{time.time_ns()}-{number:05d}.csv" for number in range(count)]
