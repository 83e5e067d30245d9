"""Bad rows set aside: the good ones are scored, and a list beside the predictions says what is wrong with the rest."""

from functools import partial
from typing import Any

import pytest

from activities.predictions import unpack
from shared import blob_io, packing, work
from shared.csv_blocks import read_blocks
from shared.records import Launch, Verdict
from shared.routes import Route
from tests.activities.conftest import App
from tests.activities.stages import contents, job_ended, packed, published, twice, whole

NAME, ERRORS = "named/a.csv", "named/a.csv.errors.csv"
CLEAN = "id,x\na,1\nb,2\nc,3\n"
BAD = 'id,x\na,1\n"b\nb",two\nc,3\nd,\n'
REASONS = b"line,column,reason\n3,x,is not a number\n6,x,is empty\n"


def aside(app: App, **changes: Any) -> Route:
    return app.named(**{"match": "row", "bad_rows": "set-aside", "bad_rows_at_most": 0.5, **changes})


def scored(app: App, data: str, **changes: Any) -> Launch:
    """A run of one file whose job has scored what it was given, unpacked."""
    launch = packed(app, app.drop(NAME, data), route=aside(app, **changes))
    job_ended(app, launch, "".join(twice(app, launch, "row")))
    whole(unpack, launch)
    return launch


def verdict(app: App, launch: Launch) -> Verdict:
    [found] = work.verdicts(app.run(launch), "unpack")
    return found


def test_the_good_rows_are_scored_and_the_others_named(app: App) -> None:
    launch = scored(app, BAD)
    assert app.read("predictions", NAME) == b"id,twice\na,2.0\nc,6.0\n"
    assert app.read("predictions", ERRORS) == REASONS
    found = verdict(app, launch)
    assert (found.word, found.rows, found.bad_rows) == ("published", 2, 2)
    assert f"2 of 4 rows were set aside, for reasons in {ERRORS}" in found.why


def test_the_model_gets_the_good_rows_only(app: App) -> None:
    launch = packed(app, app.drop(NAME, BAD), route=aside(app))
    [rows] = contents(app, launch).values()
    assert [row["x"] for row in rows] == ["1", "3"]


def test_a_file_without_bad_rows_has_no_list(app: App) -> None:
    assert verdict(app, scored(app, CLEAN)).why == ""
    assert app.names("predictions") == [NAME]


def test_a_list_of_many_blocks_is_whole(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blob_io, "BLOCK", 16)
    scored(app, BAD)
    assert app.read("predictions", NAME) == b"id,twice\na,2.0\nc,6.0\n"
    assert app.read("predictions", ERRORS) == REASONS


@pytest.mark.parametrize(
    ("share", "word"), [(0.5, ""), (0.49, "rejected"), (0.05, "rejected")], ids=["at most", "over", "usual"]
)
def test_more_bad_rows_than_the_route_sets_aside_reject_the_file(app: App, share: float, word: str) -> None:
    launch = packed(app, app.drop(NAME, BAD), route=aside(app, bad_rows_at_most=share))
    [found] = work.index(app.run(launch))
    assert found.word == word
    if word:
        assert found.why.startswith("2 of 4 rows are at fault, this route sets aside at most")
        assert 'Line 3, column "x" is not a number.' in found.why
        assert contents(app, launch) == {}


def test_a_file_of_bad_rows_only_is_rejected(app: App) -> None:
    launch = packed(app, app.drop(NAME, "id,x\na,one\nb,two\n"), route=aside(app, bad_rows_at_most=1.0))
    [found] = work.index(app.run(launch))
    assert (found.word, contents(app, launch)) == ("rejected", {})


def test_what_is_wrong_with_the_form_rejects_the_file_all_the_same(app: App) -> None:
    launch = packed(app, app.drop(NAME, "id,x\na,1\nb\n"), route=aside(app, bad_rows_at_most=1.0))
    assert [found.word for found in work.index(app.run(launch))] == ["rejected"]


