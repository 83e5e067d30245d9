"""What people, processes and machines do while files are scored."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import requests

from shared.records import Version
from tests.e2e.drops import post, until
from tests.faults.conftest import Faulty


def first(faulty: Faulty) -> Version:
    """The version that was dropped first."""
    return next(iter(faulty.books.given.values())).version


def calm_after(seconds: float) -> Callable[[Faulty], None]:
    def act(faulty: Faulty) -> None:
        time.sleep(seconds)
        faulty.calm()

    return act


def restart_host(faulty: Faulty) -> None:
    """A fresh process has no token."""
    faulty.stack.children["host"].stop()
    faulty.stack.start_host()


def kill_host(faulty: Faulty) -> None:
    faulty.drops.submitted(first(faulty))
    faulty.stack.children["host"].kill()
    faulty.stack.start_host()


def away(name: str, seconds: float) -> Callable[[Faulty], None]:
    """A child of the stack ends as told, so that Azurite keeps what it has acknowledged, and comes back."""

    def act(faulty: Faulty) -> None:
        faulty.drops.submitted(first(faulty))
        faulty.stack.children[name].stop()
        time.sleep(seconds)
        getattr(faulty.stack, f"start_{name}")()

    return act


def rerun_failed(faulty: Faulty) -> None:
    """A person sees that the output was late, and lets the run go on: its job is not paid for again."""
    run, word = faulty.drops.closed(first(faulty))
    assert word.word == "failed"
    time.sleep(2)
    assert post(faulty.drops, f"runs/{run.run}/rerun").status_code == 202


def overwrite(faulty: Faulty) -> None:
    version = first(faulty)
    faulty.drops.submitted(version)
    faulty.books.drop(version.blob)


def delete(faulty: Faulty) -> None:
    version = first(faulty)
    faulty.drops.submitted(version)
    faulty.stack.container("inbox").delete_blob(version.blob)


def drop_bad(faulty: Faulty) -> None:
    faulty.books.drop_bad(f"{first(faulty).blob.rpartition('/')[0]}/bad.csv")


def lease_predictions(faulty: Faulty) -> None:
    """Of an earlier version, which stay as they are."""
    version = first(faulty)
    faulty.drops.closed(version)
    faulty.stack.container("predictions").get_blob_client(version.blob).acquire_lease(60)
    faulty.books.drop(version.blob)


def foreign_blob(faulty: Faulty) -> None:
    faulty.stack.container("predictions").upload_blob(faulty.first, b"theirs")


def repeat_event(faulty: Faulty) -> None:
    """The event that a blob was dropped comes again and again, before and after the end."""
    blob = faulty.stack.container("inbox").get_blob_client(first(faulty).blob)
    event = {
        "id": "again",
        "eventType": "Microsoft.Storage.BlobCreated",
        "subject": f"/blobServices/default/containers/inbox/blobs/{blob.blob_name}",
        "eventTime": datetime.now(UTC).isoformat(),
        "data": {"api": "PutBlob", "url": blob.url, "eTag": "0x1", "contentLength": 1},
        "dataVersion": "",
        "metadataVersion": "1",
        "topic": "/",
    }
    url = f"{faulty.stack.host_url}/runtime/webhooks/blobs?functionName=Host.Functions.blob_dropped"

    def send(_: int) -> int:
        return requests.post(
            url, json=[event], headers={"aeg-event-type": "Notification"}, timeout=60
        ).status_code

    with ThreadPoolExecutor(8) as senders:
        assert set(senders.map(send, range(25))) <= {200, 202}
        until(lambda: faulty.books.word(first(faulty)), "the word")
        assert set(senders.map(send, range(25))) <= {200, 202}
