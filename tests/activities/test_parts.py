"""Pack: what the model is given, and what happens to files that change or vanish meanwhile."""

import hashlib

import pytest

from activities.parts import pack
from shared import work
from shared.records import Verdict
from tests.activities.conftest import App
from tests.activities.stages import packed


def one_packed(app: App, name: str, data: str | bytes, **changes: object) -> tuple[Verdict, str]:
    """What pack found out about one file, and the folder of the run's attempt."""
    launch = packed(app, app.drop(name, data), route=app.route(**changes))
    [verdict] = work.index(app.run(launch))
    return verdict, f"{launch.run}/1"


def test_the_part_holds_only_what_is_sent_and_the_rest_is_kept_aside(app: App) -> None:
    data = 'id,note,x\r\na,"one, two",1\r\nb,,2.5\r\n'
    verdict, folder = one_packed(app, "double/a.csv", data, carry=("id", "note"))
    assert (verdict.rows, verdict.pieces, verdict.word) == (2, [["part-00001.csv", 0, 2]], "")
    assert verdict.sha256 == hashlib.sha256(data.encode()).hexdigest()
    assert app.read("work", f"{folder}/parts/part-00001.csv") == b"x\n1\n2.5\n"
    assert app.read("work", f"{folder}/carried/part-00001.csv") == b'a,"one, two"\nb,\n'


def test_nothing_but_parts_lies_in_the_parts_folder(app: App) -> None:
    _, folder = one_packed(app, "double/a.csv", "id,x\na,1\n")
    assert app.names("work", f"{folder}/parts/") == [f"{folder}/parts/part-00001.csv"]


def test_packing_again_gives_the_same_bytes(app: App) -> None:
    launch = app.opened(app.drop("double/a.csv", "id,x\na,1\n"))
    pack(launch.to_dict())
    first = app.read("work", f"{launch.run}/1/parts/part-00001.csv"), work.index(app.run(launch))
    pack(launch.to_dict())
    assert first == (
        app.read("work", f"{launch.run}/1/parts/part-00001.csv"),
        work.index(app.run(launch)),
    )
    assert (app.run(launch).stage, app.run(launch).rows, app.run(launch).parts) == ("packed", 1, 1)


def test_a_file_overwritten_before_it_was_read_is_superseded(app: App) -> None:
    launch = app.opened(app.drop("double/a.csv", "id,x\na,1\n"))
    app.drop("double/a.csv", "id,x\nb,2\n")
    assert pack(launch.to_dict()) == {"more": False, "parts": 0, "shared": False}
    assert [verdict.word for verdict in work.index(app.run(launch))] == ["superseded"]


def test_a_file_deleted_before_it_was_read_is_withdrawn(app: App) -> None:
    launch = app.opened(app.drop("double/a.csv", "id,x\na,1\n"))
    app.container("inbox").delete_blob("double/a.csv")
    assert pack(launch.to_dict()) == {"more": False, "parts": 0, "shared": False}
    assert [verdict.word for verdict in work.index(app.run(launch))] == ["withdrawn"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "The file is empty."),
        ("id,x\na,1\nb\n", "Line 3 has 1 field, the header has 2."),
        ("id,x\na,one\n", 'Line 2, column "x" is not a number.'),
        ("id,x\n" + "a,1\n" * 30_000, "this route takes at most 100KB"),
    ],
    ids=["empty", "ragged", "not a number", "too large"],
)
def test_a_bad_file_is_rejected_and_leaves_no_part(app: App, data: str | bytes, reason: str) -> None:
    verdict, folder = one_packed(app, "double/bad.csv", data, max_size="100KB")
    assert (verdict.word, verdict.pieces) == ("rejected", [])
    assert reason in verdict.why
    assert app.names("work", f"{folder}/parts/") == []


def test_a_file_larger_than_a_block_is_packed_whole(app: App) -> None:
    rows = "".join(f"row {number},{number}\n" for number in range(400_000))
    verdict, folder = one_packed(app, "double/large.csv", "id,x\n" + rows)
    assert verdict.rows == 400_000
    part = app.read("work", f"{folder}/parts/part-00001.csv").decode()
    assert part == "x\n" + "".join(f"{number}\n" for number in range(400_000))
