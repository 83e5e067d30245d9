"""Unpacking a shared job: complete files are published, the others are scored once more, each alone."""

from typing import Any

import pytest
from azure.core.exceptions import ResourceModifiedError

from activities.parts import pack
from activities.predictions import unpack
from activities.raw import READ_WHOLE
from activities.runs import write_results
from shared import clients, packing, work
from shared.records import Launch
from tests.activities.conftest import App
from tests.activities.stages import DATASTORE, job_ended, packed, rows, unpacked, whole

FILES = ("named/a.csv", "named/b.csv", "named/c.csv")
A, B, C = FILES
# Two rows of each file, as three nodes would leave them.
WHOLE = ((B, 4.0), (A, 2.0), (C, 6.0), (C, 6.5), (A, 2.5), (B, 4.5))
SECOND_INCOMPLETE = ((B, 4.0), (A, 2.0), (C, 6.0), (C, 6.5), (A, 2.5))


@pytest.fixture
def shared(app: App, monkeypatch: pytest.MonkeyPatch) -> Launch:
    """A packed run of three files of two rows each, which are too large to share a part."""
    monkeypatch.setattr(packing, "SHARED_AT_MOST", 0)
    return packed(app, *[app.drop(name, f"id,x\n{name},1\n-,2\n") for name in FILES], route=app.named())


def ended(app: App, launch: Launch, raw: str | None, outcome: str = "completed", why: str = "") -> Any:
    """The answer of unpack after the job has ended."""
    job_ended(app, launch, raw, outcome, why)
    return whole(unpack, launch)


def scored(
    app: App, launch: Launch, *lines: tuple[str, float], outcome: str = "completed", why: str = ""
) -> Any:
    """The answer of unpack after the job has ended with these predictions, each of a file."""
    return ended(app, launch, rows(app, launch, *lines), outcome, why)


def words(app: App, launch: Launch, attempt: int = 1) -> list[str]:
    return [verdict.word for verdict in work.verdicts(app.run(launch), "unpack", attempt=attempt)]


def test_every_file_of_a_shared_job_gets_its_own_rows(app: App, shared: Launch) -> None:
    assert scored(app, shared, *WHOLE) == {"more": False, "again": False}
    assert words(app, shared) == ["published"] * 3
    for number, name in enumerate(FILES, start=1):
        lines = f"id,twice\n{name},{2.0 * number}\n-,{2.0 * number + 0.5}\n"
        assert app.read("predictions", name) == lines.encode()


def test_what_is_too_large_to_hold_is_read_in_stretches(
    app: App, shared: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.raw.READ_WHOLE", 0)
    scored(app, shared, *WHOLE)
    assert app.read("predictions", FILES[1]) == f"id,twice\n{FILES[1]},4.0\n-,4.5\n".encode()


def test_what_a_shared_job_leaves_incomplete_is_scored_again_and_the_rest_published(
    app: App, shared: Launch
) -> None:
    assert scored(app, shared, *SECOND_INCOMPLETE) == {"more": False, "again": True}
    assert words(app, shared) == ["published", "", "published"]
    assert app.names("predictions") == [FILES[0], FILES[2]]
    run = app.run(shared)
    assert (run.stage, run.attempt, run.earlier_jobs) == ("gathered", 2, ["j1"])


@pytest.mark.parametrize("lines", [(), ((A, 2.0), (A, 2.5), (C, 6.0), (C, 6.5))], ids=["none", "of others"])
def test_a_file_without_any_row_is_incomplete(
    app: App, shared: Launch, lines: tuple[tuple[str, float], ...]
) -> None:
    assert scored(app, shared, *lines)["again"]
    verdict = work.verdicts(app.run(shared), "unpack", attempt=1)[1]
    assert (verdict.word, "no row of this file" in verdict.why) == ("", True)


@pytest.fixture
def second(app: App, shared: Launch) -> Launch:
    """The second attempt of a run whose second file was incomplete, packed."""
    scored(app, shared, *SECOND_INCOMPLETE)
    assert whole(pack, shared) == {"more": False, "parts": 1, "shared": False}
    return shared


def test_the_second_attempt_packs_only_what_is_incomplete(app: App, second: Launch) -> None:
    folder = f"{second.run}/2/parts/"
    assert app.names("work", folder) == [f"{folder}part-00001.csv"]
    assert [verdict.blob for verdict in work.index(app.run(second))] == [FILES[1]]


def test_a_second_attempt_that_is_whole_publishes_the_file(app: App, second: Launch) -> None:
    assert scored(app, second, (B, 4.0), (B, 4.5)) == {"more": False, "again": False}
    assert app.read("predictions", FILES[1]) == f"id,twice\n{FILES[1]},4.0\n-,4.5\n".encode()
    assert write_results(second.to_dict()) == {"published": 3}


def test_a_second_attempt_that_is_incomplete_too_fails_that_file_alone(app: App, second: Launch) -> None:
    assert scored(app, second, (B, 4.0)) == {"more": False, "again": False}
    assert write_results(second.to_dict()) == {"published": 2, "failed": 1}
    [failed] = [word for word in app.ledger.results(app.run(second)) if word.word == "failed"]
    assert (failed.blob, failed.why.startswith("unpack: The job returned 1 of 2 rows")) == (FILES[1], True)


def test_a_second_job_that_failed_fails_the_file_with_the_jobs_reason(app: App, second: Launch) -> None:
    ended(app, second, None, "failed", "job j2 failed: ValueError")
    write_results(second.to_dict())
    [failed] = [word for word in app.ledger.results(app.run(second)) if word.word == "failed"]
    assert (failed.blob, failed.why) == (FILES[1], "await: job j2 failed: ValueError")


def test_a_file_overwritten_before_the_second_attempt_is_superseded(app: App, shared: Launch) -> None:
    scored(app, shared, *SECOND_INCOMPLETE)
    app.drop(FILES[1], "id,x\nnewer,3\n")
    assert whole(pack, shared) == {"more": False, "parts": 0, "shared": False}
    assert write_results(shared.to_dict()) == {"published": 2, "superseded": 1}


def test_a_shared_job_that_failed_publishes_what_it_left_whole(app: App, shared: Launch) -> None:
    answer = scored(app, shared, *SECOND_INCOMPLETE, outcome="failed", why="job j1 failed: ValueError")
    assert answer == {"more": False, "again": True}
    assert words(app, shared) == ["published", "", "published"]


def test_a_shared_job_that_left_nothing_is_scored_again_whole(app: App, shared: Launch) -> None:
    assert ended(app, shared, None, "failed", "job j1 failed: ValueError")["again"]
    whys = {verdict.why for verdict in work.verdicts(app.run(shared), "unpack", attempt=1)}
    assert whys == {"await: job j1 failed: ValueError"}
    assert whole(pack, shared) == {"more": False, "parts": 3, "shared": True}


def test_rows_of_a_part_that_is_not_of_this_job_publish_nothing(app: App, shared: Launch) -> None:
    raw = rows(app, shared, *WHOLE) + "8.0 part-00004.csv\n"
    assert ended(app, shared, raw)["again"]
    assert words(app, shared) == ["", "", ""]
    whys = {verdict.why for verdict in work.verdicts(app.run(shared), "unpack", attempt=1)}
    assert whys == {"unpack: the raw predictions hold rows of part-00004.csv, which is not of this job"}
    assert app.names("predictions") == []


def test_rows_of_a_part_that_came_too_late_to_count_harm_no_file(app: App, shared: Launch) -> None:
    """An execution that is only slow may write its parts after the one that counts has ended."""
    app.container("work").upload_blob(f"{shared.run}/1/parts/part-1000000001.csv", b"x\n1\n")
    ended(app, shared, rows(app, shared, *WHOLE) + "2.0 part-1000000001.csv\n")
    assert words(app, shared) == ["published"] * 3


def test_raw_predictions_that_name_no_file_publish_nothing(app: App, shared: Launch) -> None:
    assert ended(app, shared, "2.0\n2.5\n4.0\n4.5\n6.0\n6.5\n")["again"]
    assert words(app, shared) == ["", "", ""]


def test_a_file_alone_in_its_job_is_not_scored_again(app: App) -> None:
    launch = packed(app, app.drop(FILES[0], "id,x\na,1\nb,2\n"), route=app.named())
    assert scored(app, launch, (A, 2.0)) == {"more": False, "again": False}
    assert app.run(launch).failed_stage == "unpack"


@pytest.fixture
def two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "FILES_AT_ONCE", 2)


