"""The values that are written to the ledger or cross the durable boundary, as flat JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, Literal, Self

from shared import names

Word = Literal[
    "published", "unchanged", "rejected", "failed", "superseded", "withdrawn", "ignored", "canceled"
]
Outcome = Literal["succeeded", "partial", "rejected", "failed", "canceled", "timed-out", "released", "empty"]
Stage = Literal[
    "gathering", "gathered", "packed", "submitting", "searching", "submitted", "ended", "resulted", "closed"
]


def timestamp(at: datetime) -> str:
    """ISO 8601 in UTC, to the millisecond, sortable as text."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """The aware datetime of a `timestamp`."""
    return datetime.fromisoformat(text)


@dataclass(frozen=True, kw_only=True)
class Record:
    """A value with a flat JSON form. Fields may be added with defaults, never renamed: records outlive code."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def but(self, **changes: Any) -> Self:
        """The same value with some fields changed."""
        return replace(self, **changes)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Builds the value, ignoring keys a newer writer may have added."""
        known = {entry.name for entry in fields(cls)}
        return cls(**{key: value for key, value in data.items() if key in known})


@dataclass(frozen=True, kw_only=True)
class Version(Record):
    """One ETag of one inbox file. `n` is its round, `run` who scores it (None while it waits).

    `force`: somebody wants it scored though its predictions may be published.
    """

    container: str
    blob: str
    etag: str
    modified: str
    size: int
    route: str
    n: int = 1
    run: str | None = None
    force: bool = False
    schema: int = 1

    @property
    def name(self) -> str:
        return names.name_key(self.container, self.blob)

    @property
    def key(self) -> str:
        return names.version_key(self.container, self.blob, self.etag)


@dataclass(frozen=True, kw_only=True)
class Launch(Record):
    """The n-th orchestration of a run; its number fences off earlier ones. Input of `score_run`."""

    run: str
    launch: int
    route: str
    slot: int | None = None
    force: bool = False
    first: int = 1

    @property
    def tries(self) -> int:
        """How many orchestrations have carried the run since it was begun, or reopened."""
        return self.launch - self.first + 1

    @property
    def instance_id(self) -> str:
        return f"{self.run}-{self.launch}"

    def watch_id(self, number: int) -> str:
        """The sub-orchestration that waits for the launch's n-th job."""
        return f"{self.instance_id}-await-{number}"

    def notice_id(self, number: int) -> str:
        """The n-th orchestration that tells of the launch's end."""
        return f"{self.instance_id}-notice-{number}"


@dataclass(frozen=True, kw_only=True)
class Slot(Record):
    """One of a route's `max_jobs` permits; held while `run` is set."""

    run: str | None = None
    at: str = ""
    schema: int = 1


@dataclass(frozen=True, kw_only=True)
class Hold(Record):
    """Why a route's files wait although a slot is free: its endpoint, or our identity, turns us away.

    It counts for this `target` (model, deployment, datastore and workspace) only, and until `until` at the latest: then
    the next run tries again.
    `times` counts the refusals in a row; `lifted` keeps that count while the next try is under way.
    """

    route: str
    target: list[str]
    why: str
    at: str
    until: str
    times: int = 1
    lifted: bool = False
    schema: int = 1


@dataclass(frozen=True, kw_only=True)
class Heartbeat(Record):
    """The sweep that began last, and whether it has ended.

    `purged_at` says when old records were last cleared, `purged_to` which run was looked at last.
    """

    sweep: str
    at: str
    done: bool = False
    purged_at: str = ""
    purged_to: str = ""
    schema: int = 1


@dataclass(frozen=True, kw_only=True)
class Arrivals(Record):
    """How files are announced: the last probe whose event came, and how many files the sweep found without one."""

    probe: str = ""
    heard_at: str = ""
    missed: int = 0
    missed_at: str = ""
    schema: int = 1


@dataclass(frozen=True, kw_only=True)
class Owner(Record):
    """The task hub whose host works on this ledger, and the storage account the hub lies in."""

    hub: str
    storage: str
    at: str = ""
    schema: int = 1


@dataclass(frozen=True, kw_only=True)
class Run(Record):
    """The run record: the truth about one run, whatever Durable Functions believes.

    `times` says when each stage was reached last, by attempt and stage (`"1.packed"`); `oldest` when the first of its
    files was dropped; `words` how many of its files ended with each word; `forgetting`: records of its versions may be
    gone, it is not opened again.
    """

    run: str
    launch: int
    route: dict[str, Any]
    slot: int | None
    created_at: str
    force: bool = False
    stage: Stage = "gathering"
    attempt: int = 1
    attempts: int = 2
    post: int = 1
    path: str = ""
    intent_at: str = ""
    nonce: str = ""
    job: str = ""
    job_id: str = ""
    deployment: str = ""
    studio: str = ""
    raw_account: str = ""
    raw_url: str = ""
    spares: list[str] = field(default_factory=list)
    earlier_jobs: list[str] = field(default_factory=list)
    raw_etag: str = ""
    cancel: bool = False
    reopened_at: str = ""
    first_launch: int = 1
    stopping: str = ""
    progress_at: str = ""
    times: dict[str, str] = field(default_factory=dict)
    oldest: str = ""
    files: int = 0
    rows: int = 0
    parts: int = 0
    left_out: str = ""
    held: str = ""
    released: int = 0
    not_moved: dict[str, str] = field(default_factory=dict)
    failed_stage: str = ""
    why: str = ""
    job_outcome: str = ""
    result: int | None = None
    words: dict[str, int] = field(default_factory=dict)
    outcome: str = ""
    closed_at: str = ""
    forgetting: bool = False
    schema: int = 1


