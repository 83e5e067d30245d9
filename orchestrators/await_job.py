"""Waiting for one job: looks at growing intervals, one deadline, canceling when asked or when time is up."""

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df

from activities.jobs import give_up_job, read_job, stop_job
from orchestrators.steps import TRANSIENT
from shared import watching
from shared.records import JobView, Watch, timestamp

bp = df.Blueprint()


@bp.orchestration_trigger(context_name="context")
def await_job(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
    """Input: a `Watch`. Output: the last `JobView`. History stays short: it starts anew every 25 looks."""
    watch = Watch.from_dict(context.get_input())
    for _ in range(watching.POLLS_PER_GENERATION):
        look = yield context.call_activity_with_retry(read_job, TRANSIENT, watch.launch)
        view = JobView.from_dict(look)
        context.set_custom_status({"stage": "await", "job_status": view.status})
        if view.over:
            return view.to_dict()
        now = context.current_utc_datetime
        watch = watching.seen(watch, view, now)
        reason = watching.reason_to_stop(watch, view, now)
        if reason:
            order = {"launch": watch.launch, "reason": reason}
            yield context.call_activity_with_retry(stop_job, TRANSIENT, order)
            watch = watch.but(stopped_at=timestamp(now))
        elif watching.unconfirmed(watch, now):
            yield context.call_activity_with_retry(give_up_job, TRANSIENT, watch.launch)
            return view.but(state="failed").to_dict()
        if (yield from woken(context, watch, view)):
            break
    context.continue_as_new(watch.to_dict())
    return None


def woken(context: df.DurableOrchestrationContext, watch: Watch, view: JobView) -> Generator[Any, Any, bool]:
    """Waits for the next look, or for somebody's wake-up. The event carries nothing: the record is read again.

    After a wake-up the caller starts a new history, because the SDK (1.7) would take the same event for every
    later wait, too.
    """
    timer = context.create_timer(watching.next_look(watch, view, context.current_utc_datetime))
    event = context.wait_for_external_event(watching.WAKE)
    first = yield context.task_any([timer, event])
    if first == timer:
        return False
    timer.cancel()
    return True
