"""A sample app: one small orchestrator for each thing the durable protocol can do."""

# The SDK's decorators are untyped, and the worker refuses dict[str, Any] as a parameter.
# mypy: disable-error-code="untyped-decorator, type-arg"

import json
import os
import time
from collections.abc import Generator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import azure.durable_functions as df
import azure.functions as func
import requests

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
Context: TypeAlias = df.DurableOrchestrationContext
Steps: TypeAlias = Generator[Any, Any, Any]
RETRY = df.RetryOptions(first_retry_interval_in_milliseconds=1, max_number_of_attempts=3)


def soon(context: Context, seconds: float = 0.01) -> datetime:
    moment: datetime = context.current_utc_datetime + timedelta(seconds=seconds)
    return moment


def count(name: str) -> int:
    """Append a line to the file `name` of the counters' folder; returns how many it has."""
    path = Path(os.environ["COUNTERS"]) / name
    with path.open("a") as file:
        file.write("x\n")
    return len(path.read_text().splitlines())


@app.activity_trigger(input_name="value")
def echo(value: Any) -> Any:
    return value


@app.activity_trigger(input_name="value")
async def double(value: int) -> int:
    return value * 2


@app.activity_trigger(input_name="text")
def explode(text: str) -> None:
    raise ValueError(text)


@app.activity_trigger(input_name="request")
def flaky(request: dict) -> int:
    """Fail until the attempt that the request names."""
    attempt = count(request["name"])
    if attempt < request["succeeds_at"]:
        raise RuntimeError(f"attempt {attempt}")
    return int(request["succeeds_at"])


@app.activity_trigger(input_name="request")
def slow(request: dict) -> str:
    """Count the call, then wait until the file that the request names exists."""
    count(request["counter"])
    while not Path(request["until"]).exists():
        time.sleep(0.01)
    return "waited"


@app.activity_trigger(input_name="event")
def send_event(event: dict) -> None:
    """Raise an event through the host's HTTP API."""
    url = f"{os.environ['HOST_URL']}/durabletask/instances/{event['instance']}/raiseEvent/{event['name']}"
    requests.post(url, json=event["data"], timeout=10).raise_for_status()


@app.activity_trigger(input_name="nothing")
def not_json(nothing: object) -> float:
    return float("nan")


@app.activity_trigger(input_name="value", activity="ByAnotherName")
def renamed(value: int) -> str:
    return f"renamed {value}"


@app.orchestration_trigger(context_name="context")
def sequence(context: Context) -> Steps:
    results = []
    for value in range(context.get_input()):
        results.append((yield context.call_activity(double, value)))
    return results


@app.orchestration_trigger(context_name="context")
def echo_input(context: Context) -> Steps:
    return (yield context.call_activity("ECHO", context.get_input()))


@app.orchestration_trigger(context_name="context")
def version(context: Context) -> Steps:
    return context.version
    yield


@app.orchestration_trigger(context_name="context")
def by_another_name(context: Context) -> Steps:
    return (yield context.call_activity("ByAnotherName", 1))


@app.orchestration_trigger(context_name="context")
def by_reference(context: Context) -> Steps:
    """Calls an activity that has a name of its own by reference, which sends the function's name."""
    return (yield context.call_activity(renamed, 1))


@app.orchestration_trigger(context_name="context")
def fan_out(context: Context) -> Steps:
    numbers = range(context.get_input())
    return sum((yield context.task_all([context.call_activity(double, number) for number in numbers])))


@app.orchestration_trigger(context_name="context")
def failing(context: Context) -> Steps:
    yield context.call_activity(explode, "no such luck")


@app.orchestration_trigger(context_name="context")
def catching(context: Context) -> Steps:
    try:
        yield context.call_activity(explode, "no such luck")
    except Exception as error:  # noqa: BLE001 - the SDK raises nothing more precise
        return str(error)


@app.orchestration_trigger(context_name="context")
def raising(context: Context) -> Steps:
    yield context.call_activity(echo, 1)
    raise KeyError("lost")


@app.orchestration_trigger(context_name="context")
def not_json_result(context: Context) -> Steps:
    yield context.call_activity(not_json, None)


@app.orchestration_trigger(context_name="context")
def with_retry(context: Context) -> Steps:
    try:
        return (yield context.call_activity_with_retry(flaky, RETRY, context.get_input()))
    except Exception as error:  # noqa: BLE001 - the SDK raises nothing more precise
        after = yield context.call_activity(echo, "still in step")
        return [str(error), after]


