"""The sweep: what no event announced is found, what waits is started. Events are an accelerator, never the truth."""

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df

from activities.inbox import find_missed_files
from activities.runs import start_waiting
from orchestrators.steps import TRANSIENT

bp = df.Blueprint()


@bp.orchestration_trigger(context_name="context")
def sweep(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
    """Output: how many files were found and how many runs were started."""
    found = yield context.call_activity_with_retry(find_missed_files, TRANSIENT, context.instance_id)
    started = yield context.call_activity_with_retry(start_waiting, TRANSIENT, context.instance_id)
    return {"found": found, "started": started}
