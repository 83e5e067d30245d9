"""Rows told apart by a key: in any order, and unique over the run."""

import random
from typing import Any

import pytest

from activities import raw
from activities.parts import pack
from activities.predictions import unpack
from activities.runs import gather, write_results
from shared import packing, work
from shared.names import new_run
from shared.records import Launch, Verdict
from shared.routes import Route
from tests.activities.conftest import App
from tests.activities.stages import contents, job_ended, packed, twice, whole

A, B, C = "keyed/a.csv", "keyed/b.csv", "keyed/c.csv"


def by_key(app: App, **changes: Any) -> Route:
    own = {"name": "keyed", "pattern": "keyed/*.csv", "match": "key", "key": "id", "send": ("x", "id")}
    return app.route(**{**own, "carry": (), **changes})


def of_files(app: App, files: dict[str, str], **changes: Any) -> Launch:
    """A packed run of files whose rows are these."""
    versions = [app.drop(name, f"id,x\n{rows}") for name, rows in files.items()]
    return packed(app, *versions, route=by_key(app, **changes))


def shuffled(app: App, launch: Launch) -> str:
    lines = twice(app, launch, "key")
    random.Random(len(lines)).shuffle(lines)
    return "".join(lines)


def index(app: App, launch: Launch) -> dict[str, Verdict]:
    return {verdict.blob: verdict for verdict in work.index(app.run(launch))}


def results(app: App, launch: Launch) -> dict[str, Verdict]:
    """The final words of the run's files."""
    write_results(launch.to_dict())
    return {verdict.blob: verdict for verdict in app.ledger.results(app.run(launch))}


def test_shuffled_predictions_find_their_rows_in_every_file(app: App) -> None:
    rows = {name: [f"{name[-5]}{row},{row}\n" for row in range(40)] for name in (A, B, C)}
    launch = of_files(app, {name: "".join(lines) for name, lines in rows.items()})
    job_ended(app, launch, shuffled(app, launch))
    whole(unpack, launch)
    for name in (A, B, C):
        lines = "".join(f"{name[-5]}{row},{2 * row}.0\n" for row in range(40))
        assert app.read("predictions", name).decode() == "id,twice\n" + lines


def test_shuffled_predictions_find_their_rows_in_many_parts(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "SHARED_AT_MOST", 0)
    monkeypatch.setattr(work, "ROWS_AT_ONCE", 10)
    launch = of_files(app, {A: "".join(f"r{row},{row}\n" for row in range(40))}, part_size="1B")
    job_ended(app, launch, shuffled(app, launch))
    whole(unpack, launch)
    lines = "".join(f"r{row},{2 * row}.0\n" for row in range(40))
    assert app.read("predictions", A).decode() == "id,twice\n" + lines


@pytest.mark.parametrize(
    ("carry", "header", "row"),
    [
        ((), "id,twice", "007,2.0"),
        (("note",), "id,note,twice", '007,"a, b",2.0'),
        (("note", "id"), "note,id,twice", '"a, b",007,2.0'),
    ],
    ids=["alone", "before the carried ones", "where the route puts it"],
)
def test_the_key_is_among_the_predictions(app: App, carry: tuple[str, ...], header: str, row: str) -> None:
    version = app.drop(A, 'note,id,x\n"a, b",007,1\n')
    launch = packed(app, version, route=by_key(app, carry=carry))
    job_ended(app, launch, "007 2.0\n")
    whole(unpack, launch)
    assert app.read("predictions", A).decode() == f"{header}\n{row}\n"


def test_a_key_that_comes_twice_in_a_file_rejects_it_and_no_other(app: App) -> None:
    launch = of_files(app, {A: "a,1\n", B: "b,2\nc,3\nb,4\n", C: "d,5\n"})
    assert [verdict.word for verdict in index(app, launch).values()] == ["", "rejected", ""]
    job_ended(app, launch, shuffled(app, launch))
    whole(unpack, launch)
    found = results(app, launch)
    assert {name: verdict.word for name, verdict in found.items()} == {
        A: "published",
        B: "rejected",
        C: "published",
    }
    assert 'Rows 1 and 3 have the same "id"' in found[B].why
    assert app.read("predictions", C) == b"id,twice\nd,10.0\n"


def test_the_rows_of_a_file_whose_keys_are_not_its_own_are_not_given_to_the_model(app: App) -> None:
    launch = of_files(app, {A: "a,1\n", B: "b,2\nb,4\n", C: "d,5\n"})
    assert sorted(row["id"] for rows in contents(app, launch).values() for row in rows) == ["a", "d"]


def test_a_key_that_two_files_have_fails_the_later_one_with_the_reason(app: App) -> None:
    launch = of_files(app, {A: "a,1\nb,2\n", B: "c,3\nb,4\n", C: "d,5\n"})
    job_ended(app, launch, shuffled(app, launch))
    whole(unpack, launch)
    found = results(app, launch)
    assert {name: verdict.word for name, verdict in found.items()} == {
        A: "published",
        B: "failed",
        C: "published",
    }
    assert "its row 2 and row 2 of keyed/a.csv" in found[B].why
    assert "same" in found[B].why


