"""What must never happen, looked at with every write and every POST; and what must have come of it all in the end."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from activities.sweeps import LAUNCHES
from shared.names import version_key
from tests.simulation.actors import Stage
from tests.simulation.azureml import REFUSED, Posted, Workspace, predicted
from tests.simulation.receiver import Receiver
from tests.simulation.storage import Blob, Change, Disk

FINAL = {"published", "unchanged", "rejected", "failed", "superseded", "withdrawn", "ignored", "canceled"}
SURELY_NOTHING = {*REFUSED, "throttled", "unreachable"}
TRACE = 400
Document = dict[str, Any]


class Broken(AssertionError):
    """A promise was broken; the message says which, and how it came to it."""


@dataclass(frozen=True)
class Dropped:
    """One version that people wrote into the inbox; `number` counts all of them."""

    number: int
    name: str
    etag: str
    data: bytes

    @property
    def key(self) -> str:
        return version_key("inbox", self.name, self.etag)

    def rows(self) -> list[list[str]]:
        """The cells of the data rows: id and x."""
        return list(csv.reader(io.StringIO(self.data.decode())))[1:]

    def inputs(self) -> list[str]:
        """What of it the model is given."""
        return [row[-1] for row in self.rows()]


@dataclass
class Promises:
    """Watches the disk and the workspace. `broken` says what was found, `stage.running` whether the app did it."""

    disk: Disk
    azureml: Workspace
    receiver: Receiver
    stage: Stage
    window: timedelta
    max_jobs: dict[str, int]
    broken: list[str] = field(default_factory=list)
    versions: dict[str, Dropped] = field(default_factory=dict)
    claimed: dict[tuple[str, int], str] = field(default_factory=dict)
    published: dict[tuple[str, int], str] = field(default_factory=dict)
    closed_at: dict[str, datetime] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.disk.watchers.append(self.written)
        self.azureml.watchers.append(self.posted)
        self.containers = {
            "predictions": self.predictions_written,
            "ledger": self.ledger_written,
            "inbox": self.inbox_written,
        }

    def dropped(self, name: str, etag: str, data: bytes) -> None:
        version = Dropped(len(self.versions), name, etag, data)
        self.versions[version.key] = version

    def must(self, holds: object, text: str) -> None:
        if not holds:
            self.broken.append(text)
            self.stage.note(f"BROKEN: {text}")

    def check(self) -> None:
        """Raises Broken with what was found and what had happened before."""
        if self.broken:
            raise Broken("\n".join([*self.broken, "", *self.stage.trace[-TRACE:]]))

    def written(self, change: Change) -> None:
        watch = self.containers.get(change.container)
        if watch and self.stage.running is not None:
            watch(change)

    # Predictions

    def predictions_written(self, change: Change) -> None:
        """Whole, newest, and never over what is not ours."""
        name = change.name
        if change.after is None:
            self.must(False, f"predictions {name}: deleted by the app")
            return
        version = self.version_in(change.after)
        self.must(version and version.name == name, f"predictions {name}: published without its version")
        if change.before is not None:
            standing = self.version_in(change.before)
            self.must(standing and standing.name == name, f"predictions {name}: written over a foreign blob")
            older = version and standing and version.number < standing.number
            self.must(not older, f"predictions {name}: an older version over a newer one")
        if version:
            self.check_content(version, change.after)

    def version_in(self, blob: Blob) -> Dropped | None:
        return self.versions.get(blob.metadata.get("dropscore_version", ""))

    def check_content(self, version: Dropped, blob: Blob) -> None:
        """Every row of the version with its own prediction, all of them by one job, which is this round's only one."""
        header, *rows = list(csv.reader(io.StringIO(blob.data.decode())))
        jobs = {row[-1].partition("@")[2] for row in rows}
        self.must(len(jobs) == 1, f"predictions {version.name}: rows of {sorted(jobs)}")
        job = self.azureml.jobs.get(min(jobs, default=""))
        if job is None:
            return
        right = [[row[0], predicted(row[1], job.name)] for row in version.rows()]
        whole = header == ["id", "twice"] and rows == right
        self.must(whole, f"predictions {version.name}: not those of version {version.etag}: {blob.data!r}")
        run, n = blob.metadata["dropscore_run"], int(blob.metadata["dropscore_round"])
        self.must(run == run_of(job.path), f"predictions {version.name}: run {run} published {job.name}")
        first = self.published.setdefault((version.key, n), job.name)
        self.must(
            first == job.name, f"predictions {version.name}: round {n} from {first} and from {job.name}"
        )

    # The ledger

    def ledger_written(self, change: Change) -> None:
        kind, _, rest = change.name.partition("/")
        before, after = (self.document(change.name, blob) for blob in (change.before, change.after))
        if kind == "versions":
            self.version_written(before, after) if after else self.version_forgotten(before or {})
        elif kind == "slots":
            self.slot_written(change.name, before, after)
        elif kind == "open" and change.after is None:
            self.must(self.is_closed(rest), f"open/{rest}: taken out of the index before it is closed")
        elif kind == "waiting" and change.after is None:
            self.marker_deleted(change)
        elif kind == "runs":
            self.run_written(change, before, after)

    def version_written(self, before: Document | None, after: Document) -> None:
        """One run per round; a run loses a version only once it is closed, or gives it back with a marker."""
        key, n, run = key_of(after), after["n"], after["run"]
        if run is not None:
            first = self.claimed.setdefault((key, n), run)
            self.must(first == run, f"version {key}: round {n} claimed by {first} and by {run}")
        else:
            marked = self.marker(after["route"], key, n)
            self.must(marked, f"version {key}: waits in round {n} without a marker")
        if before is None:
            return
        self.must(n >= before["n"], f"version {key}: from round {before['n']} back to {n}")
        if before["run"] not in (None, run) and run is not None:
            self.must(
                self.is_closed(before["run"]), f"version {key}: taken from {before['run']}, which is open"
            )

    def version_forgotten(self, before: Document) -> None:
        """Only of a closed run, and only once the version is gone from the inbox."""
        key = key_of(before)
        self.must(self.is_closed(before["run"] or ""), f"version {key}: forgotten before its run is closed")
        standing = self.disk.standing("inbox", before["blob"])
        there = standing and standing.etag == before["etag"]
        self.must(not there, f"version {key}: forgotten, and it lies in the inbox")
        self.forgotten.add(key)
        self.claimed = {one: run for one, run in self.claimed.items() if one[0] != key}

    def slot_written(self, name: str, before: Document | None, after: Document | None) -> None:
        """A slot passes from run to run only by being free, and is freed only by a closed run."""
        held = (before or {}).get("run")
        if after is None or held is None or after["run"] == held:
            return
        self.must(after["run"] is None, f"{name}: passed from {held} to {after['run']} without being free")
        self.must(self.is_closed(held), f"{name}: freed before {held} is closed")

    def marker_deleted(self, change: Change) -> None:
        """Only where a run has taken the version, even if that was forgotten since."""
        key, _, n = change.name.rsplit("/", 1)[1].partition(".")
        record = self.record(key)
        taken = key in self.forgotten or (
            record and (record["n"] > int(n) or (record["n"] == int(n) and record["run"] is not None))
        )
        self.must(taken, f"{change.name}: deleted while the version waits")

    def run_forgotten(self, run: str) -> None:
        """An idempotency key may bring it back: what it did before is no longer its."""
        self.gone.update(job.name for job in self.azureml.jobs.values() if run_of(job.path) == run)
        for notice in [notice for notice in self.receiver.accepted if notice.startswith(f"{run}-")]:
            del self.receiver.accepted[notice]

    def run_written(self, change: Change, before: Document | None, after: Document | None) -> None:
        _, run, file = change.name.split("/")
        if change.after is None:
            kept = [record for record in self.records() if record["run"] == run]
            self.must(not kept, f"{change.name}: forgotten, and versions name its run")
            if file == "run.json":
                self.run_forgotten(run)
            return
        if file.startswith("notice-"):
            return
        if file != "run.json":
            self.must(change.before is None, f"{change.name}: written twice")
            return
        if after is None or before is None:
            return
        self.must(after["launch"] >= before["launch"], f"{change.name}: back to launch {after['launch']}")
        if after["stage"] == "closed" and before["stage"] != "closed":
            self.closed_at[run] = self.stage.now
            lost = sorted(self.claimed_by(run) - set(self.words(after)))
            self.must(not lost, f"run {run}: closed, and {lost} have neither word nor marker")

    def claimed_by(self, run: str) -> set[str]:
        """The versions whose records name the run, but for those whose markers still stand: they go on waiting."""
        mine = [record for record in self.records() if record["run"] == run]
        return {key_of(one) for one in mine if not self.marker(one["route"], key_of(one), one["n"])}

    # The inbox

    def inbox_written(self, change: Change) -> None:
        """An input goes only after its word is written, and only to where it can be found again."""
        self.must(change.after is None, f"inbox {change.name}: written by the app")
        if change.before is None or change.after is not None:
            return
        key = version_key("inbox", change.name, change.before.etag)
        run = self.run((self.record(key) or {}).get("run") or "")
        word = self.words(run).get(key, "") if run else ""
        self.must(
            word in ("published", "unchanged", "rejected"), f"inbox {change.name}: removed with word {word!r}"
        )
        if word == "rejected":
            found = self.disk.standing("rejected", change.name)
            self.must(found and found.data == change.before.data, f"inbox {change.name}: not in rejected")
            note = self.disk.standing("rejected", f"{change.name}.why.txt")
            self.must(note, f"inbox {change.name}: no reason in rejected")
        else:
            kept = [blob.data for blob in self.disk.container("archive").values()]
            self.must(change.before.data in kept, f"inbox {change.name}: not in archive")

    # Jobs

    def posted(self, posted: Posted) -> None:
        """Only for the run's own versions, at most twice an attempt, a second one only after a search in vain."""
        run = self.run(run_of(posted.path))
        if run is None:
            self.must(False, f"POST for {posted.path}, which no run knows")
            return
        own = {key_of(record) for record in self.records() if record["run"] == run["run"]} - self.forgotten
        mine = {row for key in own for row in self.versions[key].inputs()}
        for part, rows in posted.inputs.items():
            self.must(mine.issuperset(rows), f"POST for {posted.path}: {part} is of no version of the run")
        if posted.outcome in SURELY_NOTHING:
            return
        earlier = [
            one
            for one in self.azureml.posted
            if one is not posted
            and attempt_of(one.path) == attempt_of(posted.path)
            and one.outcome not in SURELY_NOTHING
        ]
        self.must(len(earlier) < 2, f"POST for {posted.path}: the third of its attempt")
        self.must(
            all(one.path != posted.path for one in earlier), f"POST for {posted.path}: a second on its path"
        )
        for one in earlier:
            self.check_second(one, run)
        self.check_slots(run)

    def check_second(self, first: Posted, run: Document) -> None:
        """The job of an earlier POST must have ended by pre-emption, or not have shown itself in its search window."""
        job = first.job
        if job is None or job.name in run["earlier_jobs"]:
            return
        shown = job.visible <= first.at + self.window
        self.must(not shown, f"run {run['run']}: a second POST although {job.name} could be found")

    def check_slots(self, run: Document) -> None:
        under_way = [
            one["run"]
            for one in self.runs()
            if one["slot"] is not None
            and one["route"]["name"] == run["route"]["name"]
            and one["stage"] in ("submitting", "searching", "submitted", "ended")
        ]
        most = self.max_jobs[run["route"]["name"]]
        self.must(len(under_way) <= most, f"route {run['route']['name']}: {under_way} are under way at once")

    def check_wakes(self) -> None:
        """Where nothing has gone wrong and nothing can go on by itself, no file waits beside a free slot."""
        ledger = self.disk.container("ledger")
        for route, slots in self.max_jobs.items():
            waiting = [name for name in ledger if name.startswith(f"waiting/{route}/")]
            held = [
                name for name, one in ledger.items() if name.startswith(f"slots/{route}/") and slot_run(one)
            ]
            self.must(
                not waiting or len(held) == slots, f"{waiting} wait beside a free slot: a wake-up is lost"
            )

    # The end

    def check_end(self) -> None:
        """When everything has come to rest: nothing waits, nothing is held, every version has its one word."""
        for problem in self.left_over():
            self.must(False, f"at rest: {problem}")
        self.check_words()
        self.check_jobs()
        self.check_notices()

    def left_over(self) -> list[str]:
        """What is still to be done, as the ledger and the inbox show it."""
        ledger = self.disk.container("ledger")
        left = [
            f"still there: {name}" for name in ledger if name.startswith(("waiting/", "open/", "untold/"))
        ]
        slots = [(name, blob) for name, blob in ledger.items() if name.startswith("slots/")]
        left += [f"still held: {name}" for name, blob in slots if slot_run(blob)]
        inbox = self.disk.container("inbox").items()
        standing = {version_key("inbox", name, blob.etag) for name, blob in inbox}
        unknown = standing - {key_of(record) for record in self.records()}
        return left + [f"never looked at: {self.versions[key]}" for key in sorted(unknown)]

    def check_words(self) -> None:
        runs = {run["run"]: self.words(run) for run in self.runs() if run["stage"] == "closed"}
        for record in self.records():
            key = key_of(record)
            word = runs.get(record["run"], {}).get(key)
            self.must(word in FINAL, f"version {key} of {record['blob']}: its word is {word!r}")
            if word == "published":
                self.must((key, record["n"]) in self.published, f"version {key}: published, but it never was")
            if word == "unchanged":
                alike = {self.versions[one].data for one, _ in self.published}
                self.must(self.versions[key].data in alike, f"version {key}: unchanged, but never published")

    def check_jobs(self) -> None:
        """A job that nobody adopted was canceled, or could not be seen before its run was closed or given up."""
        for job in self.azureml.jobs.values():
            run = self.run(run_of(job.path))
            if run is None or job.name == run["job"] or job.name in {*run["earlier_jobs"], *self.gone}:
                continue
            unseen = job.visible >= self.closed_at.get(run["run"], self.stage.now)
            given_up = run["launch"] - run["first_launch"] >= LAUNCHES
            excused = unseen or given_up or "submission-unknown" in run["why"]
            self.must(excused or job.cancel_asked, f"run {run['run']}: {job.name} is nobody's and runs on")

    def check_notices(self) -> None:
        """No launch was told of twice, and of each that closed its run it is known what came of telling."""
        for notice, times in self.receiver.accepted.items():
            self.must(times == 1, f"notice {notice}: accepted {times} times")
        for run in self.runs():
            if run["route"]["name"] != "single" or not run["route"].get("model"):
                continue
            told = self.document_at(f"runs/{run['run']}/notice-{run['launch']}.json") or {}
            self.must(told.get("came_of"), f"run {run['run']}: closed, and nobody was told: {told}")
            accepted = self.receiver.accepted[f"{run['run']}-{run['launch']}"]
            said = told.get("came_of") == "accepted"
            self.must(accepted or not said, f"run {run['run']}: its notice was never accepted")

    # Reading the ledger

    def document(self, name: str, blob: Blob | None) -> Document | None:
        return json.loads(blob.data) if blob and name.endswith(".json") else None

    def document_at(self, key: str) -> Document | None:
        return self.document(key, self.disk.standing("ledger", key))

    def run(self, run: str) -> Document | None:
        return self.document_at(f"runs/{run}/run.json")

    def runs(self) -> Iterator[Document]:
        for name, blob in self.disk.container("ledger").items():
            if name.endswith("/run.json"):
                yield json.loads(blob.data)

    def records(self) -> Iterator[Document]:
        for name, blob in self.disk.container("ledger").items():
            if name.startswith("versions/"):
                yield json.loads(blob.data)

    def record(self, key: str) -> Document | None:
        return self.document_at(f"versions/{key[:26]}/{key}.json")

    def marker(self, route: str, key: str, n: int) -> Blob | None:
        return self.disk.standing("ledger", f"waiting/{route}/{key}.{n}")

    def is_closed(self, run: str) -> bool:
        found = self.run(run)
        return found is not None and found["stage"] == "closed"

    def words(self, run: Document) -> dict[str, str]:
        """The run's words by version, as its current result has them."""
        found = self.disk.standing("ledger", f"runs/{run['run']}/result-{run['result']}.jsonl")
        lines = [json.loads(line) for line in found.data.splitlines()] if found else []
        return {line["version"]: line["word"] for line in lines}


def slot_run(slot: Blob) -> str | None:
    found: str | None = json.loads(slot.data)["run"]
    return found


def key_of(record: Document) -> str:
    return version_key(record["container"], record["blob"], record["etag"])


def run_of(path: str) -> str:
    """The run of an output path: `dropscore/{run}/{attempt}/{post}/…`."""
    return path.split("/")[1]


def attempt_of(path: str) -> list[str]:
    return path.split("/")[1:3]
