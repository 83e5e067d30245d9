"""One run, top to bottom: authenticate, gather, pack, submit, await, unpack, close."""

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from activities.inbox import dispose_inputs
from activities.jobs import find_job, submit_job
from activities.parts import pack
from activities.predictions import unpack
from activities.runs import authenticate, close_run, gather, write_results
from orchestrators.await_job import await_job
from orchestrators.steps import Steps, fenced
from shared.records import Gathered, JobView, Launch, SubmitStep, Watch, timestamp

bp = df.Blueprint()
Decisions = Generator[Any, Any, Any]

PATIENT_ROUNDS = 20
PATIENT_WAIT = timedelta(minutes=10)


@bp.orchestration_trigger(context_name="context")
def score_run(context: df.DurableOrchestrationContext) -> Decisions:
    """Input: a `Launch`. Output: the run and its outcome; the ledger holds the rest.

    Unexpected trouble ends only this orchestration: the sweep goes on with the run, for a job may be paid for.
    """
    steps = Steps(context, context.get_input())
    try:
        yield from score(context, steps)
        yield steps("close", write_results)
        yield from steps.whole("close", dispose_inputs)
        return (yield steps("close", close_run))
    except Exception as problem:
        if not fenced(problem):
            raise
        return {"run": steps.launch["run"], "outcome": "fenced"}


def score(context: df.DurableOrchestrationContext, steps: Steps) -> Decisions:
    """From the files to their predictions; returns early where there is nothing more to do."""
    if not (yield steps("authenticate", authenticate)):
        return
    gathered = Gathered.from_dict((yield steps("gather", gather)))
    again = gathered.files > 0
    while again:
        packed = yield from steps.whole("pack", pack)
        if not packed["parts"]:
            return
        ended = yield from job_ended(context, steps, gathered)
        # Of a shared job that failed, some files may be whole.
        if ended != "completed" and not (ended == "failed" and packed["shared"]):
            return
        unpacked = yield from steps.whole("unpack", unpack)
        again = unpacked["again"]


def job_ended(context: df.DurableOrchestrationContext, steps: Steps, gathered: Gathered) -> Decisions:
    """Submits one job and waits for its end, which is returned; "" where there is no job. Pre-empted: one more."""
    ended = "preempted"
    while ended == "preempted":
        if not (yield from submitted(context, steps)):
            return ""
        watch = Watch(
            launch=steps.launch,
            since=timestamp(context.current_utc_datetime),
            deadline=gathered.deadline,
            poll_at_least=gathered.poll_at_least,
            poll_at_most=gathered.poll_at_most,
        )
        steps.watches += 1
        # The child keeps the version of its parent, where it would get the app's present one. By reference alone, the
        # SDK (1.7) would expect the type of its own wrapper, str.
        child = Launch.from_dict(steps.launch).watch_id(steps.watches)
        view = yield context.call_sub_orchestrator(
            await_job, watch.to_dict(), child, version=context.version, expected_type=dict
        )
        ended = JobView.from_dict(view).state
    return ended


def submitted(context: df.DurableOrchestrationContext, steps: Steps) -> Decisions:
    """One job, once: submits, searches where an answer was lost, and waits as it is told. True: there is a job."""
    activity, rounds = submit_job, 0
    while True:
        step = SubmitStep.from_dict((yield steps("submit", activity)))
        if step.kind not in ("again", "searching"):
            return step.kind == "submitted"
        activity = find_job if step.kind == "searching" else submit_job
        rounds += step.kind == "again"
        if step.wait:
            # Each round lengthens the history that every later step replays.
            patient = step.kind == "again" and rounds > PATIENT_ROUNDS
            wait = PATIENT_WAIT if patient else timedelta(seconds=step.wait)
            yield context.create_timer(context.current_utc_datetime + wait)
