"""The local Event Grid against a container that is a dictionary and a webhook that answers as it is told."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest
from azure.core.exceptions import ResourceNotFoundError, ServiceRequestError
from azure.storage.blob import BlobProperties, ContainerClient

from local.eventgrid import EventGrid

PATIENCE = 60.0  # seconds; only a failing test waits that long


class Blob:
    """A client of one blob."""

    def __init__(self, container: "Container", name: str) -> None:
        self._container = container
        self._name = name
        self.url = f"http://127.0.0.1/account/inbox/{name}"

    def get_blob_properties(self) -> BlobProperties:
        return next(blob for blob in self._container.list_blobs() if blob.name == self._name)


class Container:
    """A container that may not exist yet, or be out of reach."""

    account_name = "account"
    container_name = "inbox"

    def __init__(self) -> None:
        self.etags: dict[str, str] | None = {}
        self.away = False
        self.asked = 0

    def list_blobs(self, **_: object) -> list[BlobProperties]:
        self.asked += 1
        if self.away:
            raise ServiceRequestError("connection refused")
        if self.etags is None:
            raise ResourceNotFoundError("no such container")
        return [self._properties(name, etag) for name, etag in list(self.etags.items())]

    def get_blob_client(self, name: str) -> Blob:
        return Blob(self, name)

    @staticmethod
    def _properties(name: str, etag: str) -> BlobProperties:
        properties = BlobProperties(**{"Content-Length": 0, "Content-Type": "text/csv"})
        properties.name, properties.etag = name, etag
        return properties


@dataclass
class Webhook:
    """What was delivered, and the statuses to answer with: 202 when there are none left."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    deliveries: list[dict[str, Any]] = field(default_factory=list)

    def subjects(self) -> list[str]:
        return [event["subject"].rpartition("/blobs/")[2] for event in self.deliveries]


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """A running webhook."""
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["aeg-event-type"] == "Notification"
            hook.deliveries += json.loads(body)
            self.send_response(hook.statuses.pop(0) if hook.statuses else 202)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        hook.url = f"http://127.0.0.1:{server.server_port}/runtime/webhooks/blobs"
        yield hook
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll and deliver again without the usual pauses."""
    monkeypatch.setattr("local.eventgrid.POLL_INTERVAL", 0.01)
    monkeypatch.setattr("local.eventgrid.FIRST_PAUSE", 0.01)


@pytest.fixture
def container() -> Container:
    return Container()


@pytest.fixture
def grid(container: Container, webhook: Webhook) -> Iterator[Callable[[], EventGrid]]:
    """Starts an Event Grid between the container and the webhook."""
    started: list[EventGrid] = []

    def start() -> EventGrid:
        started.append(EventGrid(cast(ContainerClient, container), webhook.url))
        started[-1].start()
        return started[-1]

    yield start
    for event_grid in started:
        event_grid.stop()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_only_what_comes_after_the_start_makes_events(
    container: Container, webhook: Webhook, grid: Callable[[], EventGrid]
) -> None:
    container.etags = {"old.csv": "1"}
    grid()
    container.etags |= {"a b/new.csv": "1"}
    wait_for(lambda: webhook.subjects() == ["a b/new.csv"])


def test_each_version_makes_one_event_of_the_real_shape(
    container: Container, webhook: Webhook, grid: Callable[[], EventGrid]
) -> None:
    grid()
    container.etags = {"a.csv": '"0x1"'}
    wait_for(lambda: len(webhook.deliveries) == 1)
    container.etags = {"a.csv": '"0x2"'}
    wait_for(lambda: len(webhook.deliveries) == 2)
    event = webhook.deliveries[0]
    assert event["eventType"] == "Microsoft.Storage.BlobCreated"
    assert event["subject"] == "/blobServices/default/containers/inbox/blobs/a.csv"
    assert event["topic"].endswith("/providers/Microsoft.Storage/storageAccounts/account")
    data = event["data"]
    assert (data["eTag"], data["contentLength"], data["contentType"]) == ("0x1", 0, "text/csv")
    assert (data["api"], data["blobType"], data["url"]) == (
        "PutBlob",
        "BlockBlob",
        "http://127.0.0.1/account/inbox/a.csv",
    )
    assert webhook.deliveries[1]["id"] != event["id"]


@pytest.mark.parametrize("refusal", [500, 404, 302])
def test_an_event_is_delivered_again_until_it_is_taken(
    container: Container, webhook: Webhook, grid: Callable[[], EventGrid], refusal: int
) -> None:
    webhook.statuses = [refusal, refusal]
    grid()
    container.etags = {"a.csv": "1"}
    wait_for(lambda: len(webhook.deliveries) == 3)
    assert len({event["id"] for event in webhook.deliveries}) == 1


@pytest.mark.parametrize("refusal", [400, 401, 403, 413])
def test_some_refusals_drop_the_event_for_good(
    container: Container, webhook: Webhook, grid: Callable[[], EventGrid], refusal: int
) -> None:
    webhook.statuses = [refusal]
    grid()
    container.etags = {"a.csv": "1"}
    wait_for(lambda: len(webhook.deliveries) == 1)
    container.etags = {"a.csv": "1", "b.csv": "1"}
    wait_for(lambda: webhook.subjects() == ["a.csv", "b.csv"])


def test_a_missing_container_is_waited_for(
    container: Container, webhook: Webhook, grid: Callable[[], EventGrid]
) -> None:
    container.etags = None
    grid()
    container.etags = {"a.csv": "1"}
    wait_for(lambda: webhook.subjects() == ["a.csv"])


def test_an_outage_is_told_of_once(
    container: Container, webhook: Webhook, grid: Callable[[], EventGrid], caplog: pytest.LogCaptureFixture
) -> None:
    grid()
    for name in ("a.csv", "b.csv"):
        container.away, asked = True, container.asked
        wait_for(lambda asked=asked: container.asked > asked + 5)  # type: ignore[misc]
        container.etags, container.away = {name: "1"}, False
        wait_for(lambda name=name: webhook.subjects()[-1:] == [name])  # type: ignore[misc]
    warnings = [record.message for record in caplog.records if "cannot be listed" in record.message]
    assert len(warnings) == 2


def test_an_event_can_be_delivered_twice_on_purpose(
    container: Container, webhook: Webhook, grid: Callable[[], EventGrid]
) -> None:
    container.etags = {"a.csv": "1"}
    event_grid = grid()
    assert event_grid.deliver("a.csv") == 202
    webhook.statuses = [503]
    assert event_grid.deliver("a.csv") == 503
    assert len({event["id"] for event in webhook.deliveries}) == 1
