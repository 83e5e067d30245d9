"""Small files in parts they share: each gets its own rows back, whatever becomes of its neighbours."""

from itertools import zip_longest
from typing import Any

import pytest

from activities import raw
from activities.parts import pack
from activities.predictions import unpack
from activities.runs import write_results
from shared import packing, work
from shared.records import Launch, Verdict, Version
from shared.routes import Route
from tests.activities.conftest import App
from tests.activities.stages import contents, job_ended, packed, portion_packed, twice, whole

FILES = A, B, C = "named/a.csv", "named/b.csv", "named/c.csv"
X = {A: (1, 2), B: (3,), C: (4, 5, 6)}


def data(name: str) -> str:
    return "id,x\n" + "".join(f"{name}-{x},{x}\n" for x in X[name])


def predictions(name: str) -> bytes:
    return ("id,twice\n" + "".join(f"{name}-{x},{2 * x}.0\n" for x in X[name])).encode()


def dropped(app: App, *names: str) -> list[Version]:
    return [app.drop(name, data(name)) for name in names]


def together(app: App, match: str = "row", **changes: Any) -> Route:
    key = {"key": "id", "send": ("id", "x")} if match == "key" else {}
    return app.named(**{"match": match, **key, **changes})


@pytest.fixture
def shared(app: App) -> Launch:
    """A packed run of three files that share a part."""
    return packed(app, *dropped(app, *FILES), route=together(app))


def verdicts(app: App, launch: Launch) -> dict[str, Verdict]:
    return {found.blob: found for found in work.index(app.run(launch))}


def words(app: App, launch: Launch, attempt: int = 1) -> dict[str, str]:
    found = work.verdicts(app.run(launch), "unpack", attempt=attempt)
    return {verdict.blob: verdict.word for verdict in found}


def ended(app: App, launch: Launch, lines: list[str]) -> Any:
    """The answer of unpack after the job has ended with these raw predictions."""
    job_ended(app, launch, "".join(lines))
    return whole(unpack, launch)


def lines_of(app: App, launch: Launch, name: str, match: str = "row") -> list[str]:
    """The raw predictions of one file that lies in one piece in the run's only part."""
    [[_, first, rows]] = verdicts(app, launch)[name].pieces
    return twice(app, launch, match)[first : first + rows]


def test_small_files_lie_in_one_part_one_after_the_other(app: App, shared: Launch) -> None:
    pieces = [verdict.pieces for verdict in verdicts(app, shared).values()]
    part = "part-00001.csv"
    assert pieces == [[[part, 0, 2]], [[part, 2, 1]], [[part, 3, 3]]]
    assert [row["x"] for row in contents(app, shared)[part]] == ["1", "2", "3", "4", "5", "6"]
    assert (app.run(shared).parts, app.run(shared).rows) == (1, 6)


@pytest.mark.parametrize("match", ["row", "file", "key"])
def test_files_that_share_a_job_get_their_own_predictions(app: App, match: str) -> None:
    launch = packed(app, *dropped(app, *FILES), route=together(app, match))
    lines = twice(app, launch, match)
    assert not ended(app, launch, lines if match == "file" else lines[::-1])["again"]
    assert {name: app.read("predictions", name) for name in FILES} == {
        name: predictions(name) for name in FILES
    }


@pytest.mark.parametrize("match", ["none", "files", "key", "file"])
def test_files_that_cannot_share_a_part_have_their_own(app: App, match: str) -> None:
    """No row of theirs could be told from others, or taken out again where its key proves to be another's."""
    launch = packed(app, *dropped(app, *FILES), route=together(app, match, carry=()))
    assert sorted(len(rows) for rows in contents(app, launch).values()) == [1, 2, 3]


def test_files_whose_columns_differ_do_not_share_a_part(app: App) -> None:
    files = {A: "id,x\na,1\n", B: "x,id\n2,b\n", C: "id,x\nc,3\n"}
    versions = [app.drop(name, text) for name, text in files.items()]
    launch = packed(app, *versions, route=together(app, send=()))
    found = verdicts(app, launch)
    assert found[A].pieces[0][0] == found[C].pieces[0][0] != found[B].pieces[0][0]
    assert contents(app, launch)[found[B].pieces[0][0]] == [{"x": "2", "id": "b"}]
    ended(app, launch, twice(app, launch, "row"))
    assert app.read("predictions", B) == b"id,twice\nb,4.0\n"
    assert app.read("predictions", C) == b"id,twice\nc,6.0\n"


