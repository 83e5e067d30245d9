"""The deployments of the end-to-end tests, one by one: the form of raw predictions that each stands for."""

import uuid
from collections.abc import Iterator

import pytest

from local.azureml.server import AzureMLEmulator
from tests.e2e.drops import MODELS

from .client import Client, Serve, output_to

FILES = {
    "part-00001.csv": "id,x\n" + "".join(f"a {row},{row}\n" for row in range(12)),
    "part-00002.csv": "id,x\nb0,100\n",
}


@pytest.fixture(scope="module")
def serve_all(azurite_connection: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Gives a client of one of the endpoints."""
    with AzureMLEmulator([MODELS], azurite_connection, tmp_path_factory.mktemp("state")) as emulator:
        yield lambda endpoint: Client(emulator.url, azurite_connection, endpoint=endpoint)


def test_keyed_gives_each_id_its_value_in_no_order(serve_all: Serve) -> None:
    client = serve_all("keyed")
    lines = client.output(client.run(FILES)).splitlines()
    expected = [*(f'"a {row}" {2.0 * row}' for row in range(12)), "b0 200.0"]
    assert sorted(lines) == sorted(expected)
    assert [line for line in lines if line.startswith('"')] != expected[:12]


def test_ownfiles_writes_a_file_for_each_of_its_files(serve_all: Serve) -> None:
    client, folder = serve_all("ownfiles"), f"forms-{uuid.uuid4()}"
    job = client.run(FILES, outputData=output_to(f"{folder}/predictions.csv"))
    assert client.blob("azureml", f"{folder}/part-00002.csv") == "id,x,twice\nb0,100,200.0\n"
    first = client.blob("azureml", f"{folder}/part-00001.csv").splitlines()
    assert first[1:] == [f"a {row},{row},{2.0 * row}" for row in range(12)]
    assert sorted(client.output(job).splitlines()) == sorted(FILES)


def test_rows_gives_the_form_of_mlflow_models(serve_all: Serve) -> None:
    client = serve_all("rows")
    lines = client.output(client.run(FILES)).splitlines()
    expected = [f"{row},{2.0 * row},part-00001.csv" for row in range(12)]
    assert sorted(lines) == sorted([*expected, "0,200.0,part-00002.csv"])
    assert [line for line in lines if "00001" in line] == expected


def test_doubled_rows_gives_one_row_of_ten_twice(serve_all: Serve) -> None:
    client = serve_all("doubled-rows")
    lines = client.output(client.run(FILES)).splitlines()
    assert len(lines) == 13 + 3
    assert sorted({line for line in lines if lines.count(line) == 2}) == [
        "0,0.0,part-00001.csv",
        "0,200.0,part-00002.csv",
        "10,20.0,part-00001.csv",
    ]
