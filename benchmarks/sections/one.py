"""One file of 10 KB into an idle system: how long until its job, how long from the job's end to its predictions.

Ours and the peers in turn, then all again. Then once more with a proxy before the storage, which only counts.
"""

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from benchmarks import subjects
from benchmarks.floods import executions
from benchmarks.host import Ran
from benchmarks.setting import Setting
from benchmarks.stack import Bench, epoch, until
from benchmarks.subjects import PEERS, Peer
from local.azureml.jobs import Job

FILES, FILES_QUICK = 20, 4
COUNTED = 3
ROWS = 330
POLL = 1.0
OURS = "dropscore"
# The optional container that shows how each file stands is off, as it is by default.
PLAIN = {"DROPSCORE_STATUS": ""}
NO_STEP = ("score_run", "await_job")
# Arrivals start one where none has begun for five minutes.
SWEEP = ("sweep", "begin_sweep", "find_missed_files", "start_waiting", "end_sweep")


def sample(rows: int = ROWS) -> bytes:
    """10 KB: an id and four numbers a row."""
    return (
        "id,a,b,c,d\n" + "".join(f"r{row:05d},{row}.25,{2 * row}.5,3.125,4.0625\n" for row in range(rows))
    ).encode()


def measured(setting: Setting) -> dict[str, Any]:
    files = setting.sized(FILES, FILES_QUICK)
    subjects.set_up()
    rounds: dict[str, list[dict[str, float]]] = {OURS: [], **{peer.name: [] for peer in PEERS}}
    steps: list[list[dict[str, Any]]] = []
    with bench(setting, "timed", counted=False) as stack:
        score_ours(stack, 2)
        for number in range(setting.rounds):
            print(f"  round {number + 1}", flush=True)
            for peer in PEERS:
                rounds[peer.name].append(score_peer(stack, peer, files))
            ours, steps_of_round = score_ours(stack, files)
            rounds[OURS].append(ours)
            steps.append(steps_of_round)
    best = min(range(setting.rounds), key=lambda number: rounds[OURS][number]["own"])
    with bench(setting, "counted", counted=True) as stack:
        counted = counted_calls(stack)
    return {
        "files": files,
        "bytes": len(sample()),
        "poll": POLL,
        "peers": subjects.versions(),
        "subjects": rounds,
        "steps": steps[best],
        "counted": counted,
    }


def bench(setting: Setting, name: str, *, counted: bool) -> Bench:
    settings = {**Bench(setting.folder).settings, **PLAIN}
    return Bench(setting.folder / name, settings=settings, app=setting.app, storage_faults=counted)


