"""Publishing: whole, newest, and never over what is not ours."""

import time
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from activities.predictions import unpack
from shared import work
from tests.activities.conftest import App, in_memory
from tests.activities.stages import job_ended, packed, published, rows, scored, unpacked, whole

AZURITE = pytest.mark.parametrize("app", ["azurite"], indirect=True)


@pytest.fixture(params=["azurite", "azure's rules"])
def app(request: pytest.FixtureRequest, app: App) -> Iterator[App]:
    """Every test on both."""
    with nullcontext(app) if request.param == "azurite" else in_memory(app) as chosen:
        yield chosen


def test_predictions_are_published_with_their_header_and_carried_columns(app: App) -> None:
    version = app.drop("double/a.csv", 'id,x\n"a ""1""",1\nb,2\n')
    verdict = unpacked(app, scored(app, version, "2.0\n4.0\n"))
    assert (verdict.word, verdict.where) == (
        "published",
        f"{app.container('predictions').container_name}/double/a.csv",
    )
    assert app.read("predictions", "double/a.csv") == b'id,twice\n"a ""1""",2.0\nb,4.0\n'


def test_unpacking_again_changes_nothing(app: App) -> None:
    launch = scored(app, app.drop("double/a.csv", "id,x\na,1\n"), "2.0\n")
    unpacked(app, launch)
    blob = app.container("predictions").get_blob_client("double/a.csv")
    etag = blob.get_blob_properties().etag
    assert unpacked(app, launch).word == "published"
    assert blob.get_blob_properties().etag == etag


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, "wrote nothing"),
        ("", "returned 0 of 2 rows"),
        ("2.0\n", "returned 1 of 2 rows"),
        ("2.0\n4.0\n6.0\n", "returned more than 2 rows"),
    ],
    ids=["no file", "empty", "too few", "too many"],
)
def test_predictions_that_do_not_match_the_rows_are_never_visible(
    app: App, raw: str | None, reason: str
) -> None:
    launch = scored(app, app.drop("double/a.csv", "id,x\na,1\nb,2\n"), raw)
    verdict = unpacked(app, launch)
    assert verdict.word == ""
    assert reason in verdict.why
    assert app.run(launch).failed_stage == "unpack"
    assert not app.exists("predictions", "double/a.csv")


def test_a_blob_that_is_not_ours_stays(app: App) -> None:
    app.container("predictions").upload_blob("double/a.csv", b"theirs")
    verdict = unpacked(app, scored(app, app.drop("double/a.csv", "id,x\na,1\n"), "2.0\n"))
    assert verdict.word == "failed"
    assert app.read("predictions", "double/a.csv") == b"theirs"


def test_somebodys_copy_of_other_predictions_stays(app: App) -> None:
    published(app, "double/a.csv", "id,x\na,1\n", "2.0\n")
    standing = app.container("predictions").get_blob_client("double/a.csv").get_blob_properties()
    app.container("predictions").upload_blob("double/b.csv", b"a copy", metadata=standing.metadata)
    assert unpacked(app, scored(app, app.drop("double/b.csv", "id,x\na,2\n"), "4.0\n")).word == "failed"
    assert app.read("predictions", "double/b.csv") == b"a copy"


def test_a_newer_version_replaces_older_predictions(app: App) -> None:
    published(app, "double/a.csv", "id,x\na,1\n", "2.0\n")
    assert unpacked(app, scored(app, app.drop("double/a.csv", "id,x\na,5\n"), "10.0\n")).word == "published"
    assert app.read("predictions", "double/a.csv") == b"id,twice\na,10.0\n"


def test_an_older_version_never_replaces_newer_predictions(app: App) -> None:
    slow = scored(app, app.drop("double/a.csv", "id,x\na,1\n"), "2.0\n")
    fast = scored(app, app.drop("double/a.csv", "id,x\na,5\n"), "10.0\n")
    assert unpacked(app, fast).word == "published"
    assert unpacked(app, slow).word == "superseded"
    assert app.read("predictions", "double/a.csv") == b"id,twice\na,10.0\n"


def test_an_older_version_may_publish_while_nothing_newer_is_there(app: App) -> None:
    slow = scored(app, app.drop("double/a.csv", "id,x\na,1\n"), "2.0\n")
    app.drop("double/a.csv", "id,x\na,5\n")
    assert unpacked(app, slow).word == "published"


@AZURITE
def test_predictions_of_many_blocks_are_published_in_one_commit(app: App) -> None:
    rows = 700_000
    version = app.drop("double/large.csv", "id,x\n" + "".join(f"r{row},{row}\n" for row in range(rows)))
    launch = scored(app, version, "".join(f"{2 * row}\n" for row in range(rows)))
    assert unpacked(app, launch).word == "published"
    published = app.read("predictions", "double/large.csv").decode()
    assert published == "id,twice\n" + "".join(f"r{row},{2 * row}\n" for row in range(rows))


def test_an_older_version_does_not_replace_what_a_newer_one_found_unchanged(app: App) -> None:
    archiving = app.route(after="archive")
    published(app, "double/a.csv", "id,x\na,1\n", "2.0\n", archiving)
    slow = packed(app, app.drop("double/a.csv", "id,x\na,9\n"), route=archiving)
    time.sleep(1.1)  # storage tells versions apart by the second
    newest = packed(app, app.drop("double/a.csv", "id,x\na,1\n"), route=archiving)
    [unchanged] = work.index(app.run(newest))
    assert unchanged.word == "unchanged"
    app.container("inbox").delete_blob("double/a.csv")
    job_ended(app, slow, "18.0\n")
    assert unpacked(app, slow).word == "superseded"
    assert app.read("predictions", "double/a.csv") == b"id,twice\na,2.0\n"


@AZURITE
def test_a_blob_that_is_leased_fails_its_file_only(app: App) -> None:
    published(app, "named/a.csv", "id,x\na,1\n", "2.0 part-00001.csv\n", app.named())
    files = {"named/a.csv": "id,x\na,3\n", "named/b.csv": "id,x\nb,4\n"}
    launch = packed(app, *[app.drop(name, data) for name, data in files.items()], route=app.named())
    lease = app.container("predictions").get_blob_client("named/a.csv").acquire_lease()
    job_ended(app, launch, rows(app, launch, ("named/a.csv", 6.0), ("named/b.csv", 8.0)))
    whole(unpack, launch)
    verdicts = {one.blob: one for one in work.verdicts(app.run(launch), "unpack")}
    lease.release()
    assert (verdicts["named/a.csv"].word, verdicts["named/b.csv"].word) == ("failed", "published")
    assert "LeaseIdMissing" in verdicts["named/a.csv"].why
