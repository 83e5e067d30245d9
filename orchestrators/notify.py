"""Telling a receiver that a run has closed: tried again at growing intervals, then given up."""

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from activities.notices import deliver_notice
from orchestrators.steps import TRANSIENT

bp = df.Blueprint()


@bp.orchestration_trigger(context_name="context")
def notify(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
    """Input: a `Launch`. Output: what came of its notice. How often it is tried is the ledger's to count."""
    while True:
        step = yield context.call_activity_with_retry(deliver_notice, TRANSIENT, context.get_input())
        if not step["again"]:
            return {"came_of": step["came_of"]}
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=step["wait"]))
