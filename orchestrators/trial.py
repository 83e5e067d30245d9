"""A trial of a route: its job is made, watched, and read; whatever comes of it, all of it is cleaned up."""

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df

from activities.trials import end_trial, look_at_trial, submit_trial
from orchestrators.steps import TRANSIENT, reason
from shared.masking import masked
from shared.trials import Trial

bp = df.Blueprint()


@bp.orchestration_trigger(context_name="context")
def trial(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
    """Input and output: a `Trial`. At most some 300 looks, so that the history stays short."""
    last = context.get_input()
    try:
        last = yield context.call_activity_with_retry(submit_trial, TRANSIENT, last)
        while not last["outcome"]:
            context.set_custom_status(Trial.from_dict(last).shown)
            now = context.current_utc_datetime
            yield context.create_timer(Trial.from_dict(last).next_look(now))
            last = yield context.call_activity_with_retry(look_at_trial, TRANSIENT, last)
    except Exception as problem:  # noqa: BLE001  whatever it was, the trial is cleaned up and has its word
        last = Trial.from_dict(last).failed(masked(reason(problem))).to_dict()
    # Not the outcome yet: who has read that finds nothing of the trial any more.
    last = yield context.call_activity_with_retry(end_trial, TRANSIENT, last)
    context.set_custom_status(Trial.from_dict(last).shown)
    return last
