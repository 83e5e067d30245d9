"""A sample app whose timer and blob function show what survives the death of their host."""

import os
import time
from pathlib import Path

import azure.functions as func
from azurefunctions.extensions.bindings.blob import BlobClient

app = func.FunctionApp()
FOLDER = Path(os.environ["COUNTERS"])
os.environ["NO_STORAGE"] = (
    "DefaultEndpointsProtocol=http;AccountName=account;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:1/account;"
)


def record(name: str, text: str) -> None:
    with (FOLDER / name).open("a") as file:
        file.write(f"{text}\n")


@app.timer_trigger(arg_name="timer", schedule="*/1 * * * * *")
def often(timer: func.TimerRequest) -> None:
    record("often", f"past due: {timer.past_due}")


@app.timer_trigger(arg_name="timer", schedule="0 0 * * * *")
def hourly(timer: func.TimerRequest) -> None:
    record("hourly", f"past due: {timer.past_due}")


@app.blob_trigger(
    arg_name="blob", path="inbox/{name}", connection="NO_STORAGE", source=func.BlobSource.EVENT_GRID
)
def dropped(blob: BlobClient) -> None:
    """Count the call, then wait until the file `go` exists."""
    record("dropped", blob.blob_name)
    while not (FOLDER / "go").exists():
        time.sleep(0.01)
    record("finished", blob.blob_name)
