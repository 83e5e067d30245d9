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
    """Output: how many files were found and how many runs were started. What waits is started in any case."""
    found, problem = 0, None
    try:
        found = yield context.call_activity_with_retry(find_missed_files, TRANSIENT, context.instance_id)
    except Exception as failure:  # noqa: BLE001  the SDK raises plain Exception; it is raised again below
        problem = failure
    started = yield context.call_activity_with_retry(start_waiting, TRANSIENT, context.instance_id)
    if problem is not None:
        raise problem
    return {"found": found, "started": started}