@app.orchestration_trigger(context_name="context")
def child_with_retry(context: Context) -> Steps:
    return (yield context.call_sub_orchestrator_with_retry(flaky_child, RETRY, context.get_input()))


@app.orchestration_trigger(context_name="context")
def flaky_child(context: Context) -> Steps:
    return (yield context.call_activity(flaky, context.get_input()))


@app.orchestration_trigger(context_name="context")
def with_retry_only(context: Context) -> Steps:
    return (yield context.call_activity_with_retry(flaky, RETRY, context.get_input()))


@app.orchestration_trigger(context_name="context")
def count_then_flaky(context: Context) -> Steps:
    counted = yield context.call_activity(flaky, context.get_input()["counted"])
    return [counted, (yield context.call_activity(flaky, context.get_input()["flaky"]))]


@app.orchestration_trigger(context_name="context")
def timers(context: Context) -> Steps:
    for _ in range(context.get_input()):
        yield context.create_timer(soon(context))
    return "rang"


@app.orchestration_trigger(context_name="context")
def long_timer(context: Context) -> Steps:
    yield context.create_timer(soon(context, seconds=7 * 86400))


@app.orchestration_trigger(context_name="context")
def naive_timer(context: Context) -> Steps:
    yield context.create_timer(context.current_utc_datetime.replace(tzinfo=None))


@app.orchestration_trigger(context_name="context")
def uncancelled_timer(context: Context) -> Steps:
    timer = context.create_timer(soon(context, seconds=3600))
    quick = context.call_activity(echo, "quick")
    winner = yield context.task_any([timer, quick])
    return winner == quick


@app.orchestration_trigger(context_name="context")
def event_or_timeout(context: Context) -> Steps:
    timeout = context.create_timer(soon(context, seconds=context.get_input()))
    event = context.wait_for_external_event("Go")
    winner = yield context.task_any([event, timeout])
    if winner == timeout:
        return "timed out"
    timeout.cancel()
    after = yield context.call_activity(echo, "after")
    return [event.result, after]


@app.orchestration_trigger(context_name="context")
def three_events(context: Context) -> Steps:
    results = []
    for _ in range(3):
        results.append((yield context.wait_for_external_event("Next")))
    return results


@app.orchestration_trigger(context_name="context")
def two_waits_on_early_event(context: Context) -> Steps:
    """The first wait comes when the event has long arrived; the SDK then hands that event out twice."""
    yield context.wait_for_external_event("Go")
    first = yield context.wait_for_external_event("Early")
    second = yield context.wait_for_external_event("Early")
    return [first, second]


@app.orchestration_trigger(context_name="context")
def three_early_events(context: Context) -> Steps:
    """The SDK keeps one early event per name and hands it out again and again (azure-functions-durable-python#507)."""
    yield context.wait_for_external_event("Go")
    results = []
    for _ in range(3):
        results.append((yield context.wait_for_external_event("Early")))
    return results


@app.orchestration_trigger(context_name="context")
def patient_parent(context: Context) -> Steps:
    return (yield context.call_sub_orchestrator(three_events, None, context.get_input()))


@app.orchestration_trigger(context_name="context")
def immediate(context: Context) -> str:
    return "at once"


@app.orchestration_trigger(context_name="context")
def runs_ahead(context: Context) -> Steps:
    """Goes on after a failed task_all in which another task has not ended."""
    waiting = context.call_activity(slow, context.get_input())
    try:
        yield context.task_all([waiting, context.call_activity(explode, "first")])
    except Exception:  # noqa: BLE001 - the SDK raises nothing more precise
        yield context.call_activity(echo, 1)
    return "went on"


@app.orchestration_trigger(context_name="context")
def countdown(context: Context) -> Steps:
    state = context.get_input()
    context.set_custom_status({"left": state["left"]})
    yield context.call_activity(echo, None)
    if state["left"]:
        context.continue_as_new({"left": state["left"] - 1, "rounds": state["rounds"] + 1})
        return None
    return state["rounds"]


@app.orchestration_trigger(context_name="context")
def forgetful(context: Context) -> Steps:
    """Continues as new once, before the events that came early were awaited."""
    if context.get_input() == "first":
        yield context.wait_for_external_event("Go")
        context.continue_as_new("second")
        return None
    timeout = context.create_timer(soon(context, seconds=0.2))
    winner = yield context.task_any([context.wait_for_external_event("Early"), timeout])
    return "timed out" if winner == timeout else "got it"


@app.orchestration_trigger(context_name="context")
def parent(context: Context) -> Steps:
    request = context.get_input()
    return (yield context.call_sub_orchestrator(request["child"], request["input"], request.get("id")))