def test_a_file_that_is_rejected_for_its_keys_takes_none_from_others(app: App) -> None:
    launch = of_files(app, {A: "a,1\na,2\nb,3\n", B: "b,4\n"})
    assert [verdict.word for verdict in index(app, launch).values()] == ["rejected", ""]


def test_a_file_whose_own_keys_come_twice_is_rejected_although_another_has_them_too(app: App) -> None:
    launch = of_files(app, {A: "a,1\n", B: "a,2\na,3\n"})
    found = index(app, launch)
    assert (found[A].word, found[B].word) == ("", "rejected")
    assert "Rows 1 and 2" in found[B].why


def test_many_keys_are_put_apart_with_little_of_them_held(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "HELD_AT_MOST", 10)
    rows = {name: [f"{name[-5]}{row},{row}\n" for row in range(30)] for name in (A, B)}
    launch = of_files(app, {name: "".join(lines) for name, lines in rows.items()})
    job_ended(app, launch, shuffled(app, launch))
    whole(unpack, launch)
    assert {word.word for word in results(app, launch).values()} == {"published"}


def test_a_file_whose_keys_another_one_had_is_scored_in_a_run_of_its_own(app: App) -> None:
    launch = of_files(app, {A: "a,1\n", B: "a,3\n"})
    job_ended(app, launch, "a 2.0\n")
    whole(unpack, launch)
    assert results(app, launch)[B].word == "failed"
    app.ledger.closed(launch, "partial")
    alone = Launch(run=new_run(app.now()), launch=1, route="keyed")
    app.ledger.bring_plan(alone.run, [one for one in app.ledger.sealed(launch.run) if one.blob == B])
    app.ledger.open(alone, by_key(app))
    gather(alone.to_dict())
    whole(pack, alone)
    job_ended(app, alone, shuffled(app, alone))
    whole(unpack, alone)
    assert app.read("predictions", A) == b"id,twice\na,2.0\n"
    assert app.read("predictions", B) == b"id,twice\na,6.0\n"


@pytest.mark.parametrize("match", ["row", "file"])
def test_a_column_that_must_be_unique_is_so_whatever_tells_rows_apart(app: App, match: str) -> None:
    unique = {"id": {"unique": True}}
    versions = [app.drop("named/a.csv", "id,x\na,1\n"), app.drop("named/b.csv", "id,x\nb,2\nb,3\n")]
    launch = packed(
        app, *versions, app.drop("named/c.csv", "id,x\nc,4\n"), route=app.named(match=match, columns=unique)
    )
    job_ended(app, launch, "".join(twice(app, launch, match)))
    whole(unpack, launch)
    found = results(app, launch)
    assert [verdict.word for verdict in found.values()] == ["published", "rejected", "published"]
    assert app.read("predictions", "named/c.csv") == b"id,twice\nc,8.0\n"


@pytest.mark.parametrize("match", ["row", "file"])
def test_a_file_never_gets_the_predictions_of_one_whose_cells_were_not_its_own(app: App, match: str) -> None:
    files = {"named/a.csv": "a,1\n", "named/b.csv": "a,2\n", "named/c.csv": "c,4\n"}
    versions = [app.drop(name, f"id,x\n{rows}") for name, rows in files.items()]
    launch = packed(app, *versions, route=app.named(match=match, columns={"id": {"unique": True}}))
    lines = [line for line in twice(app, launch, match) if "8.0" not in line]
    job_ended(app, launch, "".join(lines))
    assert whole(unpack, launch)["again"]
    assert "named/c.csv" not in app.names("predictions")


def test_rows_of_unknown_keys_harm_only_the_file_that_lacks_them(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    launch = of_files(app, {A: "a,1\n", B: "007,2\n"})
    job_ended(app, launch, "a 2.0\n7 4.0\n")
    assert whole(unpack, launch)["again"]
    found = {verdict.blob: verdict for verdict in work.verdicts(app.run(launch), "unpack", attempt=1)}
    assert (found[A].word, found[B].word) == ("published", "")
    assert "the first is row 2, have a key that no row of this run has" in found[B].why
    assert "1 rows of the raw predictions" in caplog.text


def test_a_key_of_no_row_publishes_nothing(app: App) -> None:
    launch = of_files(app, {A: "a,1\nb,2\n"})
    job_ended(app, launch, "a 2.0\nz 4.0\n")
    assert whole(unpack, launch) == {"more": False, "again": False}
    [verdict] = work.verdicts(app.run(launch), "unpack")
    assert (verdict.word, "a key that no row of this run has" in verdict.why) == ("", True)
    assert app.names("predictions") == []


def test_a_key_without_a_prediction_leaves_only_its_file_incomplete(app: App) -> None:
    launch = of_files(app, {A: "a,1\nb,2\n", B: "c,3\n"})
    job_ended(app, launch, "c 6.0\nb 4.0\n")
    assert whole(unpack, launch)["again"]
    assert app.names("predictions") == [B]
    words = [verdict.word for verdict in work.verdicts(app.run(launch), "unpack", attempt=1)]
    assert words == ["", "published"]


def test_an_empty_key_rejects_its_file(app: App) -> None:
    launch = of_files(app, {A: "a,1\n,2\n"})
    verdict = index(app, launch)[A]
    assert (verdict.word, 'Line 3, column "id"' in verdict.why) == ("rejected", True)
