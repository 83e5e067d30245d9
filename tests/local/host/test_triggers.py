"""HTTP, timer and blob triggers of a running host."""

import base64
import json
import logging
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient

from local.eventgrid import EventGrid
from tests.local.host.harness import RunningHost, wait_until


def lines(counters: Path, name: str) -> list[str]:
    path = counters / name
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("things/-4?q=1", "['-4', None, '1', 'things']"),
        ("things/4/more", "['4', 'more', None, 'things']"),
    ],
)
def test_a_route_gives_its_parameters_and_the_query(
    triggers_host: RunningHost, path: str, answer: str
) -> None:
    response = triggers_host.session.get(f"{triggers_host.url}/site/{path}")
    assert (response.status_code, response.headers["x-sample"], response.text) == (201, "yes", answer)


def test_a_route_that_does_not_match_is_not_found(triggers_host: RunningHost) -> None:
    assert triggers_host.session.get(f"{triggers_host.url}/site/things/four").status_code == 404
    assert triggers_host.session.get(f"{triggers_host.url}/api/things/4").status_code == 404


@pytest.mark.parametrize(("method", "path"), [("DELETE", "files/a"), ("HEAD", "broken"), ("GET", "files/a")])
def test_a_method_that_no_function_takes_is_not_found(
    triggers_host: RunningHost, method: str, path: str
) -> None:
    answer = triggers_host.session.request(method, f"{triggers_host.url}/site/{path}")
    assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize(
    ("path", "function"),
    [
        ("ranked/all", "ranked_all"),
        ("ranked/7", "ranked_number"),
        ("ranked/x", "ranked_any"),
        ("ranked/x/y", "ranked_rest"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_the_most_precise_route_answers_and_takes_any_method_where_none_is_named(
    triggers_host: RunningHost, method: str, path: str, function: str
) -> None:
    assert triggers_host.session.request(method, f"{triggers_host.url}/site/{path}").text == function


def test_a_disabled_function_is_not_there(triggers_host: RunningHost) -> None:
    assert triggers_host.session.get(f"{triggers_host.url}/site/disabled").status_code == 404


def test_a_body_reaches_a_catch_all_route(triggers_host: RunningHost) -> None:
    response = triggers_host.session.put(f"{triggers_host.url}/site/files/a/b.csv", data="content")
    assert response.text == "a/b.csv: content"


@pytest.mark.parametrize("name", ["broken", "nothing"])
def test_an_exception_and_a_missing_answer_are_500_without_a_body(
    triggers_host: RunningHost, name: str
) -> None:
    response = triggers_host.session.get(f"{triggers_host.url}/site/{name}")
    assert (response.status_code, response.content) == (500, b"")


def test_timers_run_at_start_up_and_on_schedule(triggers_host: RunningHost, counters: Path) -> None:
    wait_until(lambda: lines(counters, "ticks"), "the run on start-up")
    wait_until(lambda: len(lines(counters, "often")) >= 2, "two runs of a timer of every second")
    assert lines(counters, "ticks") == ["past due: False"]


def test_polling_offers_each_version_of_a_blob_once(
    triggers_host: RunningHost, counters: Path, blob_service: BlobServiceClient
) -> None:
    name = f"sub/{uuid4().hex}.csv"
    container = _container(blob_service, "host-polled")
    container.upload_blob(name, b"1")
    container.upload_blob(name.replace(".csv", ".txt"), b"1")
    _wait_for_offers(counters, "polled", f"host-polled {name}", 1)
    container.upload_blob(name, b"2", overwrite=True)
    _wait_for_offers(counters, "polled", f"host-polled {name}", 2)
    assert not [line for line in lines(counters, "polled") if line.endswith(".txt")]


def test_a_blob_that_always_fails_is_poisoned_after_five_tries(
    triggers_host: RunningHost,
    counters: Path,
    blob_service: BlobServiceClient,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    azurite_connection: str,
) -> None:
    name = f"poison-{uuid4().hex}"
    monkeypatch.setattr("local.host.blobs.RETRY_PAUSE", 0.01)
    with caplog.at_level(logging.ERROR):
        _container(blob_service, "host-polled").upload_blob(name, b"")
        wait_until(lambda: "is now in webjobs-blobtrigger-poison" in caplog.text, "the poison record")
    assert lines(counters, "poisoned") == ["host-polled"] * 5
    with QueueClient.from_connection_string(azurite_connection, "webjobs-blobtrigger-poison") as queue:
        (message,) = queue.receive_messages()
    properties = blob_service.get_blob_client("host-polled", name).get_blob_properties()
    assert json.loads(base64.b64decode(message.content)) == {
        "Type": "BlobTrigger",
        "FunctionId": "Host.Functions.poisoned",
        "BlobType": "BlockBlob",
        "ContainerName": "host-polled",
        "BlobName": name,
        "ETag": properties.etag,
    }


def test_a_function_may_take_the_content_of_a_blob(
    triggers_host: RunningHost, counters: Path, blob_service: BlobServiceClient
) -> None:
    container = _container(blob_service, "host-content")
    container.upload_blob("a/b.txt", "ä".encode())
    _wait_for_offers(counters, "read", "host-content/a/b.txt 2 ä", 1)


def _container(service: BlobServiceClient, name: str) -> Any:
    container = service.get_container_client(name)
    if not container.exists():
        container.create_container()
    return container


def _wait_for_offers(counters: Path, function: str, line: str, number: int) -> None:
    wait_until(lambda: lines(counters, function).count(line) == number, f"{number} offers of {line}")


def subject(blob: str, container: str = "host-inbox") -> str:
    return f"/blobServices/default/containers/{container}/blobs/{blob}"


def notify(host: RunningHost, body: Any, function: str = "dropped", kind: str = "Notification") -> Any:
    url = f"{host.url}/runtime/webhooks/blobs?functionName=Host.Functions.{function}"
    data = body if isinstance(body, str) else json.dumps(body)
    return host.session.post(url, data=data, headers={"aeg-event-type": kind})


def test_both_event_schemas_reach_the_function_singly_and_in_arrays(
    triggers_host: RunningHost, counters: Path
) -> None:
    names = [f"a b/{uuid4().hex}.csv" for _ in range(3)]
    kind = "Microsoft.Storage.BlobCreated"
    assert notify(triggers_host, {"type": kind, "subject": subject(names[0])}).status_code == 202
    grid = [{"eventType": kind, "subject": subject(name)} for name in names[1:]]
    assert notify(triggers_host, grid).status_code == 202
    for name in names:
        _wait_for_offers(counters, "dropped", f"host-inbox {name}", 1)


@pytest.mark.parametrize(
    "event",
    [
        {"eventType": "Microsoft.Storage.BlobCreated", "subject": subject("x", container="other")},
        {"eventType": "Microsoft.Storage.BlobDeleted", "subject": subject("deleted")},
        {"eventType": "Microsoft.Storage.BlobCreated", "subject": "/nonsense"},
    ],
)
def test_other_events_are_accepted_and_ignored(
    triggers_host: RunningHost, counters: Path, event: dict[str, str]
) -> None:
    assert notify(triggers_host, event).status_code == 202
    later = uuid4().hex
    notify(triggers_host, {"type": "Microsoft.Storage.BlobCreated", "subject": subject(later)})
    _wait_for_offers(counters, "dropped", f"host-inbox {later}", 1)
    assert not {"other x", "host-inbox deleted"} & set(lines(counters, "dropped"))


def test_the_webhook_validates_its_subscription(triggers_host: RunningHost) -> None:
    body = [{"data": {"validationCode": "a code"}}]
    answer = notify(triggers_host, body, kind="SubscriptionValidation")
    assert (answer.status_code, answer.json()) == (200, {"validationResponse": "a code"})


def test_the_webhook_refuses_what_it_cannot_place(triggers_host: RunningHost) -> None:
    assert notify(triggers_host, [], function="host-polled").status_code == 404
    assert notify(triggers_host, "{").status_code == 400
    assert notify(triggers_host, [], kind="Unknown").status_code == 400


def test_event_grid_leads_a_new_blob_to_its_function(
    triggers_host: RunningHost, counters: Path, blob_service: BlobServiceClient
) -> None:
    name = f"{uuid4().hex}/ä b.csv"
    with blob_service.get_container_client("host-inbox") as container:
        url = f"{triggers_host.url}/runtime/webhooks/blobs?functionName=Host.Functions.dropped"
        grid = EventGrid(container, url)
        grid.start()
        container.create_container()
        container.upload_blob(name, b"")
        _wait_for_offers(counters, "dropped", f"host-inbox {name}", 1)
        assert grid.deliver(name) == 202
        _wait_for_offers(counters, "dropped", f"host-inbox {name}", 2)
        grid.stop()
