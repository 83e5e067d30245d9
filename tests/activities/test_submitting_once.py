"""Whole runs, from the waiting file to the close, for every answer that a POST may get.

The orchestrator runs on a virtual clock; the activities, storage and the emulated workspace are real.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from activities.inbox import dispose_inputs
from activities.jobs import find_job, give_up_job, read_job, stop_job, submit_job
from activities.parts import pack
from activities.predictions import unpack
from activities.runs import (
    authenticate,
    close_run,
    gather,
    kick,
    write_results,
)
from orchestrators.score_run import score_run
from shared import azureml, clients
from shared.records import Run
from shared.routes import Route
from tests import durable
from tests.activities.conftest import App
from tests.activities.durable_client import Client, called
from tests.activities.stages import jobs
from tests.durable import FakeContext, World, name_of

ACTIVITIES: list[Any] = [
    *(authenticate, gather, pack, submit_job, find_job, read_job, stop_job, give_up_job),
    *(unpack, write_results, dispose_inputs),
]
WINDOW = 600.0


def answer(
    status: int, body: Any = "", *, create: bool = False, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """A canned answer to one POST; a job is made only where `create` says so."""
    return {"do": "answer", "status": status, "after": create, "headers": headers or {}, "body": body}


def throttled(seconds: int) -> dict[str, Any]:
    return answer(429, headers={"Retry-After": f"{seconds}"})


LOST, NEVER_ARRIVED = {"do": "reset", "after": True}, {"do": "reset"}


@dataclass(frozen=True)
class Row:
    """What the POSTs are answered in turn, and what comes of it; what is not said is as in a plain success."""

    answers: list[dict[str, Any]]
    outcome: str = "succeeded"
    jobs: int = 1
    posts: int = 1
    waited: float = 0
    waits: list[str] = field(default_factory=list)
    why: str = ""


ROWS: dict[str, Row] = {
    "201": Row([]),
    "429": Row([answer(429)], waited=30),
    "429 with a wish": Row([throttled(17)], waited=17),
    "429 with a wish for an hour": Row([throttled(3600)], waited=600),
    "429 three times": Row([answer(429)] * 3, waited=90),
    **{
        f"{status}": Row([answer(status, "no")], "failed", jobs=0, why=f"refused the job: {status} no")
        for status in (400, 405, 413, 415, 422)
    },
    **{
        f"{status}": Row([answer(status, "no")], "released", jobs=0, waits=["double/a.csv"])
        for status in (401, 403, 404)
    },
    "answer lost, job made": Row([LOST]),
    "answer lost, no job": Row([NEVER_ARRIVED], posts=2, waited=WINDOW),
    "500, job made": Row([answer(500, create=True)]),
    "500, no job": Row([answer(500)], posts=2, waited=WINDOW),
    "302": Row([answer(302, headers={"Location": "/elsewhere"})], posts=2, waited=WINDOW),
    "unreadable 201, job made": Row([answer(201, "<html>", create=True)]),
    "unreadable 201, no job": Row([answer(201, "<html>")], posts=2, waited=WINDOW),
    "lost twice, second job made": Row([NEVER_ARRIVED, LOST], posts=2, waited=WINDOW),
    "lost twice, no job": Row(
        [NEVER_ARRIVED, answer(503)], "failed", jobs=0, posts=2, waited=2 * WINDOW, why="not accepted"
    ),
    "lost, then throttled": Row([NEVER_ARRIVED, throttled(17)], posts=2, waited=WINDOW + 17),
    "lost, then refused": Row(
        [NEVER_ARRIVED, answer(400, "no")], "failed", jobs=0, posts=2, waited=WINDOW, why="refused the job"
    ),
    "lost, then barred": Row(
        [NEVER_ARRIVED, answer(403)], "released", jobs=0, posts=2, waited=WINDOW, waits=["double/a.csv"]
    ),
}


class Whole:
    """The app on a virtual clock, with one file that waits."""

    def __init__(self, app: App, route: Route, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app = app
        self.route = route
        self.client = Client()
        self.world = World({name_of(activity): activity for activity in ACTIVITIES})
        self.world.now = app.now()
        self.world.activities["read_job"] = self.look
        self.world.activities["close_run"] = lambda given: called(close_run, given, self.client)
        self.posted: list[datetime] = []
        monkeypatch.setattr(clients, "now", lambda: self.world.now)
        monkeypatch.setattr(azureml, "invoke", self.watched(azureml.invoke))
        monkeypatch.setattr(azureml, "CONNECT_PAUSES", (0, 0, 0))
        monkeypatch.setenv("DROPSCORE_SEARCH_WINDOW", f"{WINDOW:.0f}s")
        clients.settings.cache_clear()
        app.set_routes(route)
        app.wait("double/a.csv")

    def watched(self, invoke: Callable[..., azureml.Answer]) -> Callable[..., azureml.Answer]:
        """Remembers when each POST was made."""

        def noted(*given: Any) -> azureml.Answer:
            self.posted.append(self.world.now)
            return invoke(*given)

        return noted

    def look(self, given: Any) -> Any:
        """Gives the job time of its own, for its clock is the machine's."""
        time.sleep(0.02)
        return read_job(given)

    def scored(self) -> Run:
        """The record of the run that takes the file, after its end."""
        [launch] = kick(self.route)
        context = FakeContext(self.world, launch.to_dict(), launch.instance_id)
        durable.run(score_run, context)
        return self.app.run(launch)