@app.orchestration_trigger(context_name="context")
def parents(context: Context) -> Steps:
    children = [context.call_sub_orchestrator(sequence, length) for length in range(context.get_input())]
    return (yield context.task_all(children))


@app.orchestration_trigger(context_name="context")
def catching_parent(context: Context) -> Steps:
    try:
        yield context.call_sub_orchestrator(failing)
    except Exception as error:  # noqa: BLE001 - the SDK raises nothing more precise
        return str(error)


@app.orchestration_trigger(context_name="context")
def unknown_activity(context: Context) -> Steps:
    yield context.call_activity("nowhere", 1)


@app.orchestration_trigger(context_name="context")
def unknown_child(context: Context) -> Steps:
    yield context.call_sub_orchestrator("nowhere", 1)


@app.orchestration_trigger(context_name="context")
def misspelt(context: Context) -> Steps:
    yield context.call_activity("explod", "no such luck")


@app.orchestration_trigger(context_name="context")
def with_http(context: Context) -> Steps:
    """Make the request that the input describes; the step after it shows that all ids are still in step."""
    answer = yield context.call_http(**context.get_input())
    after = yield context.call_activity(echo, "after")
    return [answer, after]


@app.orchestration_trigger(context_name="context")
def with_entity(context: Context) -> Steps:
    yield context.call_entity(df.EntityId("counter", "one"), "add", 1)


@app.orchestration_trigger(context_name="context")
def signalling(context: Context) -> Steps:
    context.signal_entity(df.EntityId("counter", "one"), "add", 1)
    yield context.call_activity(echo, "after")


@app.orchestration_trigger(context_name="context")
def falsy_status(context: Context) -> Steps:
    context.set_custom_status("kept")
    yield context.call_activity(echo, 1)
    context.set_custom_status(0)
    yield context.call_activity(echo, 2)


@app.orchestration_trigger(context_name="context")
def large_status(context: Context) -> Steps:
    context.set_custom_status("x" * 9000)
    yield context.wait_for_external_event("never")


@app.orchestration_trigger(context_name="context")
def unstable(context: Context) -> Steps:
    """Calls another activity at each replay."""
    number = count("unstable")
    yield context.call_activity(echo if number % 2 else double, number)


@app.orchestration_trigger(context_name="context")
def program(context: Context) -> Steps:
    """Perform the steps that the input lists and return their results."""
    results = []
    for kind, value in context.get_input():
        results.append((yield from perform(context, kind, value)))
    return results


def perform(context: Context, kind: str, value: Any) -> Steps:
    """Perform one step of a program."""
    match kind:
        case "call":
            return (yield context.call_activity(double, value))
        case "retry":
            return (yield context.call_activity_with_retry(flaky, RETRY, value))
        case "all":
            return (yield context.task_all([context.call_activity(double, number) for number in value]))
        case "all retried":
            tasks = [context.call_activity_with_retry(flaky, RETRY, request) for request in value]
            return (yield context.task_all(tasks))
        case "any":
            timeout = context.create_timer(soon(context, seconds=3600))
            call = context.call_activity(double, value)
            yield context.task_any([timeout, call])
            timeout.cancel()
            return call.result
        case "sleep":
            return (yield context.create_timer(soon(context, seconds=value)))
        case "child":
            return (yield context.call_sub_orchestrator(program, value))
        case "named child":
            return (yield context.call_sub_orchestrator(program, value[1], value[0]))
        case "rounds":
            return (yield context.call_sub_orchestrator(countdown, {"left": value, "rounds": 0}))
        case "too late":
            return (yield from event_against_timer(context, *value))
        case "event":
            return (yield from event_by_activity(context, *value))
        case "mixed":
            return (yield context.task_all(mixed(context, *value)))
        case "fail":
            return (yield context.call_activity(explode, value))
        case _:
            return (yield from caught(context, kind, value))


def caught(context: Context, kind: str, value: Any) -> Steps:
    """Perform a step that fails and return what its error says last."""
    try:
        match kind:
            case "caught":
                yield context.call_activity(explode, value)
            case "exhausted":
                yield context.call_activity_with_retry(explode, RETRY, value)
            case "failing child":
                yield context.call_sub_orchestrator(program, value)
    except Exception as error:  # noqa: BLE001 - the SDK raises nothing more precise
        return str(error).split(" \n ")[0].rpartition(": ")[2]


def event_against_timer(context: Context, name: str, seconds: float) -> Steps:
    timeout = context.create_timer(soon(context, seconds))
    winner = yield context.task_any([context.wait_for_external_event(name), timeout])
    return "timed out" if winner == timeout else "came"