def test_the_list_of_a_large_file_is_whole(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "BYTES_AT_ONCE", 100)
    monkeypatch.setattr(work, "ROWS_AT_ONCE", 10)
    monkeypatch.setattr(packing, "read_blocks", partial(read_blocks, size=30))
    cells = [f"{row}" if row % 5 else "bad" for row in range(60)]
    scored(app, "id,x\n" + "".join(f"r{row},{cell}\n" for row, cell in enumerate(cells)), part_size="20B")
    good = [(row, cell) for row, cell in enumerate(cells) if cell != "bad"]
    lines = "".join(f"r{row},{2 * float(cell)}\n" for row, cell in good)
    assert app.read("predictions", NAME).decode() == "id,twice\n" + lines
    told = "".join(f"{row + 2},x,is not a number\n" for row in range(0, 60, 5))
    assert app.read("predictions", ERRORS).decode() == "line,column,reason\n" + told


def test_files_that_share_a_part_have_their_own_lists(app: App) -> None:
    files = {"named/a.csv": "id,x\na,one\nb,2\n", "named/b.csv": CLEAN, "named/c.csv": "id,x\nc,3\nd,four\n"}
    launch = packed(app, *[app.drop(name, data) for name, data in files.items()], route=aside(app))
    assert len(contents(app, launch)) == 1
    job_ended(app, launch, "".join(twice(app, launch, "row")))
    whole(unpack, launch)
    assert app.read("predictions", "named/a.csv") == b"id,twice\nb,4.0\n"
    assert app.read("predictions", "named/c.csv") == b"id,twice\nc,6.0\n"
    assert app.read("predictions", "named/a.csv.errors.csv").endswith(b"\n2,x,is not a number\n")
    assert app.read("predictions", "named/c.csv.errors.csv").endswith(b"\n3,x,is not a number\n")
    assert not app.exists("predictions", "named/b.csv.errors.csv")


def test_a_newer_version_has_a_list_of_its_own(app: App) -> None:
    scored(app, BAD)
    scored(app, "id,x\na,1\nb,2\nc,three\n")
    assert app.read("predictions", ERRORS) == b"line,column,reason\n4,x,is not a number\n"


def test_the_list_goes_when_the_next_version_has_no_bad_rows(app: App) -> None:
    scored(app, BAD)
    scored(app, CLEAN)
    assert app.names("predictions") == [NAME]


def test_the_list_goes_when_the_route_sets_nothing_aside_any_more(app: App) -> None:
    scored(app, BAD)
    published(app, NAME, CLEAN, "2.0\n4.0\n6.0\n", app.named(match="order"))
    assert app.names("predictions") == [NAME]


@pytest.mark.parametrize("data", [BAD, CLEAN], ids=["bad", "clean"])
def test_somebodys_own_blob_under_the_lists_name_stays(app: App, data: str) -> None:
    app.container("predictions").upload_blob(ERRORS, b"theirs")
    assert verdict(app, scored(app, data)).word == "published"
    assert app.read("predictions", ERRORS) == b"theirs"


def test_a_list_that_somebody_has_leased_keeps_no_predictions_back(app: App) -> None:
    scored(app, BAD)
    lease = app.container("predictions").get_blob_client(ERRORS).acquire_lease()
    versions = [app.drop(NAME, "id,x\na,4\nb,five\n"), app.drop("named/b.csv", CLEAN)]
    launch = packed(app, *versions, route=aside(app))
    job_ended(app, launch, "".join(twice(app, launch, "row")))
    whole(unpack, launch)
    lease.release()
    words = {found.blob: found.word for found in work.verdicts(app.run(launch), "unpack")}
    assert words == {NAME: "published", "named/b.csv": "published"}
    assert app.read("predictions", NAME) == b"id,twice\na,8.0\n"
    assert app.read("predictions", ERRORS) == REASONS


def test_an_older_version_leaves_the_newer_ones_list_alone(app: App) -> None:
    slow = packed(app, app.drop(NAME, CLEAN), route=aside(app))
    scored(app, BAD)
    job_ended(app, slow, "".join(twice(app, slow, "row")))
    whole(unpack, slow)
    assert verdict(app, slow).word == "superseded"
    assert app.read("predictions", ERRORS) == REASONS


def test_unpacking_again_leaves_the_list_as_it_is(app: App) -> None:
    launch = scored(app, BAD)
    whole(unpack, launch)
    assert app.read("predictions", ERRORS) == REASONS
