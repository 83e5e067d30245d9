"""Pack of many files: portion by portion, each file for itself; files that were scored before are not scored again."""

from datetime import timedelta
from typing import Any

import pytest

from activities.parts import pack
from shared import work
from shared.records import Launch, Verdict, moment
from tests.activities.conftest import ONE_ROW, App
from tests.activities.stages import packed, published, whole

THREE = ("double/a.csv", "double/b.csv", "double/c.csv")


@pytest.fixture
def two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "FILES_AT_ONCE", 2)


def dropped(app: App, *names: str) -> Launch:
    """A run that has gathered these files, each of one row of its own."""
    return app.opened(*[app.drop(name, f"id,x\n{name},{n}\n") for n, name in enumerate(names, start=1)])


def verdicts(app: App, launch: Launch) -> list[Verdict]:
    return work.index(app.run(launch))


def parts(app: App, launch: Launch) -> list[str]:
    folder = f"{launch.run}/{app.run(launch).attempt}/parts/"
    return [name.removeprefix(folder) for name in app.names("work", folder)]


def part_names(found: list[Verdict]) -> list[str]:
    """The parts that packed versions lie in."""
    return sorted({piece[0] for verdict in found if verdict.packed for piece in verdict.pieces})


@pytest.mark.usefixtures("two_at_once")
def test_many_files_are_packed_portion_by_portion(app: App) -> None:
    launch = dropped(app, *THREE)
    assert pack(launch.to_dict()) == {"more": True}
    assert parts(app, launch) == ["part-00001.csv", "part-00002.csv"]
    assert app.run(launch).stage == "gathered"
    assert pack({**launch.to_dict(), "chunk": 1}) == {"more": False, "parts": 3, "shared": True}
    assert parts(app, launch) == ["part-00001.csv", "part-00002.csv", "part-100001.csv"]
    assert (app.run(launch).stage, app.run(launch).parts, app.run(launch).rows) == ("packed", 3, 3)


@pytest.mark.usefixtures("two_at_once")
def test_each_file_has_the_parts_that_its_verdict_names(app: App) -> None:
    launch = dropped(app, *THREE)
    whole(pack, launch)
    for number, verdict in enumerate(verdicts(app, launch), start=1):
        [[name, first, rows]] = verdict.pieces
        part = app.read("work", f"{launch.run}/1/parts/{name}")
        assert (first, rows) == (0, 1)
        assert (verdict.blob, part) == (THREE[number - 1], f"x\n{number}\n".encode())


@pytest.mark.usefixtures("two_at_once")
def test_a_portion_is_a_sign_of_life(app: App) -> None:
    launch = dropped(app, *THREE)
    app.sleep(minutes=10)
    pack(launch.to_dict())
    assert app.now() - moment(app.run(launch).progress_at) < timedelta(minutes=5)


@pytest.mark.usefixtures("two_at_once")
def test_a_portion_that_is_packed_again_gives_the_same_parts(app: App) -> None:
    launch = dropped(app, *THREE)
    pack(launch.to_dict())
    before = verdicts(app, launch)
    pack(launch.to_dict())
    assert verdicts(app, launch) == before
    assert parts(app, launch) == ["part-00001.csv", "part-00002.csv"]


@pytest.mark.usefixtures("two_at_once")
def test_what_was_packed_stays_so_whatever_becomes_of_the_file(app: App) -> None:
    launch = dropped(app, *THREE)
    pack(launch.to_dict())
    app.drop(THREE[0], ONE_ROW)
    app.container("inbox").delete_blob(THREE[1])
    assert whole(pack, launch) == {"more": False, "parts": 3, "shared": True}
    assert [verdict.word for verdict in verdicts(app, launch)] == ["", "", ""]
    assert parts(app, launch) == ["part-00001.csv", "part-00002.csv", "part-100001.csv"]


@pytest.mark.usefixtures("two_at_once")
@pytest.mark.parametrize("word", ["superseded", "withdrawn"])
def test_a_file_that_is_gone_before_its_portion_is_packed_gets_its_word(app: App, word: str) -> None:
    launch = dropped(app, *THREE)
    pack(launch.to_dict())
    if word == "superseded":
        app.drop(THREE[2], ONE_ROW)
    else:
        app.container("inbox").delete_blob(THREE[2])
    assert whole(pack, launch) == {"more": False, "parts": 2, "shared": True}
    assert [verdict.word for verdict in verdicts(app, launch)] == ["", "", word]


