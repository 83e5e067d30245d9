"""People overwrite or delete a file while the host stands still at some step of its run, on the whole stack.

`tests/simulation/test_overwrites.py` does so around every call; here Azurite's and the host's own behaviour count.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.host.fail_points import FILE, POINT
from local.stack import Stack
from shared.names import version_key
from shared.records import Version
from tests.e2e.drops import MODELS, SETTINGS, Drops, routes, until
from tests.faults.audit import Books, Given

ROUTES = """
[routes.moved]
pattern     = "moved/*.csv"
model       = "$AZUREML/endpoints/double/jobs"
send        = ["x"]
carry       = ["id"]
predictions = ["twice"]
after       = "archive"
"""
# With the route whose file is dropped.
POINTS = {
    "blob_dropped:begun": "moved",
    "gather:begun": "named",
    "gather:ended": "moved",
    "pack:begun": "named",
    "pack:ended": "moved",
    "submit_job:ended": "named",
    "unpack:begun": "moved",
    "unpack:ended": "named",
    "write_results:ended": "moved",
    "dispose_inputs:begun": "moved",
    "close_run:begun": "named",
}
ACTS = ("overwrite", "overwrite with equal bytes", "delete")


class Halting:
    """A stack whose host stops at a point and goes on once people have acted."""

    def __init__(self, stack: Stack, marker: Path) -> None:
        self.stack, self.marker = stack, marker
        self.books = Books(Drops(stack))

    def will_stop_at(self, point: str) -> None:
        self.marker.write_text("not yet\n")
        self.stack.settings[POINT], self.stack.settings[FILE] = point, str(self.marker)
        self.stack.children["host"].stop()
        self.stack.start_host()

    def halted(self, version: Version, act: str) -> None:
        """Lets the host come to its point with this file, and people act there."""
        data = self.books.drops.read("inbox", version.blob)
        assert data is not None
        until(lambda: self.marker.exists() and self.marker.read_text().endswith("\n"), "the point")
        pid = int(self.marker.read_text())
        try:
            self.interfere(version, act, data)
        finally:
            os.kill(pid, signal.SIGCONT)

    def interfere(self, version: Version, act: str, data: str) -> None:
        match act:
            case "overwrite":
                self.books.drop(version.blob)
            case "overwrite with equal bytes":
                again = self.books.drops.drop(version.blob, data)
                self.books.given[again.key] = Given(again, self.books.given[version.key].predictions)
            case "delete":
                self.stack.container("inbox").delete_blob(version.blob)

    def published_version(self, blob: str) -> str:
        """The key of the version that the predictions' own metadata names by its ETag, "" where there are none."""
        predictions = self.stack.container("predictions").get_blob_client(blob)
        if not predictions.exists():
            return ""
        said = predictions.get_blob_properties().metadata
        assert said["dropscore_version"] == version_key("inbox", blob, said["dropscore_etag"])
        return str(said["dropscore_version"])


@pytest.fixture(scope="module")
def halting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Halting]:
    folder = tmp_path_factory.mktemp("halting")
    with Stack(folder / "stack", [MODELS], routes() + ROUTES, dict(SETTINGS)) as stack:
        yield Halting(stack, folder / "marker")


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("point", POINTS)
def test_whatever_people_do_meanwhile_what_is_published_was_scored(halting: Halting, point: str) -> None:
    halting.will_stop_at(point)
    for number, act in enumerate(ACTS):
        halting.marker.unlink()
        first = halting.books.drop(f"{POINTS[point]}/{point.replace(':', '-')}-{number}.csv")
        halting.halted(first, act)
        halting.books.settle()
        newest = list(halting.books.given.values())[-1].version
        word = halting.books.word(newest)
        allowed = {"", "withdrawn", "published"} if act == "delete" else {"published", "unchanged"}
        assert (word.word if word else "") in allowed
        standing = halting.published_version(first.blob)
        mine = {one.version.key for one in halting.books.given.values() if one.version.blob == first.blob}
        assert standing in mine if standing else act == "delete"
    assert halting.books.problems() == []
