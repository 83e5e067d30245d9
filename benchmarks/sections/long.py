"""A job that is looked at 3,000 times: what each look costs, and whether the last costs what the first did.

The waits between looks are shortened to 10 ms by the app's settings, nothing else is changed. The job gets no node.
"""

import json
import subprocess
import sys
from statistics import median
from typing import Any

import requests

from benchmarks import subjects
from benchmarks.environment import ROOT
from benchmarks.host import Ran
from benchmarks.looks import CLIENTS
from benchmarks.sections.one import PLAIN, sample
from benchmarks.setting import Setting
from benchmarks.stack import Bench, until

LOOKS, LOOKS_QUICK = 3_000, 100
NO_PAUSE = {"DROPSCORE_POLL_AT_LEAST": "0.01s", "DROPSCORE_POLL_AT_MOST": "0.01s"}
NEVER = 86_400.0
AUDIENCE = "https://ml.azure.com"


def measured(setting: Setting) -> dict[str, Any]:
    looks = setting.sized(LOOKS, LOOKS_QUICK)
    with bench(setting, "long", counted=False) as stack:
        waited = waiting(stack, looks)
        clients = client_calls(stack, looks, setting.rounds)
    with bench(setting, "long-counted", counted=True) as stack:
        counted = waiting(stack, min(looks, 200))
    return {"looks": looks, "waited": waited, "counted": counted, "clients": clients}


def bench(setting: Setting, name: str, *, counted: bool) -> Bench:
    folder = setting.folder / name
    settings = {**Bench(folder).settings, **PLAIN, **NO_PAUSE}
    return Bench(folder, settings=settings, app=setting.app, storage_faults=counted)


def waiting(stack: Bench, looks: int) -> dict[str, Any]:
    """So many looks at one job, after the first ten."""
    stack.start_nodes_after(NEVER)
    [name] = subjects.numbered("long", 1)
    stack.drop(name, sample())
    stack.announce([name])
    looked(stack, 10)
    if stack.storage_faults:
        stack.calls()
        stack.count_rest()
    meter = stack.meter()
    ran = looked(stack, looks)
    used = meter.read()
    number = sum(one.name == "read_job" for one in ran)
    replays = [one for one in ran if one.name == "await_job"]
    tenth = max(1, len(replays) // 10)
    return {
        "looks": number,
        "cpu_ms": round(1000 * used.cpu / number, 3),
        "peak": used.peak,
        "first": replay(replays[:tenth]),
        "last": replay(replays[-tenth:]),
        "look_ms": round(1000 * median(one.seconds for one in ran if one.name == "read_job"), 2),
        "history": stack.history_events(),
        "storage": round(len(stack.calls()) / number, 2) if stack.storage_faults else None,
        "rest": round(sum(stack.rest_calls().values()) / number, 2) if stack.storage_faults else None,
    }


def looked(stack: Bench, looks: int) -> list[Ran]:
    ran: list[Ran] = []

    def enough() -> bool:
        ran.extend(stack.ran())
        return sum(one.name == "read_job" for one in ran) >= looks

    until(enough, f"{looks} looks at the job", 60 + looks, every=0.2)
    return ran


def replay(some: list[Ran]) -> dict[str, float]:
    """One step of the orchestrator that waits: how long it replays, and the bytes it is given to replay."""
    return {
        "ms": round(1000 * median(one.seconds for one in some), 2),
        "slowest_ms": round(1000 * max(one.seconds for one in some), 2),
        "bytes": max(one.given for one in some),
    }


def client_calls(stack: Bench, times: int, rounds: int) -> dict[str, list[dict[str, float]]]:
    """The same GET of the same job by each client, in turn: seconds of processor and of the clock for each look."""
    [job] = [job.name for job in stack.jobs()][-1:]
    url = f"{stack.azureml_url}/endpoints/score/jobs/{job}"
    found: dict[str, list[dict[str, float]]] = {name: [] for name in CLIENTS}
    for _ in range(rounds):
        for name in CLIENTS:
            command = [sys.executable, "-m", "benchmarks.looks", name, url, token(stack), str(times)]
            surroundings = {**stack.base_environment(), **stack.app_settings()}
            shown = subprocess.run(command, cwd=ROOT, env=surroundings, check=True, capture_output=True)
            spent = json.loads(shown.stdout)
            found[name].append({key: round(1000 * value / times, 4) for key, value in spent.items()})
    return found


def token(stack: Bench) -> str:
    asked = {"resource": AUDIENCE, "api-version": "2019-08-01"}
    identity = {"X-IDENTITY-HEADER": stack.secret}
    found = requests.get(f"{stack.azureml_url}/msi/token", params=asked, headers=identity, timeout=10)
    return str(found.json()["access_token"])