def test_a_part_has_only_so_many_rows(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "ROWS_A_PART", 3)
    launch = packed(app, *dropped(app, *FILES), route=together(app))
    assert [len(rows) for rows in contents(app, launch).values()] == [3, 3]


@pytest.mark.parametrize("match", ["row", "file"])
def test_rows_of_many_parts_that_stand_mixed_are_put_apart(
    app: App, monkeypatch: pytest.MonkeyPatch, match: str
) -> None:
    for limit, value in {"MIXED_FROM": 1, "MIXED_A_PART": 0, "READ_WHOLE": 1}.items():
        monkeypatch.setattr(raw, limit, value)
    launch = packed(app, *dropped(app, *FILES), route=together(app, match, part_size="1B"))
    names = {verdict.pieces[0][0] for verdict in verdicts(app, launch).values()}
    of_parts = [[line for line in twice(app, launch, match) if name in line] for name in sorted(names)]
    ended(app, launch, [line for some in zip_longest(*of_parts, fillvalue="") for line in some])
    assert [app.read("predictions", name) for name in FILES] == [predictions(name) for name in FILES]


def test_a_run_of_several_parts_is_never_read_as_one_list(app: App) -> None:
    launch = packed(app, *dropped(app, *FILES), route=together(app, "none", carry=()))
    for name in FILES:
        app.container("predictions").upload_blob(name, b"theirs")
    ended(app, launch, twice(app, launch, "file"))
    write_results(launch.to_dict())
    app.ledger.closed(launch, "failed")
    app.container("predictions").delete_blobs(*FILES)
    again = app.ledger.reopen(launch.run, together(app, "order", carry=()))
    assert again is not None
    assert whole(unpack, again) == {"more": False, "again": False}
    assert app.names("predictions") == []
    assert all("cannot tell apart" in word.why for word in app.ledger.results(app.run(again)))


def test_a_part_that_is_full_is_followed_by_another(app: App) -> None:
    launch = packed(app, *dropped(app, *FILES), route=together(app, part_size="5B"))
    assert [len(rows) for rows in contents(app, launch).values()] == [3, 3]
    ended(app, launch, twice(app, launch, "row"))
    assert [app.read("predictions", name) for name in FILES] == [predictions(name) for name in FILES]


def test_a_larger_file_among_small_ones_has_a_part_of_its_own(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "SHARED_AT_MOST", len(data(A)))
    launch = packed(app, *dropped(app, A, C, B), route=together(app))
    assert sorted(len(rows) for rows in contents(app, launch).values()) == [3, 3]
    assert len(verdicts(app, launch)[C].pieces) == 1
    ended(app, launch, twice(app, launch, "row"))
    assert [app.read("predictions", name) for name in FILES] == [predictions(name) for name in FILES]


def test_files_that_are_rejected_or_unchanged_lie_in_no_part(app: App) -> None:
    ended(app, before := packed(app, *dropped(app, A), route=together(app)), twice(app, before, "row"))
    versions = [*dropped(app, A), app.drop(B, "id,x\nb,1\nb,one\n"), *dropped(app, C)]
    launch = packed(app, *versions, route=together(app))
    assert [verdict.word for verdict in verdicts(app, launch).values()] == ["unchanged", "rejected", ""]
    assert [[row["x"] for row in rows] for rows in contents(app, launch).values()] == [["4", "5", "6"]]
    ended(app, launch, twice(app, launch, "row"))
    assert app.read("predictions", C) == predictions(C)


def test_a_file_that_vanished_lies_in_no_part(app: App) -> None:
    launch = app.opened(*dropped(app, *FILES), route=together(app))
    app.container("inbox").delete_blob(A)
    whole(pack, launch)
    assert verdicts(app, launch)[A].word == "withdrawn"
    ended(app, launch, twice(app, launch, "row"))
    assert app.names("predictions") == [B, C]
    assert app.read("predictions", B) == predictions(B)


