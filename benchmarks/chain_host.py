"""The local host: `python -m benchmarks.chain_host host|engine BEGUN NUMBER`."""

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import requests

from benchmarks.chains import OUTPUT, Outputs, free_port, measured, tell
from benchmarks.environment import ROOT
from local.host.engine import Engine
from local.host.indexing import IndexedFunction, index
from local.host.state import State
from local.host.store import Store
from local.host.work import RunningWork

APP = ROOT / "benchmarks" / "local_app"
LIVE = {"runtimeStatus": "Pending,Running"}


def host(_: float, number: int) -> dict[str, Any]:
    """`python -m local.host` in a process of its own, asked over HTTP as a user would."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    with tempfile.TemporaryDirectory() as folder, requests.Session() as session:
        command = [sys.executable, "-m", "local.host", str(APP), "--port", str(port), "--state", folder]
        begun = time.time()
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                answered = first_answer(url, session) - begun
                found = measured(lambda chains: run(url, session, chains), begun, number, str(process.pid))
            finally:
                process.terminate()
    return found | {"answered": answered}


def first_answer(url: str, session: requests.Session) -> float:
    """When the host answered for the first time, in epoch seconds."""
    while True:
        try:
            session.get(f"{url}/durabletask/instances").raise_for_status()
        except requests.ConnectionError:
            time.sleep(0.005)
        else:
            return time.time()


def run(url: str, session: requests.Session, chains: int) -> Outputs:
    start = f"{url}/durabletask/orchestrators/chain"
    if chains == 1:
        return [session.post(start, params={"timeout": "60", "pollingInterval": "0.001"}).json()]
    ids = [session.post(start).json()["id"] for _ in range(chains)]
    while session.get(f"{url}/durabletask/instances", params=LIVE | {"top": "1"}).json():
        time.sleep(0.02)
    return [session.get(f"{url}/durabletask/instances/{each}").json()["output"] for each in ids]


class Inline:
    """The app's functions called one by one in the engine's own thread, with the time that they take for themselves."""

    def __init__(self, functions: list[IndexedFunction]) -> None:
        self.seconds = 0.0
        self._functions = {function.name: function for function in functions}

    def knows_activity(self, name: str) -> bool:
        return name in self._functions

    def knows_orchestrator(self, name: str) -> bool:
        return name in self._functions

    def activity_like(self, _: str) -> None:
        return None

    def orchestrator_like(self, _: str) -> None:
        return None

    async def run_orchestrator(self, name: str, payload: str) -> str:
        before = time.process_time()
        answer = str(self._functions[name].call(context=payload))
        self.seconds += time.process_time() - before
        return answer

    async def run_activity(self, name: str, input_text: str | None) -> str | None:
        return str(self._functions[name].call(value=int(input_text or "0")))


def engine(_: float, number: int) -> dict[str, Any]:
    """The host's engine alone: the CPU milliseconds a chain, those of the SDK taken out."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(engine_alone(Path(folder), number))


async def engine_alone(folder: Path, number: int) -> dict[str, Any]:
    state, functions = State(folder), Inline(index(APP))
    store = Store(state)
    running = asyncio.create_task(Engine(store, functions, RunningWork()).run())
    with state.transaction():
        for each in range(number):
            store.create(str(each), "chain", "", None)
    before = time.process_time()
    while store.instances("status in ('Pending', 'Running')", [], limit=1):
        await asyncio.sleep(0.01)
    spent = time.process_time() - before
    right = all(each.output_text == str(OUTPUT) for each in store.instances("1=1", []))
    running.cancel()
    await asyncio.wait([running])
    state.close()
    return {
        "engine": 1000 * (spent - functions.seconds) / number,
        "sdk": 1000 * functions.seconds / number,
        "right": right,
    }


if __name__ == "__main__":
    tell({"host": host, "engine": engine}[sys.argv[1]])
