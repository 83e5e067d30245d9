"""A sample app as it was deployed first, under version 1.0."""

# The SDK's decorators are untyped.
# mypy: disable-error-code="untyped-decorator, type-arg"

from collections.abc import Generator
from datetime import timedelta
from typing import Any, TypeAlias

import azure.durable_functions as df

app = df.DFApp()
Context: TypeAlias = df.DurableOrchestrationContext
Steps: TypeAlias = Generator[Any, Any, Any]
RETRY = df.RetryOptions(first_retry_interval_in_milliseconds=1, max_number_of_attempts=2)


@app.activity_trigger(input_name="order")
def pay(order: dict) -> str:
    return f"paid {order['price']}"


@app.activity_trigger(input_name="order")
def ship(order: dict) -> str:
    if order["price"] == 0:
        raise ValueError("nothing to ship")
    return "shipped"


@app.orchestration_trigger(context_name="context")
def deliver(context: Context) -> Steps:
    """Pays, waits for the event `Go` or a day, then ships."""
    order = context.get_input()
    paid = yield context.call_activity(pay, order)
    timeout = context.create_timer(context.current_utc_datetime + timedelta(days=1))
    yield context.task_any([context.wait_for_external_event("Go"), timeout])
    timeout.cancel()
    shipped = yield context.call_activity_with_retry(ship, RETRY, order)
    child = yield context.call_sub_orchestrator(stamped)
    return [context.version, paid, shipped, child]


@app.orchestration_trigger(context_name="context")
def stamped(context: Context) -> Steps:
    return context.version
    yield


@app.orchestration_trigger(context_name="context")
def generations(context: Context) -> Steps:
    """Returns the version of each generation; every one but the last ends at the event `Go`."""
    seen = [*(context.get_input() or []), context.version]
    if len(seen) == 3:
        return seen
    yield context.wait_for_external_event("Go")
    context.continue_as_new(seen)
    return None


@app.orchestration_trigger(context_name="context")
def with_newer_child(context: Context) -> Steps:
    return (yield context.call_sub_orchestrator(stamped, instance_id="newer-child", version="2.0"))
