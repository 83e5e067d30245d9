"""Addresses of inputs and outputs, and durations, as the service writes them."""

import pytest

from local.azureml.addresses import AddressError, BlobAddress, blob_address, datastore_address
from local.azureml.invocation import iso_duration

AZURE = "https://acct.blob.core.windows.net"
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


@pytest.mark.parametrize(
    "uri",
    [
        "azureml://datastores/other/paths/x",
        "azureml://subscriptions/s/resourcegroups/local/workspaces/local/datastores/workspaceblobstore/paths/x",
    ],
)
def test_other_datastores_and_workspaces_are_refused(uri: str) -> None:
    with pytest.raises(AddressError, match="names no datastore of this workspace"):
        datastore_address(uri)


@pytest.mark.parametrize(
    ("seconds", "text"), [(30, "PT30S"), (300, "PT5M"), (3900, "PT1H5M"), (0.5, "PT0.5S"), (0, "PT0S")]
)
def test_durations_are_written_as_the_service_writes_them(seconds: float, text: str) -> None:
    assert iso_duration(seconds) == text
