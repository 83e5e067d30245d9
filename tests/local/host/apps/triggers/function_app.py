"""A sample app of HTTP, timer and blob triggers; every call is a line in a file of the counters' folder."""

import logging
import os
from pathlib import Path

import azure.functions as func
from azurefunctions.extensions.bindings.blob import BlobClient, ContainerClient

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


def record(name: str, text: str) -> None:
    with (Path(os.environ["COUNTERS"]) / name).open("a") as file:
        file.write(f"{text}\n")


@app.route(route="things/{number:int}/{rest?}")
def things(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    answer = [
        req.route_params["number"],
        req.route_params.get("rest"),
        req.params.get("q"),
        context.function_name,
    ]
    return func.HttpResponse(str(answer), status_code=201, headers={"x-sample": "yes"})


@app.route(route="files/{*path}", methods=["PUT"])
async def files(req: func.HttpRequest) -> str:
    return f"{req.route_params['path']}: {req.get_body().decode()}"


@app.route(methods=["GET"])
def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("two\nlines")


@app.route(methods=["GET"])
def nothing(req: func.HttpRequest):  # type: ignore[no-untyped-def]
    return None


@app.route(route="ranked/{*rest}")
def ranked_rest(req: func.HttpRequest, context: func.Context) -> str:
    return context.function_name


@app.route(route="ranked/{any}")
def ranked_any(req: func.HttpRequest, context: func.Context) -> str:
    return context.function_name


@app.route(route="ranked/{number:int}")
def ranked_number(req: func.HttpRequest, context: func.Context) -> str:
    return context.function_name


@app.route(route="ranked/all")
def ranked_all(req: func.HttpRequest, context: func.Context) -> str:
    return context.function_name


@app.route()
def disabled(req: func.HttpRequest) -> str:
    return "not disabled"


@app.timer_trigger(arg_name="timer", schedule="%SAMPLE_SCHEDULE%", run_on_startup=True)
def tick(timer: func.TimerRequest) -> None:
    record("ticks", f"past due: {timer.past_due}")


@app.timer_trigger(arg_name="timer", schedule="*/1 * * * * *")
def often(timer: func.TimerRequest) -> None:
    record("often", f"past due: {timer.past_due}")


@app.blob_trigger(arg_name="blob", path="host-polled/{name}.csv", connection="SAMPLE_STORAGE")
def polled(blob: BlobClient) -> None:
    logging.info("polled %s", blob.blob_name)
    record("polled", f"{blob.container_name} {blob.blob_name}")


@app.blob_trigger(arg_name="blob", path="host-polled/poison-{name}", connection="SAMPLE_STORAGE")
def poisoned(blob: ContainerClient) -> None:
    record("poisoned", blob.container_name)
    raise RuntimeError("never")


@app.blob_trigger(arg_name="blob", path="host-content/{name}", connection="SAMPLE_STORAGE")
def read(blob: func.InputStream) -> None:
    record("read", f"{blob.name} {blob.length} {blob.read().decode()}")


@app.blob_trigger(
    arg_name="blob",
    path="%SAMPLE_INBOX%/{name}",
    connection="SAMPLE_STORAGE",
    source=func.BlobSource.EVENT_GRID,
)
async def dropped(blob: BlobClient) -> None:
    record("dropped", f"{blob.container_name} {blob.blob_name}")