@pytest.mark.usefixtures("two_at_once")
def test_many_files_are_published_portion_by_portion(app: App, shared: Launch) -> None:
    job_ended(app, shared, rows(app, shared, *WHOLE))
    assert unpack(shared.to_dict()) == {"more": True, "at_once": 2}
    assert app.names("predictions") == [FILES[0], FILES[1]]
    assert unpack({**shared.to_dict(), "chunk": 1})["more"]
    assert app.names("predictions") == list(FILES)
    assert unpack({**shared.to_dict(), "chunk": 2}) == {"more": False, "again": False}


@pytest.mark.usefixtures("two_at_once")
def test_a_portion_that_is_unpacked_again_changes_nothing(app: App, shared: Launch) -> None:
    job_ended(app, shared, rows(app, shared, *WHOLE))
    unpack(shared.to_dict())
    blob = app.container("predictions").get_blob_client(FILES[0])
    etag = blob.get_blob_properties().etag
    assert whole(unpack, shared) == {"more": False, "again": False}
    assert blob.get_blob_properties().etag == etag
    assert words(app, shared) == ["published"] * 3


@pytest.mark.usefixtures("two_at_once")
@pytest.mark.parametrize("held", [0, READ_WHOLE], ids=["in stretches", "at once"])
def test_raw_predictions_that_change_between_two_portions_are_not_read_on(
    app: App, shared: Launch, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.raw.READ_WHOLE", held)
    job_ended(app, shared, rows(app, shared, *WHOLE))
    unpack(shared.to_dict())
    raw = clients.storage().get_blob_client(DATASTORE, app.run(shared).path)
    raw.upload_blob(rows(app, shared, *WHOLE).replace("6.0", "9.0"), overwrite=True)
    with pytest.raises(ResourceModifiedError):
        unpack({**shared.to_dict(), "chunk": 1})
    assert app.names("predictions") == [FILES[0], FILES[1]]


def test_a_rerun_scores_even_a_single_file_once_more(app: App) -> None:
    launch = packed(app, app.drop("double/a.csv", "id,x\na,1\nb,2\n"))
    job_ended(app, launch, "2.0\n")
    assert unpacked(app, launch).word == ""
    write_results(launch.to_dict())
    app.ledger.closed(launch, "failed")
    again = app.ledger.reopen(launch.run, app.route())
    assert again is not None
    assert whole(unpack, again) == {"more": False, "again": True}
    assert (app.run(again).stage, app.run(again).attempt) == ("gathered", 2)