@dataclass(frozen=True, kw_only=True)
class Verdict(Record):
    """What a stage found out about one version of the run's plan.

    Pack writes one per version (word "" means: packed, go on); unpack writes the later words (word "" means: the job
    left it incomplete, and `why` says how). `pieces` are the version's rows in their order, each a part's name, the
    first row in it (from 0) and how many; `bad_rows` were set aside, and `problems` name the blobs that say why;
    `formulas`: a spreadsheet may take carried cells for formulas.
    """

    version: str
    blob: str
    word: str = ""
    why: str = ""
    rows: int = 0
    pieces: list[list[Any]] = field(default_factory=list)
    bad_rows: int = 0
    problems: list[str] = field(default_factory=list)
    formulas: bool = False
    sha256: str = ""
    where: str = ""

    @property
    def packed(self) -> bool:
        """Whether the model is given the version's rows."""
        return bool(self.pieces) and not self.word


CameOf = Literal["", "accepted", "refused", "given-up", "unknown", "overtaken", "unwanted", "unsigned"]


@dataclass(frozen=True, kw_only=True)
class Notice(Record):
    """What has come of telling the route's receiver that a launch has closed its run.

    `nonce` is that of a POST whose answer is not written down yet; `status` and `why` (an exception's name) are those
    of the last one. The receiver's own words are not kept.
    """

    came_of: CameOf = ""
    attempts: int = 0
    nonce: str = ""
    at: str = ""
    status: int = 0
    why: str = ""
    schema: int = 1


@dataclass(frozen=True, kw_only=True)
class Progress(Record):
    """How far pack has come with one large file: where the next row begins, and what it has found so far.

    `digests` are those of the stretches; `told` the first problems; `held` an unfinished part, to be gone on with.
    """

    table: dict[str, Any]
    offset: int
    line: int
    read: int = 0
    rows: int = 0
    pieces: list[list[Any]] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    bad_rows: int = 0
    told: list[list[Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    held: dict[str, Any] | None = None
    formulas: bool = False


@dataclass(frozen=True, kw_only=True)
class Staged(Record):
    """Predictions of some of a version's rows that lie staged under these block ids, or why they do not.

    `word` is the version's where that is known by then.
    """

    version: str
    rows: int = 0
    blocks: list[str] = field(default_factory=list)
    why: str = ""
    word: str = ""


@dataclass(frozen=True, kw_only=True)
class Gathered(Record):
    """What `gather` tells the orchestrator: how many files, until when, and how often to look (seconds)."""

    files: int
    deadline: str
    poll_at_least: float
    poll_at_most: float


@dataclass(frozen=True, kw_only=True)
class SubmitStep(Record):
    """Where submitting stands: done, given up, turned away (`held`), or to be tried (`again`) or searched for.

    The latter two after `wait` seconds.
    """

    kind: Literal["submitted", "failed", "held", "again", "searching"]
    wait: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Watch(Record):
    """Input of `await_job`: which run's job to watch, since when, until when, how often (seconds)."""

    launch: dict[str, Any]
    since: str
    deadline: str
    poll_at_least: float
    poll_at_most: float
    silent_since: str = ""
    stopped_at: str = ""


@dataclass(frozen=True, kw_only=True)
class JobView(Record):
    """What one poll saw of a job: `state` is our reading of the service's `status`, `wait` what it asks for."""

    state: str
    status: str
    cancel_wanted: bool = False
    wait: float = 0.0

    @property
    def over(self) -> bool:
        return self.state not in ("running", "silent")


@dataclass(frozen=True, kw_only=True)
class Backfill(Record):
    """Scoring what lies below a prefix, run after run: which files, how many a minute, and how far it has come.

    `last` is the name that was taken last, `before` the one before the last run's files; of the `runs` the latest
    hundred are kept. `vain` counts the runs in a row of which nothing was published, up to the portion
    `judged`; `why` says why it ended early.
    """

    id: str
    route: str
    prefix: str = ""
    force: bool = False
    per_minute: int = 1000
    last: str = ""
    before: str = ""
    files: int = 0
    portions: int = 0
    judged: int = 0
    vain: int = 0
    why: str = ""
    runs: list[str] = field(default_factory=list)
    done: bool = False

    def after_run(self, run: str, versions: list[Version]) -> Self:
        """The backfill once a run has been begun for these versions."""
        runs = [*self.runs, run][-100:]
        files = self.files + len(versions)
        place = {"last": versions[-1].blob, "before": self.last}
        return self.but(**place, files=files, portions=self.portions + 1, runs=runs)


@dataclass(frozen=True, kw_only=True)
class Listed(Record):
    """One blob of a listing."""

    key: str
    created: str
    metadata: dict[str, str] = field(default_factory=dict)
