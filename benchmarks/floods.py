"""Many small files at once through the stack, and through a peer."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks import subjects
from benchmarks.host import Ran
from benchmarks.stack import Bench, epoch, until
from benchmarks.subjects import Peer
from local.azureml.jobs import Job

SMALL_ROWS = 14
DROPPED_AT_ONCE = 8
LOOKED_AT = 50


@dataclass(frozen=True, kw_only=True)
class Flood:
    """What became of so many files, all announced at once: `seconds` to the last predictions, `closed` to the end.

    `lost` have no predictions, or others than they should. `node` are the node-seconds of all jobs. `executions` of
    functions took `busy` seconds, added up. `operations` on storage are counted where there is a proxy.
    """

    files: int
    start: float
    seconds: float
    closed: float
    jobs: int
    node: float
    lost: int
    cpu: float
    peak: float
    storage_cpu: float
    executions: int
    busy: float
    operations: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def small(number: int) -> bytes:
    """About 480 bytes whose first number says which file it is."""
    lines = (f"r{row:03d},{number}.0,{row}.5,3.125,4.0625\n" for row in range(SMALL_ROWS))
    return ("id,a,b,c,d\n" + "".join(lines)).encode()


def predictions(number: int) -> bytes:
    lines = (f"r{row:03d},{number + row + 7.6875:.6f}\n" for row in range(SMALL_ROWS))
    return ("id,score\n" + "".join(lines)).encode()


def flood(stack: Bench, files: int, start: float, seconds: float) -> Flood:
    """Drops the files, then says so of all of them. Stops the program where they take longer than `seconds`."""
    names = subjects.numbered("flood", files)
    dropped(stack, names, "inbox")
    stack.start_nodes_after(start)
    earlier = len(stack.jobs())
    stack.ran()
    if stack.storage_faults:
        stack.calls()
    host, azurite = stack.meter("host"), stack.meter("azurite")
    begun = stack.announce(names)
    ran = ended(stack, files, seconds)
    used, jobs = host.read(), stack.jobs()[earlier:]
    return Flood(
        files=files,
        start=start,
        seconds=round(max(one.ended for one in ran if one.name == "dropscore.publish_file") - begun, 3),
        closed=round(max(one.ended for one in ran if one.name == "close_run") - begun, 3),
        jobs=len(jobs),
        node=round(stack.node_seconds(jobs, start), 3),
        lost=lost(stack, names),
        cpu=used.cpu,
        peak=used.peak,
        storage_cpu=azurite.read().cpu,
        **executions(ran),
        operations=operations(stack),
    )


def executions(ran: Sequence[Ran]) -> dict[str, Any]:
    """How many executions of functions there were, and the seconds of all of them."""
    functions = [one for one in ran if not one.name.startswith("dropscore.")]
    return {"executions": len(functions), "busy": round(sum(one.seconds for one in functions), 3)}


def operations(stack: Bench) -> dict[str, int]:
    """The calls to storage since they were last asked for, by what they do; none where nobody counts."""
    return dict(Counter(call.operation for call in stack.calls())) if stack.storage_faults else {}


def ended(stack: Bench, files: int, seconds: float) -> list[Ran]:
    """What ran until as many files were published and no run is left open."""
    ran: list[Ran] = []

    def over() -> bool:
        ran.extend(stack.ran())
        begun, closed = (sum(one.name == name for one in ran) for name in ("authenticate", "close_run"))
        published = sum(one.name == "dropscore.publish_file" for one in ran)
        return published >= files and begun == closed

    until(over, f"the predictions of {files} files", seconds, every=0.25)
    return ran


def dropped(stack: Bench, names: Sequence[str], container: str) -> None:
    with ThreadPoolExecutor(DROPPED_AT_ONCE) as threads:
        list(threads.map(lambda at: stack.drop(names[at], small(at), container), range(len(names))))


def lost(stack: Bench, names: Sequence[str]) -> int:
    """How many files have no predictions; of some, spread over all, the predictions are read."""
    standing = set(stack.container("predictions").list_blob_names())
    missing = [name for name in names if name not in standing]
    some = range(0, len(names), max(1, len(names) // LOOKED_AT))
    wrong = [at for at in some if names[at] in standing and read(stack, names[at]) != predictions(at)]
    return len(missing) + len(wrong)


def read(stack: Bench, name: str) -> bytes:
    return stack.container("predictions").get_blob_client(name).download_blob().readall()


def peer_flood(
    stack: Bench, peer: Peer, files: int, start: float, at_once: int, poll: float
) -> dict[str, Any]:
    """The same of a peer, a job for every file, after one that warms it up and does not count."""
    names = subjects.numbered(peer.module, files + 1)
    dropped(stack, names, "peers-inbox")
    stack.start_nodes_after(start)
    earlier = len(stack.jobs())
    azurite = stack.meter("azurite")
    run = subjects.scored(peer, names, stack.peers_settings(), poll=poll, at_once=at_once)
    jobs = stack.jobs()[earlier + 1 :]
    first = min(file["arrived"] for file in run.files[1:])
    return {
        "files": files,
        "start": start,
        "at_once": at_once,
        "seconds": round(max(file["published"] for file in run.files) - first, 3),
        "jobs": len(jobs),
        "node": round(stack.node_seconds(jobs, start), 3),
        "job_seconds": round(sum(map(job_seconds, jobs)), 3),
        "cpu": run.cpu,
        "peak": run.peak,
        "storage_cpu": azurite.read().cpu,
    }


def job_seconds(job: Job) -> float:
    return epoch(job.ended) - epoch(job.created)
