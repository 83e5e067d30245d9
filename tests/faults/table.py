"""The fault matrix: what goes wrong in a row, what is given to the app meanwhile, and what must come of it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.e2e.drops import INVOKE
from tests.faults import acts
from tests.faults.conftest import Faulty

Fault = dict[str, object]
Act = Callable[[Faulty], None]

LOOK = "GET /endpoints/[^/]+/jobs/"
LIST = r"GET /subscriptions/.*/jobs\?"
TOKEN = "GET /msi/token"


@dataclass(frozen=True)
class Row:
    """Files by route, the faults of Azure ML and of storage, and the words and jobs that must come of them.

    `before` is done once the faults are in force, before files are dropped; `act` while they are scored. `jobs` is how
    many are made, None where that depends on the moment; words that are `alike` count as the others. Where `quick`, the
    row is of the fast tier.
    """

    azureml: tuple[Fault, ...] = ()
    storage: tuple[Fault, ...] = ()
    files: dict[str, int] = field(default_factory=lambda: {"double": 1})
    words: dict[str, int] | None = None
    jobs: int | None = 1
    before: Act | None = None
    act: Act | None = None
    quick: bool = False
    seconds: float = 240
    alike: dict[str, str] = field(default_factory=dict)
    why: str = ""

    @property
    def expected(self) -> Counter[str]:
        return Counter(self.words if self.words is not None else {"published": sum(self.files.values())})


def fault(do: str, on: str, **more: Any) -> Fault:
    return {"do": do, "on": on, **more}


def invoke(do: str, **more: Any) -> Fault:
    return fault(do, INVOKE, **more)


def refused(status: int, on: str, **more: Any) -> Fault:
    return fault("answer", on, status=status, **more)


def throttled(header: str, status: int = 429) -> Row:
    return Row(azureml=(invoke("answer", status=status, headers={"Retry-After": header}),))


def in_three_seconds() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)


FAILED = {"failed": 1}
SHARED = {"named": 3}

SUBMISSION = {
    "the answer is lost, the job is made": Row(azureml=(invoke("reset", after=True),), quick=True),
    "the answer is lost five times over": Row(azureml=(invoke("reset", after=True, times=5),)),
    "the connection is reset, no job is made": Row(azureml=(invoke("reset"),)),
    "500, and the job is made": Row(azureml=(invoke("answer", status=500, after=True),)),
    "503, and none is made": Row(azureml=(invoke("answer", status=503),)),
    "the answer ends halfway": Row(azureml=(invoke("cut"),)),
    "the answer takes five seconds": Row(azureml=(invoke("slow", seconds=5, after=True),)),
    "the answer sends elsewhere": Row(
        azureml=(invoke("answer", status=302, headers={"Location": "http://127.0.0.1:9/"}),)
    ),
    "the job is made after the client has gone": Row(azureml=(invoke("late", seconds=1),)),
    "the job is made long after": Row(azureml=(invoke("late", seconds=11),), jobs=2),
    "the job cannot be seen for two seconds": Row(
        azureml=(invoke("reset", after=True), fault("hide", "double/", seconds=2))
    ),
    "the job cannot be seen in its search window": Row(
        azureml=(invoke("reset", after=True), fault("hide", "double/", seconds=11)), jobs=2
    ),
    "the list answers 400 at first": Row(azureml=(invoke("reset", after=True), refused(400, LIST))),
    "the list answers 403 at first": Row(azureml=(invoke("reset", after=True), refused(403, LIST))),
    "the list cannot be read for long": Row(
        azureml=(invoke("reset", after=True), refused(403, LIST, times=None)),
        act=acts.calm_after(25),
        words=FAILED,
        why="submission-unknown",
    ),
    "429": Row(azureml=(invoke("answer", status=429),)),
    "429, for a second": throttled("1"),
    "429, until a date": throttled(in_three_seconds()),
    "429, for no time": throttled("0"),
    "401": Row(azureml=(refused(401, INVOKE),)),
    "403 twice": Row(azureml=(refused(403, INVOKE, times=2),)),
    "404": Row(azureml=(refused(404, INVOKE),)),
    "400": Row(azureml=(refused(400, INVOKE),), words=FAILED, jobs=0, why="refused the job: 400"),
    "no token at first": Row(azureml=(refused(500, TOKEN, times=3),), before=acts.restart_host),
    "the token is refused": Row(
        azureml=(refused(400, TOKEN, times=2),), before=acts.restart_host, seconds=240
    ),
}

LOOKS = {
    "a look is answered 500 three times": Row(azureml=(refused(500, LOOK, times=3),)),
    "a look is answered 401 once": Row(azureml=(refused(401, LOOK),)),
    "a look is answered 429 with a wish": Row(azureml=(refused(429, LOOK, headers={"Retry-After": "2"}),)),
    "a look is reset twice": Row(azureml=(fault("reset", LOOK, times=2),)),
    "a look ends halfway": Row(azureml=(fault("cut", LOOK, times=2),)),
    "a look takes three seconds": Row(azureml=(fault("slow", LOOK, seconds=3),)),
    "a look is sent elsewhere": Row(
        azureml=(refused(302, LOOK, headers={"Location": "http://127.0.0.1:9/"}),)
    ),
}

JOBS = {
    "the job does not respond for a while": Row(azureml=(fault("show", "", shows=[["NotResponding", 3]]),)),
    "the job has a status nobody knows": Row(azureml=(fault("show", "", shows=[["Mystery", 3]]),)),
    "the job's status goes backwards": Row(
        azureml=(fault("show", "", shows=[["Running", 1], ["Queued", 1], ["Preparing", 1]]),)
    ),
    "the job fails": Row(azureml=(fault("fail", "", message="ValueError"),), words=FAILED, why="failed"),
    "a shared job fails": Row(azureml=(fault("fail", ""),), files=SHARED, jobs=2),
    "somebody cancels the job": Row(azureml=(fault("cancel", ""),), words={"canceled": 1}),
    "the job is pre-empted": Row(azureml=(fault("preempt", ""),), jobs=2, quick=True),
    "the job never ends": Row(files={"endless": 1}, words=FAILED, why="deadline"),
    "a mini-batch takes too long": Row(files={"hanging": 1}, words=FAILED, why="failed"),
}

OUTPUTS = {
    "the output is missing": Row(azureml=(fault("lose", ""),), words=FAILED, why="wrote nothing"),
    "the output comes late": Row(azureml=(fault("delay", "", seconds=2),), act=acts.rerun_failed),
    "the output ends within a row": Row(azureml=(fault("truncate", ""),), words=FAILED),
    "a row is missing": Row(azureml=(fault("drop-row", ""),), words=FAILED, why="2 of 3 rows", quick=True),
    "a row comes twice": Row(azureml=(fault("double-row", ""),), words=FAILED, why="more than 3 rows"),
    "a row of nobody's": Row(azureml=(fault("add-row", ""),), words=FAILED),
    "rows with numbers come in another order": Row(
        azureml=(fault("shuffle", ""),), files={"rows": 2}, jobs=None
    ),
    "rows with numbers change places": Row(azureml=(fault("swap-rows", ""),), files={"rows": 1}),
    "rows with numbers come twice": Row(azureml=(fault("repeat-batch", ""),), files={"rows": 2}, jobs=None),
    "a numbered row is missing": Row(azureml=(fault("drop-row", ""),), files={"rows": 2}, jobs=2),
    "a mini-batch comes twice": Row(azureml=(fault("repeat-batch", ""),), files=SHARED, jobs=2),
    "a mini-batch is missing": Row(azureml=(fault("drop-batch", ""),), files=SHARED, jobs=2),
    "keyed rows come twice": Row(azureml=(fault("double-row", ""),), files={"keyed": 1}),
}

LEDGER, PREDICTIONS = "PUT /[^/]+/ledger/", "PUT /[^/]+/predictions/"
ANYTHING = "^(GET|PUT|HEAD|DELETE) /"
STORAGE = {
    **{
        f"the ledger answers {status} now and then": Row(
            storage=(refused(status, LEDGER, chance=0.3, times=8),),
            files={"double": 2, "named": 2},
            jobs=None,
            quick=status == 503,
            # What says that something is there which is not makes the app look twice: nothing is scored again.
            alike={"unchanged": "published"} if status in (409, 412) else {},
        )
        for status in (409, 412, 429, 500, 503)
    },
    **{
        f"writing predictions is answered {status}": Row(storage=(refused(status, PREDICTIONS, times=2),))
        for status in (409, 412, 429, 500, 503)
    },
    "the ledger's connections are reset before the effect": Row(
        storage=(fault("reset", LEDGER, chance=0.3, times=8),), files={"double": 2}, jobs=2
    ),
    "the ledger's connections are reset after the effect": Row(
        storage=(fault("reset", LEDGER, chance=0.3, times=8, after=True),),
        files={"double": 2, "named": 2},
        jobs=None,
    ),
    "publishing is reset after the effect": Row(storage=(fault("reset", PREDICTIONS, after=True),)),
    "publishing is reset before it": Row(storage=(fault("reset", PREDICTIONS, times=3),)),
    "the input's read ends halfway": Row(storage=(fault("cut", "GET .*/inbox/", times=2),)),
    "raw predictions' read ends halfway": Row(storage=(fault("cut", "GET .*/azureml/", times=2),)),
    "moving the input is reset after it is gone": Row(
        files={"archived": 1}, storage=(fault("reset", "DELETE .*/inbox/", after=True),)
    ),
    "a fifth of everything is throttled": Row(
        storage=(refused(503, ANYTHING, chance=0.2, times=60),), files={"double": 2, "named": 2}, jobs=None
    ),
    "everything is slow": Row(
        storage=(fault("slow", ANYTHING, seconds=0.5, chance=0.2, times=60),), files=SHARED, jobs=None
    ),
    "storage is away for thirty seconds": Row(act=acts.away("azurite", 30), jobs=None, seconds=180),
    "Azure ML is away for ten seconds": Row(act=acts.away("azureml", 10), jobs=None),
}

PEOPLE = {
    "the file is overwritten while it is scored": Row(
        act=acts.overwrite, words={"published": 2}, jobs=2, quick=True
    ),
    "the file is deleted while it is scored": Row(act=acts.delete, words={"published": 1}),
    "the predictions are leased": Row(
        act=acts.lease_predictions, words={"published": 1, "failed": 1}, jobs=2, why="Lease"
    ),
    "a blob of somebody's stands in the way": Row(before=acts.foreign_blob, words=FAILED, why="not ours"),
    "a bad file among good ones": Row(
        act=acts.drop_bad, files=SHARED, words={"published": 3, "rejected": 1}, jobs=None
    ),
    "the host is killed": Row(act=acts.kill_host, files=SHARED, jobs=None),
    "the same event comes fifty times": Row(act=acts.repeat_event),
}

MATRIX: dict[str, Row] = {**SUBMISSION, **LOOKS, **JOBS, **OUTPUTS, **STORAGE, **PEOPLE}
