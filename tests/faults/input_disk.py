"""A world of the simulation in which blobs have names as long as Azure allows, and no longer."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import StorageErrorCode

from tests.faults.input_files import LONGEST
from tests.simulation import world as simulation
from tests.simulation.storage import Blob, Disk, refusal
from tests.simulation.world import World, simulated


class NarrowDisk(Disk):
    """Refuses names of more than 1,024 characters."""

    def write(
        self, container: str, name: str, data: bytes, metadata: dict[str, str], blocks: dict[str, bytes]
    ) -> Blob:
        if len(name) > LONGEST:
            raise refusal(HttpResponseError, 400, StorageErrorCode.OUT_OF_RANGE_INPUT)
        return super().write(container, name, data, metadata, blocks)


@contextmanager
def narrow() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulation, "Disk", NarrowDisk)
        with simulated() as world:
            yield world


def words(world: World) -> dict[str, str]:
    """The final words of all files, by name."""
    found: dict[str, str] = {}
    for key, blob in world.disk.container("ledger").items():
        if key.startswith("runs/") and "/result-" in key:
            found |= {line["blob"]: line["word"] for line in map(json.loads, blob.data.splitlines())}
    return found


def records(world: World) -> list[dict[str, Any]]:
    """The records of all runs."""
    ledger = world.disk.container("ledger")
    return [json.loads(blob.data) for key, blob in ledger.items() if key.endswith("/run.json")]