def middle(files: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of each time the median of the files, in seconds."""
    return {key: round(median(file[key] for file in files), 4) for key in files[0]}


def score_peer(stack: Bench, peer: Peer, files: int) -> dict[str, float]:
    """What a file took. One before them warms the peer up; `cpu` a file is that of the whole process."""
    names = subjects.numbered(peer.module, files + 1)
    subjects.drop_for_peers(stack, names, sample())
    run = subjects.scored(peer, names, stack.peers_settings(), poll=POLL)
    jobs = {job.name: job for job in stack.jobs()}
    found = [
        times(file["arrived"], jobs[file["job"]], file["seen"], file["published"], file["done"])
        for file in run.files[1:]
    ]
    return {**middle(found), "cpu": round(run.cpu / len(names), 4), "peak": run.peak}


def score_ours(stack: Bench, files: int) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """What a file took, and the median of each step."""
    found, ran_of_all = [], []
    meter = stack.meter("host")
    for name in subjects.numbered("ours", files):
        arrived, ran = score_one(stack, name)
        ran_of_all.append((arrived, ran))
        found.append(
            times(
                arrived,
                stack.jobs()[-1],
                max(one.begun for one in ran if one.name == "read_job"),
                max(one.ended for one in ran if one.name == "dropscore.publish_file"),
                max(one.ended for one in ran if one.name == "close_run"),
            )
        )
    used = meter.read()
    return {**middle(found), "cpu": round(used.cpu / files, 4), "peak": used.peak}, steps_of(ran_of_all)


def score_one(stack: Bench, name: str) -> tuple[float, list[Ran]]:
    """When the event of a file was posted, and what ran because of it, until its run was closed."""
    stack.drop(name, sample())
    stack.ran()
    ran: list[Ran] = []
    arrived = stack.announce([name])

    def closed() -> bool:
        ran.extend(stack.ran())
        return any(one.name == "close_run" for one in ran)

    until(closed, f"the end of {name}", 60)
    return arrived, ran


def times(arrived: float, job: Job, seen: float, published: float, closed: float) -> dict[str, float]:
    """`own` is without the job and without the wait for the look that saw its end."""
    submitted, ended = epoch(job.created), epoch(job.ended)
    return {
        "submit": submitted - arrived,
        "job": ended - submitted,
        "wait": seen - ended,
        "publish": published - seen,
        "own": submitted - arrived + published - seen,
        "close": closed - published,
    }


def steps_of(files: list[tuple[float, list[Ran]]]) -> list[dict[str, Any]]:
    """The activities in their order: when they begin after the arrival without the wait, how long they last, in ms.

    `between` is what passes before each, in which the engine decides and hands over.
    """
    rows: dict[str, list[tuple[float, float]]] = {}
    for arrived, ran in files:
        before, looks = arrived, 0
        for one in sorted(ran, key=lambda one: one.begun):
            if not is_step(one):
                continue
            looks += one.name == "read_job"
            name = f"read_job ({looks})" if one.name == "read_job" else one.name
            rows.setdefault(name, []).append((one.begun - before, one.seconds))
            before = one.ended
    return [
        {
            "step": name,
            "between": round(1000 * median(gap for gap, _ in some), 1),
            "lasts": round(1000 * median(lasts for _, lasts in some), 1),
        }
        for name, some in rows.items()
    ]


def counted_calls(stack: Bench) -> dict[str, Any]:
    """What each subject asked of storage and of Azure ML, per file."""
    found: dict[str, Any] = {}
    for peer in PEERS:
        names = subjects.numbered(peer.module, COUNTED + 1)
        subjects.drop_for_peers(stack, names, sample())
        stack.calls()
        stack.count_rest()
        counting = {**stack.peers_settings(), "BENCHMARK_STORAGE": stack.app_storage}
        subjects.scored(peer, names, counting, poll=POLL)
        found[peer.name] = {
            "storage": round(len(stack.calls()) / len(names), 1),
            "rest": {name: round(count / len(names), 1) for name, count in stack.rest_calls().items()},
        }
    return {**found, OURS: our_calls(stack)}


def our_calls(stack: Bench) -> dict[str, Any]:
    """Of the file in the middle of some, so that what comes once in a while (routes, tokens) is not counted."""
    found = []
    for name in ["score/warm.csv", *subjects.numbered("counted", COUNTED)]:
        events = stack.history_events()
        stack.count_rest()
        stack.calls()
        arrived, ran = score_one(stack, name)
        calls = [call for call in stack.calls() if call.at >= arrived and step_at(ran, call.at)]
        kinds = Counter(
            (step_at(ran, call.at), call.operation, kind_of(call.container, call.blob)) for call in calls
        )
        told = [
            {"step": step, "operation": what, "kind": kind, "calls": n}
            for (step, what, kind), n in kinds.items()
        ]
        found.append(
            {
                "storage": len(calls),
                "rest": stack.rest_calls(),
                "history": stack.history_events() - events,
                **executions(ran),
                "calls": told,
            }
        )
    return sorted(found[1:], key=lambda one: one["storage"])[COUNTED // 2]


def step_at(ran: Sequence[Ran], at: float) -> str:
    """The function that was running."""
    return next((one.name for one in ran if is_step(one) and one.begun <= at <= one.ended), "")


def is_step(one: Ran) -> bool:
    """Whether it is an activity of the run, or the trigger; not the engine, a span within, or a sweep."""
    return one.name not in (*NO_STEP, *SWEEP) and not one.name.startswith("dropscore.")


def kind_of(container: str, blob: str) -> str:
    """What a blob is, without the names of files and runs: "ledger/run.json", "work/parts"."""
    folders = blob.split("/")
    if container == "ledger":
        return f"ledger/{folders[-1] if folders[0] == 'runs' else folders[0] or 'listing'}"
    if container == "work":
        return f"work/{folders[2].split('.')[0] if len(folders) > 2 else 'listing'}"
    return container
