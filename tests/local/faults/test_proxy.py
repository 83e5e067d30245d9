"""The fault proxy before Azurite: it passes everything on as it is, and spoils what a plan says."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ServiceResponseError
from azure.storage.blob import BlobBlock, BlobServiceClient, ContainerClient

from local.children import Child
from local.stack import ROOT, Stack, in_use


class Proxied:
    """A container of one account, reached straight and through the proxy."""

    def __init__(self, stack: Stack) -> None:
        self.control = f"{stack.storage_faults_url}/control/faults"
        self.through = BlobServiceClient.from_connection_string(stack.app_storage, retry_total=0)
        self.straight = BlobServiceClient.from_connection_string(stack.connection_string)

    def faults(self, *faults: dict[str, object]) -> None:
        requests.post(self.control, json=list(faults), timeout=10).raise_for_status()

    def container(self, name: str) -> ContainerClient:
        return self.through.get_container_client(name)

    def data(self, name: str) -> bytes | None:
        blob = self.straight.get_blob_client("data", name)
        return blob.download_blob().readall() if blob.exists() else None


@pytest.fixture(scope="module")
def storage(azurite_connection: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    stack = Stack(tmp_path_factory.mktemp("proxy"), storage_faults=True)
    blob_port = int(azurite_connection.split("BlobEndpoint=http://127.0.0.1:")[1].split("/")[0])
    stack.ports["blob"] = blob_port
    stack.start_storage_faults()
    proxied = Proxied(stack)
    proxied.straight.create_container("data")
    yield proxied
    proxied.through.close()
    proxied.straight.close()
    stack.stop_children()


@pytest.fixture(autouse=True)
def calm(storage: Proxied) -> None:
    requests.delete(storage.control, timeout=10).raise_for_status()


def test_everything_passes_as_it_is(storage: Proxied) -> None:
    container, body = storage.container("data"), bytes(range(256)) * 5_000
    blob = container.upload_blob("pass/ä b+c%.csv", body, metadata={"one": "two"})
    assert storage.data("pass/ä b+c%.csv") == body
    assert blob.download_blob(100, 1_000).readall() == body[100:1_100]
    seen = blob.get_blob_properties()
    assert (seen.size, seen.metadata) == (len(body), {"one": "two"})
    blob.stage_block("a" * 4, b"x")
    blob.commit_block_list([BlobBlock("a" * 4)])
    assert storage.data("pass/ä b+c%.csv") == b"x"
    container.get_blob_client("pass/copy").start_copy_from_url(blob.url, requires_sync=True)
    assert storage.data("pass/copy") == b"x"
    assert sorted(container.list_blob_names(name_starts_with="pass/")) == ["pass/copy", "pass/ä b+c%.csv"]
    with pytest.raises(ResourceExistsError):
        container.upload_blob("pass/copy", b"")
    container.delete_blob("pass/copy")
    container.delete_blob("pass/ä b+c%.csv")
    assert not list(container.list_blob_names(name_starts_with="pass/"))


@pytest.mark.parametrize("status", [409, 412, 429, 500, 503])
@pytest.mark.parametrize("after", [False, True])
def test_a_write_is_refused_before_or_after_it_takes_effect(
    storage: Proxied, status: int, after: bool
) -> None:
    name = f"refused-{status}-{after}"
    storage.faults({"do": "answer", "on": f"^PUT .*{name}", "status": status, "after": after})
    with pytest.raises(HttpResponseError) as refusal:
        storage.container("data").upload_blob(name, b"data")
    assert refusal.value.status_code == status
    assert storage.data(name) == (b"data" if after else None)


@pytest.mark.parametrize("after", [False, True])
def test_a_connection_is_reset_before_or_after_the_effect(storage: Proxied, after: bool) -> None:
    storage.faults({"do": "reset", "on": f"^PUT .*reset-{after}", "after": after})
    with pytest.raises(ServiceResponseError):
        storage.container("data").upload_blob(f"reset-{after}", b"data")
    assert storage.data(f"reset-{after}") == (b"data" if after else None)


def test_a_download_ends_halfway(storage: Proxied) -> None:
    blob = storage.container("data").upload_blob("halved", b"0123456789" * 100)
    storage.faults({"do": "cut", "on": "^GET .*halved", "times": None})
    with pytest.raises(HttpResponseError):
        blob.download_blob().readall()


def test_storage_that_is_away_is_said_to_be(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    command = [sys.executable, "-m", "local.faults.proxy", "--port", str(stack.ports["faults"])]
    gone = f"http://127.0.0.1:{stack.ports['blob']}"
    child = Child("faults", [*command, "--to", gone], tmp_path / "log", {"PYTHONPATH": str(ROOT)})
    child.wait_until(lambda: in_use(stack.ports["faults"]))
    assert requests.get(f"{stack.storage_faults_url}/x", timeout=10).status_code == 503
    child.stop()
    assert child.process.returncode == 0