def answering(app: App, answers: list[dict[str, Any]]) -> None:
    plan = {"faults": [{"on": "POST /endpoints/", **answer} for answer in answers]}
    requests.put(f"{app.emulator.url}/control/faults", json=plan, timeout=10).raise_for_status()


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_comes_of_a_post(app: App, row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Whole(app, app.route(), monkeypatch)
    answering(app, row.answers)
    run = whole.scored()
    assert run.outcome == row.outcome
    assert row.why in run.why
    assert len(jobs(app, run.run)) == row.jobs
    assert (run.job != "", run.post) == (row.jobs == 1, row.posts)
    first, last = whole.posted[0], moment_of_end(whole, row)
    assert row.waited <= (last - first).total_seconds() < row.waited + 30
    assert [version.blob for version in app.ledger.waiting("double")] == row.waits
    assert (app.ledger.held(app.route()) is not None) == bool(row.waits)
    assert app.exists("predictions", "double/a.csv") == (row.outcome == "succeeded")


def moment_of_end(whole: Whole, row: Row) -> datetime:
    """When submitting was over: at the last POST, or at the end of the search that gave up."""
    return whole.world.called("find_job")[-1].at if "not accepted" in row.why else whole.posted[-1]


def test_a_connection_that_was_never_made_releases_the_file(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Whole(app, app.route(model="http://127.0.0.1:9/jobs"), monkeypatch)
    run = whole.scored()
    assert (run.outcome, run.job, run.released) == ("released", "", 1)
    assert [version.n for version in app.ledger.waiting("double")] == [2]
    assert app.ledger.held(whole.route) is not None
    assert whole.client.started == {}


def test_a_list_that_can_never_be_read_leaves_it_to_a_person(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DROPSCORE_WORKSPACE")
    whole = Whole(app, app.route(), monkeypatch)
    answering(app, [LOST])
    run = whole.scored()
    assert (run.outcome, run.job, len(whole.posted)) == ("failed", "", 1)
    assert run.why.startswith("submission-unknown")
    searched = whole.world.called("find_job")[-1].at - whole.posted[0]
    assert 2 * WINDOW <= searched.total_seconds() < 2 * WINDOW + 30


def test_a_file_that_was_released_is_scored_once_the_hold_is_lifted(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Whole(app, app.route(), monkeypatch)
    answering(app, [answer(403)])
    assert whole.scored().outcome == "released"
    assert kick(whole.route) == []
    app.ledger.lift(whole.route)
    assert whole.scored().outcome == "succeeded"
    assert app.ledger.waiting("double") == []
    assert whole.world.now - whole.posted[0] < timedelta(minutes=10)
