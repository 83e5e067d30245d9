"""Backfill: one run after the other, no faster than asked for, until nothing is left below the prefix."""

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from activities.backfills import backfill_portion
from orchestrators.steps import TRANSIENT
from shared.records import Backfill

bp = df.Blueprint()
LOOK_AGAIN = timedelta(seconds=10)


@bp.orchestration_trigger(context_name="context")
def backfill(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
    """Input and output: a `Backfill`. Each generation starts one run at most, so that its history stays short."""
    before = Backfill.from_dict(context.get_input())
    context.set_custom_status(before.to_dict())
    answer = yield context.call_activity_with_retry(backfill_portion, TRANSIENT, before.to_dict())
    after = Backfill.from_dict(answer)
    context.set_custom_status(after.to_dict())
    if after.done:
        return after.to_dict()
    pace = timedelta(minutes=(after.files - before.files) / after.per_minute)
    yield context.create_timer(context.current_utc_datetime + max(pace, LOOK_AGAIN))
    context.continue_as_new(after.to_dict())
    return None