def test_a_bad_file_harms_only_itself(app: App) -> None:
    versions = [app.drop(THREE[0], ONE_ROW), app.drop(THREE[1], "id\n"), app.drop(THREE[2], ONE_ROW)]
    launch = packed(app, *versions)
    assert [verdict.word for verdict in verdicts(app, launch)] == ["", "rejected", ""]
    assert parts(app, launch) == part_names(verdicts(app, launch))


def test_a_run_that_is_to_be_canceled_packs_nothing(app: App) -> None:
    launch = dropped(app, *THREE)
    app.ledger.cancel(launch.run)
    assert pack(launch.to_dict()) == {"more": False, "parts": 0, "shared": True}
    assert parts(app, launch) == []
    assert app.run(launch).job_outcome == "canceled"


def test_a_packed_run_that_is_taken_up_again_says_how_many_parts_it_has(app: App) -> None:
    launch = packed(app, *[app.drop(name, ONE_ROW) for name in THREE])
    assert pack(launch.to_dict()) == {"more": False, "parts": 3, "shared": True}


SCORED = "id,x\na,1\n"


@pytest.fixture
def before(app: App) -> None:
    """Predictions that stand under double/a.csv."""
    published(app, "double/a.csv", SCORED, "2.0\n")


def repacked(app: App, data: str = SCORED, *, force: bool = False, **changes: Any) -> Verdict:
    """What pack finds out about double/a.csv, dropped again."""
    launch = packed(app, app.drop("double/a.csv", data), route=app.route(**changes), force=force)
    [verdict] = verdicts(app, launch)
    assert parts(app, launch) == part_names([verdict])
    return verdict


@pytest.mark.usefixtures("before")
def test_the_same_bytes_dropped_again_are_unchanged(app: App) -> None:
    verdict = repacked(app)
    assert (verdict.word, verdict.packed) == ("unchanged", False)
    assert verdict.where == f"{app.container('predictions').container_name}/double/a.csv"


@pytest.mark.usefixtures("before")
def test_a_route_that_changes_nothing_of_the_predictions_leaves_them_unchanged(app: App) -> None:
    assert repacked(app, after="archive", max_jobs=3, deadline="1h").word == "unchanged"


@pytest.mark.usefixtures("before")
def test_other_bytes_are_scored(app: App) -> None:
    assert repacked(app, "id,x\na,2\n").word == ""


@pytest.mark.usefixtures("before")
def test_the_same_bytes_are_scored_where_somebody_insists(app: App) -> None:
    assert repacked(app, force=True).word == ""


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize(
    "changes",
    [
        {"model": "https://other/jobs"},
        {"deployment": "green"},
        {"carry": ()},
        {"send": ("id", "x")},
        {"predictions": ("double",)},
        {"match": "row"},
    ],
    ids=str,
)
def test_the_same_bytes_are_scored_where_the_route_makes_other_predictions(
    app: App, changes: dict[str, Any]
) -> None:
    assert repacked(app, **changes).word == ""


@pytest.mark.usefixtures("before")
def test_the_same_bytes_are_scored_where_their_predictions_are_gone(app: App) -> None:
    app.container("predictions").delete_blob("double/a.csv")
    assert repacked(app).word == ""


def test_the_same_bytes_under_another_name_are_scored(app: App) -> None:
    published(app, "double/b.csv", SCORED, "2.0\n")
    assert repacked(app).word == ""


def test_somebodys_copy_of_other_predictions_makes_nothing_unchanged(app: App) -> None:
    published(app, "double/b.csv", SCORED, "2.0\n")
    standing = app.container("predictions").get_blob_client("double/b.csv").get_blob_properties()
    app.container("predictions").upload_blob("double/a.csv", b"a copy", metadata=standing.metadata)
    assert repacked(app).word == ""


def test_somebodys_own_blob_makes_nothing_unchanged(app: App) -> None:
    app.container("predictions").upload_blob("double/a.csv", b"theirs")
    assert repacked(app).word == ""
