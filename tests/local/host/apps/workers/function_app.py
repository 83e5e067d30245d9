"""A sample app whose functions tell in which process they run, and wait for a file when they are told to."""

# The SDK's decorators are untyped.
# mypy: disable-error-code="untyped-decorator, type-arg"

import logging
import os
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, TypeAlias

import azure.durable_functions as df
import azure.functions as func
from azurefunctions.extensions.bindings.blob import BlobClient

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
Context: TypeAlias = df.DurableOrchestrationContext
Steps: TypeAlias = Generator[Any, Any, Any]
FOLDER = Path(os.environ["COUNTERS"])
os.environ["NO_STORAGE"] = (
    "DefaultEndpointsProtocol=http;AccountName=account;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:1/account;"
)
lock = threading.Lock()
running = 0


def hold(name: str) -> int:
    """Append this process to the file `name`, wait until the file `go` exists, and return the process."""
    with (FOLDER / name).open("a") as file:
        file.write(f"{os.getpid()}\n")
    while not (FOLDER / "go").exists():
        time.sleep(0.01)
    return os.getpid()


@app.activity_trigger(input_name="nothing")
def where(nothing: object) -> int:
    logging.info("here I am")
    return os.getpid()


@app.activity_trigger(input_name="nothing")
def held(nothing: object) -> int:
    return hold("held")


@app.activity_trigger(input_name="nothing")
def crowded(nothing: object) -> int:
    """Return how many calls of this function the process had at once, itself included."""
    global running
    with lock:
        running += 1
        at_once = running
    hold("crowded")
    with lock:
        running -= 1
    return at_once


@app.activity_trigger(input_name="nothing")
async def stuck(nothing: object) -> int:
    """Hold the event loop of the process."""
    return hold("stuck")


@app.activity_trigger(input_name="text")
def explode(text: str) -> None:
    raise ValueError(text)


@app.orchestration_trigger(context_name="context")
def in_turn(context: Context) -> Steps:
    results = []
    for _ in range(4):
        results.append((yield context.call_activity(where, None)))
    return results


@app.orchestration_trigger(context_name="context")
def many(context: Context) -> Steps:
    name, number = context.get_input()
    return (yield context.task_all([context.call_activity(name, None) for _ in range(number)]))


@app.orchestration_trigger(context_name="context")
def held_itself(context: Context) -> Steps:
    """Waits in its own code, as no orchestrator should."""
    first = yield context.call_activity(where, None)
    hold("held_itself")
    second = yield context.call_activity(where, None)
    return [bool(first), bool(second)]


@app.orchestration_trigger(context_name="context")
def failing(context: Context) -> Steps:
    yield context.call_activity(explode, "no such luck")


@app.route(methods=["GET"])
def page(req: func.HttpRequest) -> func.HttpResponse:
    hold("page")
    return func.HttpResponse(b"\x00\xff", status_code=201, headers={"Set-Cookie": "a=b; Path=/"})


@app.route(methods=["GET"])
def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("told by the function")


@app.route(methods=["POST"])
@app.durable_client_input(client_name="client")
async def begin(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> str:
    instance_id: str = await client.start_new("in_turn")
    return f"{os.getpid()} {instance_id}"


@app.timer_trigger(arg_name="timer", schedule="*/1 * * * * *")
def tick(timer: func.TimerRequest) -> None:
    hold("tick")


@app.blob_trigger(
    arg_name="blob", path="inbox/{name}", connection="NO_STORAGE", source=func.BlobSource.EVENT_GRID
)
def dropped(blob: BlobClient) -> None:
    hold("dropped")
