"""The sample app of version 1.0 as it is under 2.0: what began before goes on as it began."""

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


@app.activity_trigger(input_name="order")
def discount(order: dict) -> dict:
    return order | {"price": order["price"] - 1}


@app.orchestration_trigger(context_name="context")
def deliver(context: Context) -> Steps:
    """Under 2.0 grants a discount and waits half as long; under 1.0 what it did then."""
    order = context.get_input()
    newer = context.version != "1.0"
    if newer:
        order = yield context.call_activity(discount, order)
    paid = yield context.call_activity(pay, order)
    patience = timedelta(hours=12) if newer else timedelta(days=1)
    timeout = context.create_timer(context.current_utc_datetime + patience)
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
