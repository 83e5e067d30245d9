"""Pattern 4: a monitor that looks until something is so, or until it is late."""

# mypy: ignore-errors

from datetime import timedelta
from pathlib import Path

import azure.durable_functions as df

monitoring = df.Blueprint()


@monitoring.orchestration_trigger(context_name="context")
def watch_file(context: df.DurableOrchestrationContext):
    watch = context.get_input()
    expires = context.current_utc_datetime + timedelta(seconds=watch["seconds"])
    looked = 0
    while context.current_utc_datetime < expires:
        looked += 1
        context.set_custom_status({"looked": looked})
        there = yield context.call_activity("file_is_there", watch["path"])
        if there:
            return {"there": True, "looked": looked}
        next_look = context.current_utc_datetime + timedelta(seconds=watch["every"])
        yield context.create_timer(next_look)
    return {"there": False, "looked": looked}


@monitoring.activity_trigger(input_name="path")
def file_is_there(path: str) -> bool:
    return Path(path).exists()
