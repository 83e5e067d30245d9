"""What Event Grid does on Azure, for a container of Azurite: posts a BlobCreated event for each new blob version."""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import requests
from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import BlobProperties, ContainerClient

POLL_INTERVAL = 0.25  # seconds
ANSWER_TIMEOUT = 30  # seconds, as Event Grid waits
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds between redeliveries; Event Grid's begin at 10
MAX_ATTEMPTS = 30
# Event Grid gives these up at once; nothing is delivered again.
NEVER_RETRIED = (400, 401, 403, 413)

logger = logging.getLogger(__name__)


@dataclass
class _Delivery:
    event: dict[str, Any]
    due: float
    attempts: int = 0


class EventGrid:
    """Watches one container and delivers its events to one webhook: at least once, until answered 2xx."""

    def __init__(self, container: ContainerClient, webhook_url: str) -> None:
        """`webhook_url` is the whole address, such as that of the Functions host's blob webhook."""
        self._container = container
        self._webhook_url = webhook_url
        self._session = requests.Session()
        # Looking for proxies reads the environment, which tests of the same process change meanwhile.
        self._session.trust_env = False
        self._known: dict[str, str] = {}
        self._pending: deque[_Delivery] = deque()
        self._stopped = threading.Event()
        self._losing = threading.Event()
        self._away = False
        self._thread = threading.Thread(target=self._run, name="event-grid", daemon=True)

    def start(self) -> None:
        """Begin to watch: what lies in the container now is known, whatever comes later makes an event."""
        self._known = {blob.name: blob.etag for blob in self._listing()}
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; what has not been delivered is forgotten."""
        self._stopped.set()
        self._thread.join()
        self._session.close()

    def deliver(self, name: str) -> int:
        """Send the event of the blob's present version once more; returns the webhook's HTTP status."""
        return self._post(self._event(self._container.get_blob_client(name).get_blob_properties()))

    @contextmanager
    def losing_events(self) -> Iterator[None]:
        """Whatever is dropped inside the block is never announced."""
        self._losing.set()
        try:
            yield
            self._notice(self._listing())
        finally:
            self._losing.clear()

    def _run(self) -> None:
        while not self._stopped.is_set():
            started = time.monotonic()
            self._notice(self._listing())
            listed = time.monotonic() - started
            self._deliver_due()
            self._stopped.wait(max(POLL_INTERVAL, 2 * listed))

    def _listing(self) -> Iterable[BlobProperties]:
        """What lies in the container. An outage is told of once, and that it is over."""
        try:
            listed = list(self._container.list_blobs(retry_total=0))
        except ResourceNotFoundError:
            return []
        except AzureError as error:
            if not self._away:
                logger.warning("the container cannot be listed, will try again: %s", error)
            self._away = True
            return []
        if self._away:
            logger.info("the container can be listed again")
        self._away = False
        return listed

    def _notice(self, blobs: Iterable[BlobProperties]) -> None:
        for blob in blobs:
            if self._known.get(blob.name) != blob.etag:
                self._known[blob.name] = blob.etag
                if not self._losing.is_set():
                    self._pending.append(_Delivery(self._event(blob), due=time.monotonic()))

    def _deliver_due(self) -> None:
        for _ in range(len(self._pending)):
            delivery = self._pending.popleft()
            if self._stopped.is_set() or not self._settled(delivery):
                self._pending.append(delivery)

    def _settled(self, delivery: _Delivery) -> bool:
        """Try a delivery that is due; returns whether Event Grid would be done with it."""
        if delivery.due > time.monotonic():
            return False
        status = self._attempt(delivery.event)
        delivery.attempts += 1
        if 200 <= status < 300:
            return True
        if status in NEVER_RETRIED or delivery.attempts == MAX_ATTEMPTS:
            logger.error("dropped the event of %s: answered %d", delivery.event["subject"], status)
            return True
        delivery.due = time.monotonic() + min(FIRST_PAUSE * 2 ** (delivery.attempts - 1), LONGEST_PAUSE)
        return False

    def _attempt(self, event: dict[str, Any]) -> int:
        try:
            return self._post(event)
        except requests.RequestException as error:
            logger.info("the webhook did not answer, will try again: %s", error)
            return 0

    def _post(self, event: dict[str, Any]) -> int:
        headers = {"aeg-event-type": "Notification"}
        answer = self._session.post(
            self._webhook_url, json=[event], headers=headers, timeout=ANSWER_TIMEOUT, allow_redirects=False
        )
        return answer.status_code

    def _event(self, blob: BlobProperties) -> dict[str, Any]:
        """Return the event of one blob version; the same version always has the same id."""
        account, container = self._container.account_name, self._container.container_name
        etag = blob.etag.strip('"')
        return {
            "topic": "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local/providers"
            f"/Microsoft.Storage/storageAccounts/{account}",
            "subject": f"/blobServices/default/containers/{container}/blobs/{blob.name}",
            "eventType": "Microsoft.Storage.BlobCreated",
            "eventTime": datetime.now(UTC).isoformat(),
            "id": str(uuid5(NAMESPACE_URL, f"{container}/{blob.name}/{etag}")),
            "data": {
                "api": "PutBlob",
                "requestId": str(uuid5(NAMESPACE_URL, etag)),
                "eTag": etag,
                "contentType": blob.content_settings.content_type,
                "contentLength": blob.size,
                "blobType": str(blob.blob_type.value if blob.blob_type else "BlockBlob"),
                "url": self._container.get_blob_client(blob.name).url,
                "sequencer": f"{time.time_ns():048x}",
                "storageDiagnostics": {"batchId": str(uuid5(NAMESPACE_URL, etag))},
            },
            "dataVersion": "",
            "metadataVersion": "1",
        }
