"""Large files: read in several calls, cut into many parts, their predictions put together again or not shown at all."""

from functools import partial
from itertools import count
from typing import Any

import pytest

from activities.parts import pack
from activities.predictions import unpack
from shared import blob_io, packing, work
from shared.csv_blocks import read_blocks
from shared.errors import Fenced
from shared.records import Launch, Verdict
from shared.routes import Route
from tests.activities.conftest import App
from tests.activities.stages import contents, job_ended, packed, portion_packed, twice, whole

ROWS = 60
NAME = "named/large.csv"
# The other forms go the same way through the calls.
ORDER, FILE = (pytest.param(match, marks=pytest.mark.full) for match in ("order", "file"))


def id_of(row: int) -> str:
    """The cell as it stands in the file: some have separators, line breaks and quotes in them."""
    return f'"{row}, the\n""odd"" one"' if row % 7 == 3 else f"row {row}"


LINES = [f"{id_of(row)},{row}.5\n" for row in range(ROWS)]
DATA = "id,x\n" + "".join(LINES)
PREDICTIONS = "id,twice\n" + "".join(f"{id_of(row)},{2 * row + 1}.0\n" for row in range(ROWS))


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call reads 150 bytes in blocks of 40, and unpacks 20 rows."""
    limit(monkeypatch, stretch=150, block=40, rows=20)


def limit(monkeypatch: pytest.MonkeyPatch, *, stretch: int, block: int, rows: int) -> None:
    monkeypatch.setattr(work, "BYTES_AT_ONCE", stretch)
    monkeypatch.setattr(work, "ROWS_AT_ONCE", rows)
    monkeypatch.setattr(packing, "read_blocks", partial(read_blocks, size=block))


def cut(app: App, match: str = "row", **changes: Any) -> Route:
    """A route that cuts its files into parts of about ten rows."""
    return app.named(**{"match": match, "part_size": "50B", **changes})


def uncut(app: App) -> Route:
    """A route whose files stay in one part."""
    return app.named(match="order")


def dropped(app: App, route: Route, data: str = DATA) -> Launch:
    return app.opened(app.drop(NAME, data), route=route)


def verdict(app: App, launch: Launch, stage: str = "unpack") -> Verdict:
    run = app.run(launch)
    [found] = work.index(run) if stage == "pack" else work.verdicts(run, stage)
    return found


def calls(launch: Launch, activity: Any) -> int:
    """How many calls the activity takes in all."""
    number = 0
    while activity({**launch.to_dict(), "chunk": number})["more"]:
        number += 1
    return number + 1


@pytest.mark.parametrize("match", ["row", FILE])
@pytest.mark.parametrize(
    ("stretch", "block", "rows", "part"),
    [
        (150, 40, 20, "50B"),
        pytest.param(300, 1, 5, "1B", marks=pytest.mark.full),
        (64, 4096, 7, "64B"),
        (500, 300, 1000, "100B"),
        (10_000, 80, 20, "1MB"),
        (150, 80, 30, "1MB"),
    ],
    ids=["several", "row by row", "blocks beyond stretches", "one unpacking", "at once", "one part"],
)
def test_predictions_are_the_same_whatever_the_limits(
    app: App, monkeypatch: pytest.MonkeyPatch, match: str, stretch: int, block: int, rows: int, part: str
) -> None:
    limit(monkeypatch, stretch=stretch, block=block, rows=rows)
    launch = packed(app, app.drop(NAME, DATA), route=cut(app, match, part_size=part))
    job_ended(app, launch, "".join(twice(app, launch, match)))
    whole(unpack, launch)
    assert app.read("predictions", NAME).decode() == PREDICTIONS
    assert verdict(app, launch).word == "published"


@pytest.mark.parametrize("match", ["row", ORDER])
def test_predictions_are_the_same_however_they_are_written(
    app: App, monkeypatch: pytest.MonkeyPatch, match: str
) -> None:
    monkeypatch.setattr(blob_io, "BLOCK", 50)
    launch = packed(app, app.drop(NAME, DATA), route=cut(app) if match == "row" else uncut(app))
    job_ended(app, launch, "".join(twice(app, launch, match)))
    whole(unpack, launch)
    assert app.read("predictions", NAME).decode() == PREDICTIONS


def test_a_large_file_is_read_in_several_calls_and_becomes_many_parts(app: App) -> None:
    launch = dropped(app, cut(app))
    assert calls(launch, pack) > 3
    found = verdict(app, launch, "pack")
    assert len(found.pieces) > 3
    assert sum(rows for _, _, rows in found.pieces) == found.rows == ROWS
    assert {first for _, first, _ in found.pieces} == {0}
    parts = contents(app, launch)
    assert [name for name, _, _ in found.pieces] == list(parts)
    assert [row["x"] for rows in parts.values() for row in rows] == [f"{row}.5" for row in range(ROWS)]
    assert (app.run(launch).parts, app.run(launch).rows) == (len(parts), ROWS)


def test_a_large_file_that_must_stay_in_one_part_does_so_over_several_calls(app: App) -> None:
    launch = dropped(app, uncut(app))
    assert calls(launch, pack) > 3
    assert verdict(app, launch, "pack").pieces == [["part-00001.csv", 0, ROWS]]
    [rows] = contents(app, launch).values()
    assert [row["x"] for row in rows] == [f"{row}.5" for row in range(ROWS)]
    job_ended(app, launch, "".join(twice(app, launch, "order")))
    whole(unpack, launch)
    assert app.read("predictions", NAME).decode() == PREDICTIONS


@pytest.mark.full
def test_the_same_large_file_is_known_by_its_bytes(app: App) -> None:
    first = packed(app, app.drop(NAME, DATA), route=cut(app))
    job_ended(app, first, "".join(twice(app, first, "row")))
    whole(unpack, first)
    again = packed(app, app.drop(NAME, DATA), route=cut(app))
    assert verdict(app, again, "pack").word == "unchanged"
    other = packed(app, app.drop(NAME, DATA.replace("row 58", "row 85")), route=cut(app))
    assert verdict(app, other, "pack").word == ""


def test_a_file_larger_than_the_route_takes_is_rejected_unread(app: App) -> None:
    launch = packed(app, app.drop(NAME, DATA), route=cut(app, max_size="400B"))
    found = verdict(app, launch, "pack")
    assert found.word == "rejected"
    assert "this route takes at most 400B" in found.why
    assert contents(app, launch) == {}


@pytest.mark.parametrize("match", ["row", ORDER])
def test_a_call_whose_findings_were_lost_is_made_again(app: App, match: str) -> None:
    launch = dropped(app, cut(app) if match == "row" else uncut(app))
    for number in range(3):
        pack({**launch.to_dict(), "chunk": number})
        app.container("work").delete_blob(work.found_key(app.run(launch), "pack", number))
        pack({**launch.to_dict(), "chunk": number})
    whole(pack, launch)
    assert list(contents(app, launch)) == sorted({name for name, _, _ in verdict(app, launch, "pack").pieces})
    job_ended(app, launch, "".join(twice(app, launch, match)))
    whole(unpack, launch)
    assert app.read("predictions", NAME).decode() == PREDICTIONS


@pytest.mark.parametrize("match", ["row", ORDER])
@pytest.mark.parametrize("first", [0, 1], ids=["the first stands", "the second stands"])
def test_executions_of_one_stretch_that_overlap_are_never_mixed(app: App, match: str, first: int) -> None:
    launch = dropped(app, cut(app) if match == "row" else uncut(app))
    run = app.run(launch)
    for portion in work.portions(work.to_score(run))[:3]:
        both = [portion_packed(run, portion) for _ in range(2)]
        for found in (both[first], both[1 - first]):
            work.write_found_once(run, "pack", portion.number, found)
    whole(pack, launch)
    assert list(contents(app, launch)) == sorted({name for name, _, _ in verdict(app, launch, "pack").pieces})
    job_ended(app, launch, "".join(twice(app, launch, match)))
    whole(unpack, launch)
    assert app.read("predictions", NAME).decode() == PREDICTIONS


def test_a_stretch_that_an_overtaken_execution_finds_gone_changes_nothing(app: App) -> None:
    launch = dropped(app, cut(app))
    pack(launch.to_dict())
    run = app.run(launch)
    portion = work.portions(work.to_score(run))[1]
    read = portion_packed(run, portion)
    app.container("inbox").delete_blob(NAME)
    gone = portion_packed(run, portion)
    assert [found.word for found in gone.verdicts] == ["withdrawn"]
    work.write_found_once(run, "pack", 1, gone)
    work.write_found_once(run, "pack", 1, read)
    assert whole(pack, launch)["parts"] == 0
    assert contents(app, launch) == {}
    assert verdict(app, launch, "pack").word == "withdrawn"


@pytest.mark.full
def test_calls_that_are_repeated_change_nothing(app: App) -> None:
    launch = dropped(app, cut(app))
    for number in range(3):
        answers = [pack({**launch.to_dict(), "chunk": number}) for _ in range(2)]
        assert answers == [{"more": True}] * 2
    whole(pack, launch)
    job_ended(app, launch, "".join(twice(app, launch, "row")))
    for number in range(3):
        assert all(unpack({**launch.to_dict(), "chunk": number})["more"] for _ in range(2))
        assert not app.exists("predictions", NAME)
    assert whole(unpack, launch) == whole(unpack, launch) == {"more": False, "again": False}
    assert app.read("predictions", NAME).decode() == PREDICTIONS


@pytest.mark.parametrize("match", ["row", ORDER])
@pytest.mark.parametrize("word", ["superseded", "withdrawn"])
def test_a_large_file_that_is_gone_midway_leaves_no_part(app: App, match: str, word: str) -> None:
    launch = dropped(app, cut(app) if match == "row" else uncut(app))
    pack(launch.to_dict())
    pack({**launch.to_dict(), "chunk": 1})
    if word == "superseded":
        app.drop(NAME, DATA)
    else:
        app.container("inbox").delete_blob(NAME)
    assert whole(pack, launch) == {"more": False, "parts": 0, "shared": False}
    assert verdict(app, launch, "pack").word == word
    assert contents(app, launch) == {}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (DATA + "last,one\n", 'Line 71, column "x" is not a number.'),
        (DATA + "last\n", "Line 71 has 1 field, the header has 2."),
        (DATA + '"last,1\n', "Line 71: a quote is opened and never closed"),
    ],
    ids=["cell", "width", "quote"],
)
def test_a_bad_row_at_the_end_of_a_large_file_rejects_it_and_leaves_no_part(
    app: App, data: str, reason: str
) -> None:
    launch = packed(app, app.drop(NAME, data), route=cut(app))
    found = verdict(app, launch, "pack")
    assert (found.word, reason in found.why) == ("rejected", True)
    assert contents(app, launch) == {}


def test_a_small_file_beside_a_bad_large_one_is_scored(app: App) -> None:
    versions = [app.drop(NAME, DATA + "last,one\n"), app.drop("named/small.csv", "id,x\na,1\n")]
    launch = packed(app, *versions, route=cut(app))
    assert [found.word for found in work.index(app.run(launch))] == ["rejected", ""]
    assert list(contents(app, launch).values()) == [[{"x": "1"}]]


@pytest.fixture
def row_by_row(app: App) -> Launch:
    """A packed run of one large file."""
    return packed(app, app.drop(NAME, DATA), route=cut(app))


def failed(app: App, launch: Launch, lines: list[str]) -> str:
    """Why nothing was published of the file after these raw predictions."""
    job_ended(app, launch, "".join(lines))
    assert whole(unpack, launch) == {"more": False, "again": False}
    assert app.names("predictions") == []
    found = verdict(app, launch)
    assert found.word == ""
    return found.why


@pytest.mark.parametrize("row", [0, 1, 31, ROWS - 1])
def test_a_row_without_a_prediction_publishes_nothing(app: App, row_by_row: Launch, row: int) -> None:
    lines = twice(app, row_by_row, "row")
    del lines[row]
    assert f"Row {row + 1} of those" in failed(app, row_by_row, lines)


def test_predictions_that_differ_for_one_row_publish_nothing(app: App, row_by_row: Launch) -> None:
    lines = twice(app, row_by_row, "row")
    number, _, part = lines[40].split(",")
    assert "Row 41 of those" in failed(app, row_by_row, [*lines, f"{number},1.0,{part}"])


def test_equal_predictions_of_a_row_are_one(app: App, row_by_row: Launch) -> None:
    lines = twice(app, row_by_row, "row")
    job_ended(app, row_by_row, "".join([*lines[30:], *lines]))
    whole(unpack, row_by_row)
    assert app.read("predictions", NAME).decode() == PREDICTIONS


@pytest.mark.parametrize("part", [0, 2, -1])
def test_a_part_without_any_prediction_publishes_nothing(app: App, row_by_row: Launch, part: int) -> None:
    name = list(contents(app, row_by_row))[part]
    lines = [line for line in twice(app, row_by_row, "row") if name not in line]
    assert "returned no row" in failed(app, row_by_row, lines)


def test_a_part_of_which_a_row_is_missing_publishes_nothing_where_rows_have_no_numbers(app: App) -> None:
    launch = packed(app, app.drop(NAME, DATA), route=cut(app, "file"))
    lines = twice(app, launch, "file")
    del lines[30]
    assert "The job returned" in failed(app, launch, lines)


def test_staged_rows_that_were_lost_publish_nothing(app: App, row_by_row: Launch) -> None:
    job_ended(app, row_by_row, "".join(twice(app, row_by_row, "row")))
    last = calls(row_by_row, unpack) - 1
    app.container("predictions").delete_blob(NAME)
    app.container("work").delete_blob(work.found_key(app.run(row_by_row), "unpack", 1))
    unpack({**row_by_row.to_dict(), "chunk": last})
    found = work.verdicts(app.run(row_by_row), "unpack")[-1]
    assert (found.word, f"the file has {ROWS}" in found.why) == ("", True)
    assert app.names("predictions") == []


def publish(app: App, data: str) -> None:
    """Predictions of these rows now stand under the name."""
    launch = packed(app, app.drop(NAME, data), route=cut(app))
    job_ended(app, launch, "".join(twice(app, launch, "row")))
    whole(unpack, launch)


def test_a_newer_version_that_is_published_midway_stands(app: App) -> None:
    # Where there are staged blocks only, Azurite refuses what must not exist yet.
    publish(app, "id,x\nold,1\n")
    slow = packed(app, app.drop(NAME, DATA), route=cut(app))
    job_ended(app, slow, "".join(twice(app, slow, "row")))
    unpack(slow.to_dict())
    publish(app, "id,x\nnew,2\n")
    for number in count(1):
        if not unpack({**slow.to_dict(), "chunk": number})["more"]:
            break
    assert verdict(app, slow).word == "superseded"
    assert app.read("predictions", NAME) == b"id,twice\nnew,4.0\n"


def test_portions_may_be_unpacked_in_any_order(app: App, row_by_row: Launch) -> None:
    job_ended(app, row_by_row, "".join(twice(app, row_by_row, "row")))
    portions = unpack(row_by_row.to_dict())["at_once"]
    for number in reversed(range(1, portions)):
        assert unpack({**row_by_row.to_dict(), "chunk": number})["more"]
    assert unpack({**row_by_row.to_dict(), "chunk": portions}) == {"more": False, "again": False}
    assert app.read("predictions", NAME).decode() == PREDICTIONS


def test_a_later_launch_begins_anew_and_publishes(app: App, row_by_row: Launch) -> None:
    job_ended(app, row_by_row, "".join(twice(app, row_by_row, "row")))
    unpack(row_by_row.to_dict())
    later = row_by_row.but(launch=2)
    app.ledger.open(later, cut(app))
    with pytest.raises(Fenced):
        unpack({**row_by_row.to_dict(), "chunk": 1})
    whole(unpack, later)
    assert app.read("predictions", NAME).decode() == PREDICTIONS


def test_a_large_file_whose_predictions_are_leased_fails_alone(app: App) -> None:
    publish(app, "id,x\nold,1\n")
    versions = [app.drop(NAME, DATA), app.drop("named/b.csv", DATA)]
    launch = packed(app, *versions, route=cut(app))
    job_ended(app, launch, "".join(twice(app, launch, "row")))
    lease = app.container("predictions").get_blob_client(NAME).acquire_lease()
    assert whole(unpack, launch) == {"more": False, "again": False}
    lease.release()
    verdicts = {one.blob: one for one in work.verdicts(app.run(launch), "unpack")}
    assert (verdicts[NAME].word, verdicts["named/b.csv"].word) == ("failed", "published")
    assert "LeaseIdMissing" in verdicts[NAME].why