@pytest.mark.parametrize("first", ["with the file", "without it"])
def test_executions_that_found_different_files_are_never_mixed(app: App, first: str) -> None:
    launch = app.opened(*dropped(app, *FILES), route=together(app))
    run = app.run(launch)
    [portion] = work.portions(work.to_score(run))
    found = {"with the file": portion_packed(run, portion)}
    app.container("inbox").delete_blob(A)
    found["without it"] = portion_packed(run, portion)
    work.write_index(run, found.pop(first).verdicts)
    work.write_index(run, found.popitem()[1].verdicts)
    assert whole(pack, launch)["parts"] == 1
    standing = [name for name, verdict in verdicts(app, launch).items() if verdict.packed]
    assert standing == [*([A] if first == "with the file" else []), B, C]
    [rows] = contents(app, launch).values()
    assert [row["x"] for row in rows] == [str(x) for name in standing for x in X[name]]
    ended(app, launch, twice(app, launch, "row"))
    assert {name: app.read("predictions", name) for name in standing} == {
        name: predictions(name) for name in standing
    }


def test_what_a_job_leaves_incomplete_of_a_shared_part_is_scored_again_alone(
    app: App, shared: Launch
) -> None:
    lines = [line for line in twice(app, shared, "row") if line not in lines_of(app, shared, B)]
    assert ended(app, shared, lines)["again"]
    assert words(app, shared) == {A: "published", B: "", C: "published"}
    assert whole(pack, shared) == {"more": False, "parts": 1, "shared": False}
    assert [row["x"] for rows in contents(app, shared).values() for row in rows] == ["3"]
    ended(app, shared, twice(app, shared, "row"))
    assert app.read("predictions", B) == predictions(B)
    assert write_results(shared.to_dict()) == {"published": 3}


def test_where_rows_have_no_numbers_a_lost_one_and_a_doubled_one_do_not_make_up_for_each_other(
    app: App,
) -> None:
    launch = packed(app, *dropped(app, *FILES), route=together(app, "file"))
    parts = {verdict.blob: verdict.pieces[0][0] for verdict in verdicts(app, launch).values()}
    of = {name: [line for line in twice(app, launch, "file") if parts[name] in line] for name in FILES}
    assert ended(app, launch, [*of[A][1:], *of[B], *of[C], of[C][-1]])["again"]
    assert words(app, launch) == {A: "", B: "published", C: ""}
    assert app.names("predictions") == [B]
    assert whole(pack, launch) == {"more": False, "parts": 2, "shared": True}
    ended(app, launch, [line for line in twice(app, launch, "file") if line.split()[0] != "4.0"])
    assert words(app, launch, attempt=2) == {A: "", C: "published"}
    assert app.read("predictions", C) == predictions(C)
    assert write_results(launch.to_dict()) == {"published": 2, "failed": 1}


def taken(app: App, launch: Launch, name: str) -> None:
    """The run is closed, and another one has claimed one of its files for itself."""
    write_results(launch.to_dict())
    app.ledger.closed(launch, "failed")
    [version] = [one for one in app.ledger.sealed(launch.run) if one.blob == name]
    claimed, _ = app.ledger.claim_again("R2", version, force=True)
    assert claimed is not None


@pytest.mark.parametrize("match", ["row", "file", "key"])
@pytest.mark.parametrize("other", FILES)
def test_a_rerun_publishes_what_is_left_to_it_of_a_shared_part(app: App, match: str, other: str) -> None:
    launch = packed(app, *dropped(app, *FILES), route=together(app, match))
    for name in FILES:
        app.container("predictions").upload_blob(name, b"theirs")
    ended(app, launch, twice(app, launch, match))
    assert set(words(app, launch).values()) == {"failed"}
    app.container("predictions").delete_blobs(*FILES)
    taken(app, launch, other)
    again = app.ledger.reopen(launch.run, together(app, match))
    assert again is not None
    assert whole(unpack, again) == {"more": False, "again": False}
    left = [name for name in FILES if name != other]
    assert app.names("predictions") == left
    assert [app.read("predictions", name) for name in left] == [predictions(name) for name in left]


def test_a_rerun_never_gives_a_file_the_rows_of_one_that_others_have_taken(app: App) -> None:
    launch = packed(app, *dropped(app, B, "named/a.csv"), route=together(app, "file"))
    app.ledger.cancel(launch.run)
    job_ended(app, launch, "".join(twice(app, launch, "file")[:2]))
    whole(unpack, launch)
    taken(app, launch, B)
    again = app.ledger.reopen(launch.run, together(app, "file"))
    assert again is not None
    whole(unpack, again)
    assert app.names("predictions") == []
