"""A trial: a few rows that a route's model scores to prove that it can. It has no file, and nothing is published."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from shared.names import output_path
from shared.records import Record, Run, moment
from shared.routes import Route

LARGEST_SAMPLE = 100_000
# A cluster that has to begin with building its image takes half an hour.
ENDS_WITHIN = timedelta(hours=2)
# A job may be unknown for a moment after it was made; who may not read it finds that out by then.
UNREAD_AT_MOST = 5
SOONEST_LOOK, LATEST_LOOK = timedelta(seconds=1), timedelta(seconds=30)


@dataclass(frozen=True, kw_only=True)
class Trial(Record):
    """Input, state and output of the orchestration `trial`. The rows themselves lie in `work`, below its id.

    `frozen` is the route as it was at the beginning; `status` the job's, as Azure ML shows it; `unread` counts the
    looks in a row that were refused; `advice` says what to type, `left` what could not be cleaned up.
    """

    id: str
    route: str
    frozen: dict[str, Any]
    begun_at: str
    rows: int = 0
    job: str = ""
    job_id: str = ""
    studio: str = ""
    status: str = ""
    raw_account: str = ""
    raw_url: str = ""
    over: bool = False
    unread: int = 0
    outcome: Literal["", "succeeded", "failed", "canceled"] = ""
    why: str = ""
    advice: str = ""
    left: list[str] = field(default_factory=list)

    @property
    def shown(self) -> dict[str, Any]:
        """What fits into a custom status (16 KB): without the route's columns."""
        return self.but(frozen={}).to_dict()

    @property
    def run(self) -> Run:
        """The same, as functions for runs want it. The ledger knows of no such run."""
        return Run(
            run=self.id,
            launch=1,
            route=self.frozen,
            slot=None,
            created_at=self.begun_at,
            files=1,
            rows=self.rows,
            path=output_path(self.id, 1, 1),
            job=self.job,
            job_id=self.job_id,
            raw_account=self.raw_account,
            raw_url=self.raw_url,
        )

    @property
    def of(self) -> Route:
        return Route.from_dict(self.frozen)

    def failed(self, why: str, advice: str = "") -> "Trial":
        return self.but(outcome="failed", why=why, advice=advice)

    def late(self, now: datetime) -> bool:
        return now - moment(self.begun_at) > ENDS_WITHIN

    def next_look(self, now: datetime) -> datetime:
        """A tenth of the time waited so far, within limits."""
        waited = (now - moment(self.begun_at)) / 10
        return now + min(max(waited, SOONEST_LOOK), LATEST_LOOK)