def event_by_activity(context: Context, name: str, data: int) -> Steps:
    waiting = context.wait_for_external_event(name)
    event = {"instance": context.instance_id, "name": name, "data": data}
    return (yield context.task_all([waiting, context.call_activity(send_event, event)]))[0]


def mixed(context: Context, number: int, request: dict[str, Any], steps: list[Any]) -> list[Any]:
    return [
        context.call_activity(double, number),
        context.call_activity_with_retry(flaky, RETRY, request),
        context.create_timer(soon(context)),
        context.call_sub_orchestrator(program, steps),
    ]


@app.orchestration_trigger(context_name="context")
def slow_steps(context: Context) -> Steps:
    request = context.get_input()
    first = yield context.call_activity(echo, "first")
    yield context.create_timer(soon(context, seconds=request["seconds"]))
    waited = yield context.call_activity(slow, request)
    yield context.create_timer(soon(context))
    return [first, waited]


@app.route(route="answers/{status:int}")
def answers(req: func.HttpRequest) -> func.HttpResponse:
    """Answer with this status and with what was asked."""
    asked = [
        req.method,
        req.get_body().decode(),
        req.headers.get("x-sample"),
        req.headers.get("content-type"),
    ]
    headers = {"Location": "http://127.0.0.1:1/", "x-seen": "yes"}
    return func.HttpResponse(json.dumps(asked), status_code=int(req.route_params["status"]), headers=headers)


@app.route(route="through-the-client/{name}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def through_the_client(
    req: func.HttpRequest, client: df.DurableOrchestrationClient
) -> func.HttpResponse:
    """Start, send the event `Go` if there is a body, and answer as the SDK does."""
    instance_id = await client.start_new(req.route_params["name"], client_input=0)
    if req.get_body():
        await client.raise_event(instance_id, "Go", req.get_json())
    response: func.HttpResponse = client.create_check_status_response(req, instance_id)
    return response


@app.route(route="client/{call}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def call_client(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Call a method of the SDK's client with the body's arguments; answers what it gives back, or what it raises."""
    try:
        result = await CALLS[req.route_params["call"]](client, **req.get_json())
    except Exception as error:  # noqa: BLE001 - the SDK raises nothing more precise
        return func.HttpResponse(str(error), status_code=500)
    return func.HttpResponse(json.dumps(result))


async def status(client: df.DurableOrchestrationClient, **arguments: Any) -> dict[str, Any]:
    found = await client.get_status(**arguments)
    return {
        "status": found.runtime_status and found.runtime_status.name,
        "input": found.input_,
        "output": found.output,
        "history": found.history,
        "events": [event["EventType"] for event in getattr(found, "historyEvents", None) or []],
    }


async def instances_of(client: df.DurableOrchestrationClient, **criteria: Any) -> list[str]:
    """Ids by the SDK's criteria; times come as ISO texts."""
    found = await client.get_status_by(**parsed(criteria))
    return [status.instance_id for status in found]


async def all_instances(client: df.DurableOrchestrationClient) -> list[str]:
    return [status.instance_id for status in await client.get_status_all()]


async def purge_by(client: df.DurableOrchestrationClient, **criteria: Any) -> int:
    return int((await client.purge_instance_history_by(**parsed(criteria))).instances_deleted)


async def links(client: df.DurableOrchestrationClient, instance_id: str) -> dict[str, str]:
    payload: dict[str, str] = client.create_http_management_payload(instance_id)
    return payload


async def entity(client: df.DurableOrchestrationClient) -> Any:
    return await client.read_entity_state(df.EntityId("counter", "one"))


async def signal(client: df.DurableOrchestrationClient) -> Any:
    return await client.signal_entity(df.EntityId("counter", "one"), "add", 1)


def parsed(criteria: dict[str, Any]) -> dict[str, Any]:
    times = {
        name: datetime.fromisoformat(value) for name, value in criteria.items() if name.startswith("created")
    }
    statuses = [df.OrchestrationRuntimeStatus(name) for name in criteria.get("runtime_status", [])]
    return criteria | times | ({"runtime_status": statuses} if statuses else {})


CALLS: dict[str, Any] = {
    **{
        name: getattr(df.DurableOrchestrationClient, name)
        for name in (
            "raise_event",
            "terminate",
            "suspend",
            "resume",
            "rewind",
            "restart",
            "start_new",
        )
    },
    "status": status,
    "instances_of": instances_of,
    "all_instances": all_instances,
    "purge_by": purge_by,
    "links": links,
    "entity": entity,
    "signal": signal,
}
