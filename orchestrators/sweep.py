"""The sweep: what no event announced is found, what waits is started. Events are an accelerator, never the truth."""

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df

from activities.inbox import find_missed_files
from activities.sweeps import begin_sweep, end_sweep, start_waiting
from orchestrators.steps import TRANSIENT

bp = df.Blueprint()


@bp.orchestration_trigger(context_name="context")
def sweep(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
    """Output: how many files were found and how many runs were started; nothing where another sweep is at work.

    What waits is started even where the inbox cannot be read.
    """
    if not (yield context.call_activity_with_retry(begin_sweep, TRANSIENT, context.instance_id)):
        return {}
    done, problem = {}, None
    for name, activity in (("found", find_missed_files), ("started", start_waiting)):
        try:
            done[name] = yield context.call_activity_with_retry(activity, TRANSIENT, context.instance_id)
        except Exception as failure:  # noqa: BLE001  the SDK raises plain Exception; it is raised again below
            problem = failure
    yield context.call_activity_with_retry(end_sweep, TRANSIENT, context.instance_id)
    if problem is not None:
        raise problem
    return done
