"""Addresses of inputs and outputs, and durations, as the service writes them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.azureml.addresses import AddressError, BlobAddress, Places, blob_address
from local.azureml.clock import iso_duration
from local.azureml.resources import Resource, ResourceStore
from local.azureml.workspace import WORKSPACE_GUID, WORKSPACE_ID

AZURE = "https://acct.blob.core.windows.net"
PROVIDER = "/providers/Microsoft.MachineLearningServices"
AZURITE = "http://127.0.0.1:10000/devstoreaccount1"


@pytest.mark.parametrize(
    ("uri", "service", "address"),
    [
        (f"{AZURE}/work/runs/1/", AZURE, BlobAddress("work", "runs/1")),
        (f"{AZURE}/work", AZURE, BlobAddress("work", "")),
        (f"{AZURE}/work/a%20b%2Bc.csv?sig=1", AZURE, BlobAddress("work", "a b+c.csv")),
        ("https://ACCT.blob.core.windows.net/w/x", AZURE, BlobAddress("w", "x")),
        (f"{AZURITE}/work/x.csv", AZURITE, BlobAddress("work", "x.csv")),
        ("http://localhost:10000/devstoreaccount1/work/x.csv", AZURITE, BlobAddress("work", "x.csv")),
        ("http://127.0.0.1:10001/devstoreaccount1/work/x.csv", AZURITE, None),
        ("https://other.blob.core.windows.net/work/x", AZURE, None),
    ],
)
def test_a_blob_url_is_led_back_to_its_container(uri: str, service: str, address: BlobAddress | None) -> None:
    assert blob_address(uri, service) == address


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    """The places of a workspace with two datastores and a data asset in one of them."""
    store = ResourceStore(tmp_path / "resources.sqlite")
    for name, container in (("workspaceblobstore", "azureml"), ("raw", "raw-data")):
        store.put(Resource(path=f"datastores/{name}", properties={"containerName": container}))
    uri = {"dataUri": "azureml://datastores/raw/paths/hearts/"}
    store.put(Resource(path="data/hearts/versions/3", properties=uri))
    yield Places(store, AZURITE)
    store.close()


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("azureml://datastores/raw/paths/a/b.csv", BlobAddress("raw-data", "a/b.csv")),
        ("azureml://datastores/WorkspaceBlobStore/paths/a/", BlobAddress("azureml", "a")),
        (
            f"azureml:/{WORKSPACE_ID}/datastores/raw/paths/x".replace(PROVIDER, ""),
            BlobAddress("raw-data", "x"),
        ),
        (f"{WORKSPACE_ID}/datastores/raw/paths/x", BlobAddress("raw-data", "x")),
        (f"{WORKSPACE_ID}/data/hearts/versions/3", BlobAddress("raw-data", "hearts")),
        (f"azureml:{WORKSPACE_ID}/data/hearts/versions/3", BlobAddress("raw-data", "hearts")),
        (
            f"azureml://locations/local/workspaces/{WORKSPACE_GUID}/data/hearts/versions/3",
            BlobAddress("raw-data", "hearts"),
        ),
        (f"{AZURITE}/work/x.csv", BlobAddress("work", "x.csv")),
        ("https://other.blob.core.windows.net/work/x", None),
    ],
)
def test_every_form_of_address_leads_to_its_blob(
    places: Places, uri: str, address: BlobAddress | None
) -> None:
    assert places.find(uri) == address


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("azureml://datastores/other/paths/x", "names no datastore of this workspace"),
        (
            "azureml://subscriptions/s/resourcegroups/local/workspaces/local/datastores/raw/paths/x",
            "names no datastore of this workspace",
        ),
        (f"{WORKSPACE_ID}/data/hearts/versions/4", "names no data asset of this workspace"),
        ("azureml://locations/x/workspaces/other/data/hearts/versions/3", "names no data asset"),
        ("azureml:hearts:3", "clients look up their ARM ids"),
        ("azureml://registries/azureml/data/x/versions/1", "assets of registries"),
        ("wasbs://c@a.blob.core.windows.net/y", "wasb"),
        ("abfss://c@a.dfs.core.windows.net/y", "abfs"),
    ],
)
def test_other_addresses_are_refused_by_name(places: Places, uri: str, said: str) -> None:
    with pytest.raises(AddressError, match=said):
        places.find(uri)


@pytest.mark.parametrize(
    ("seconds", "text"), [(30, "PT30S"), (300, "PT5M"), (3900, "PT1H5M"), (0.5, "PT0.5S"), (0, "PT0S")]
)
def test_durations_are_written_as_the_service_writes_them(seconds: float, text: str) -> None:
    assert iso_duration(seconds) == text
