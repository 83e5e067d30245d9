"""Publishing under the rules of Azure's block blobs, on an account that keeps them where Azurite does not.

Three of these fail on Azurite, which refuses to create a blob over staged blocks, and lets them stay when a blob is
put; the length of block ids and commits of others are judged alike. There is nothing about Copy Blob, whose limits
differ, too: the app does not use it.
"""

from collections.abc import Callable, Iterator

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobBlock

from activities.predictions import unpack
from shared import work
from shared.blob_io import refusal
from shared.records import Launch
from tests.activities.conftest import App, in_memory
from tests.activities.stages import job_ended, packed, twice, unpacked, whole
from tests.activities.test_large_files import limit

NAME = "named/a.csv"
LARGE = "id,x\n" + "".join(f"r{row},{row}\n" for row in range(40))
PREDICTIONS = b"id,twice\n" + b"".join(b"r%d,%.1f\n" % (row, 2 * row) for row in range(40))
SMALL, SMALL_PREDICTIONS = "id,x\nold,1\n", b"id,twice\nold,2.0\n"


@pytest.fixture
def app(app: App) -> Iterator[App]:
    with in_memory(app) as chosen:
        yield chosen


@pytest.fixture(autouse=True)
def portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call unpacks ten rows, so that large files are staged in several calls."""
    limit(monkeypatch, stretch=150, block=40, rows=10)


def scored(app: App, data: str, **changes: object) -> Launch:
    """A run of one file, cut into parts of some ten rows, whose job has completed."""
    route = app.named(match="row", part_size="50B", **changes)
    launch = packed(app, app.drop(NAME, data), route=route)
    job_ended(app, launch, "".join(twice(app, launch, "row")))
    return launch


def half_staged(app: App) -> tuple[Launch, Callable[[], object]]:
    """A run of the large file, some of whose rows are staged, and what goes on with it."""
    launch = scored(app, LARGE)
    at_once = unpack(launch.to_dict())["at_once"]

    def go_on() -> object:
        return [unpack({**launch.to_dict(), "chunk": number}) for number in range(1, at_once + 1)]

    return launch, go_on


def test_a_name_under_which_rows_are_staged_is_free_for_an_older_version(app: App) -> None:
    """Azurite answers If-None-Match: * on a name with nothing but staged blocks as if a blob stood there."""
    older = scored(app, SMALL)
    half_staged(app)
    assert unpacked(app, older).word == "published"
    assert app.read("predictions", NAME) == SMALL_PREDICTIONS


def test_rows_that_were_staged_before_predictions_were_put_are_staged_again_by_the_next_launch(
    app: App,
) -> None:
    """Put Blob discards staged blocks; on Azurite they stay."""
    older = scored(app, SMALL)
    launch, go_on = half_staged(app)
    unpacked(app, older)
    with pytest.raises(HttpResponseError) as problem:
        go_on()
    assert not refusal(problem.value)
    assert app.read("predictions", NAME) == SMALL_PREDICTIONS
    later = launch.but(launch=2)
    app.ledger.open(later, app.named())
    whole(unpack, later)
    assert work.verdicts(app.run(later), "unpack")[-1].word == "published"
    assert app.read("predictions", NAME) == PREDICTIONS


@pytest.mark.parametrize("in_blocks", [False, True])
def test_a_blob_of_others_that_discards_staged_rows_stays(app: App, in_blocks: bool) -> None:
    launch, go_on = half_staged(app)
    blob = app.container("predictions").get_blob_client(NAME)
    if in_blocks:
        theirs = BlobBlock("0" * len(f"{launch.run}-0001-01-00000-00000"))
        blob.stage_block(theirs.id, b"theirs")
        blob.commit_block_list([theirs])
    else:
        blob.upload_blob(b"theirs")
    go_on()
    assert work.verdicts(app.run(launch), "unpack")[-1].word == "failed"
    assert app.read("predictions", NAME) == b"theirs"


def test_blocks_that_others_have_left_under_the_name_fail_that_file_only(app: App) -> None:
    """An interrupted upload; ids of one name must have one length, and nobody but storage can take them away."""
    app.container("predictions").get_blob_client(NAME).stage_block("theirs", b"x")
    route = app.named(match="row", part_size="50B")
    versions = [app.drop(NAME, LARGE), app.drop("named/b.csv", LARGE)]
    launch = packed(app, *versions, route=route)
    job_ended(app, launch, "".join(twice(app, launch, "row")))
    whole(unpack, launch)
    verdicts = {one.blob: one for one in work.verdicts(app.run(launch), "unpack")}
    assert (verdicts[NAME].word, verdicts["named/b.csv"].word) == ("failed", "published")
    assert "InvalidBlobOrBlock" in verdicts[NAME].why
