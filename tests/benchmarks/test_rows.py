"""What the benchmarks measure does what it says: who answers the same question answers it alike, and rightly."""

import hashlib
import sys
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.pages import rows as page
from benchmarks.results import FULL, Place
from benchmarks.rows import ours, plain, steps
from benchmarks.rows.data import COLUMNS, Data, id_of, score_of, write
from benchmarks.rows.measure import Figure, compare, measure, timed
from benchmarks.rows.subjects import FLAT, STEPS, Subject
from benchmarks.setting import machine

ROWS = 20_000
BAD = (
    "{id},2024-03-01T00:00:00,{age},1.0,1.0,1.0,1.0,{k},{cat},planted\n",
    [
        {"id": 1, "age": "inf", "k": 1, "cat": "red"},
        {"id": 1, "age": "1.0", "k": 1000, "cat": "red"},
        {"id": 1, "age": "1.0", "k": -1, "cat": "red"},
        {"id": 1, "age": "1.0", "k": 1, "cat": "pink"},
        {"id": "one", "age": "1.0", "k": 1, "cat": "red"},
        {"id": 1, "age": "old", "k": 1, "cat": "red"},
    ],
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    made = Data(tmp_path_factory.mktemp("data"), ROWS)
    write(made)
    return made


def right_answers(data: Data) -> dict[str, object]:
    _, _, body = data.input.read_bytes().partition(b"\n")
    predictions = b"".join(b"%d,%b\n" % (id_of(row), score_of(row)) for row in range(ROWS))
    return {
        "counts": {"rows": ROWS, "bad": 0},
        "rows": hashlib.sha256(body).hexdigest(),
        "predictions": hashlib.sha256(b"id,prediction\n" + predictions).hexdigest(),
    }


@pytest.mark.parametrize("step", STEPS)
def test_all_that_need_no_peers_agree_and_are_right(step: str, data: Data) -> None:
    subjects = [subject for subject in STEPS[step] if not subject.needs_peers]
    figures = measure(data, subjects, rounds=1)
    asked = [figure for figure in figures if figure.answers]
    assert [figure.subject for figure in asked if figure.same is not True] == []
    right = right_answers(data)
    assert [
        figure.subject for figure in asked if figure.answer != [right.get(figure.answers, figure.answer[0])]
    ] == []
    assert {"ours", "peer"} <= {figure.role for figure in asked}
    assert not (data.folder / "out").exists()


def test_the_data_has_what_makes_it_hard(data: Data) -> None:
    """Line breaks and doubled quotes in cells, ids in no order, parts in another order than the input's."""
    text = data.input.read_text("utf-8")
    assert 0.01 * ROWS < text.count('""hi""\n') < 0.03 * ROWS
    assert len(text.splitlines()) > ROWS + 1
    ids = [int(line) for line in data.ids.read_text("ascii").splitlines()]
    assert len(set(ids)) == ROWS
    assert ids != sorted(ids)
    names = [line.split()[1] for line in data.raw("file").read_text("ascii").splitlines()]
    assert list(dict.fromkeys(names)) != sorted(data.parts)
    assert sorted(data.raw("batches").read_bytes().split(b"\n")) == sorted(
        data.raw("shuffled").read_bytes().split(b"\n")
    )


def test_bad_rows_are_counted_alike(tmp_path: Path) -> None:
    planted = Data(tmp_path, 1)
    line, faults = BAD
    rows_of_file = [line.format(id=1, age="1.0", k=1, cat="red"), *(line.format(**fault) for fault in faults)]
    planted.input.write_text(",".join(COLUMNS) + "\n" + "".join(rows_of_file), "utf-8")
    right = {"rows": 7, "bad": 6}
    assert (ours.validate(planted, tmp_path), plain.validate(planted, tmp_path)) == (right, right)


def test_who_answers_otherwise_stands_out() -> None:
    figures = [Figure(str(answer), "peer", "counts", answer=[1, answer]) for answer in (1, 1, 2)]
    alone = Figure("alone", "ours", "rows", answer=[3])
    compare([*figures, alone])
    assert [figure.same for figure in [*figures, alone]] == [True, True, False, None]


def test_the_peak_is_the_programs_own() -> None:
    """Not that of this process, which is far larger than the smaller of the two."""
    script = "import time; held = b'x' * ({} << 20); time.sleep(0.2)"
    small, large = (
        timed([sys.executable, "-c", script.format(size)], Figure("", "", ""))[0] >> 10 for size in (1, 200)
    )
    assert small < 50
    assert 200 <= large < 250


def test_a_subject_that_fails_ends_the_run(data: Data) -> None:
    with pytest.raises(SystemExit, match="failed with 1"):
        measure(data, [Subject("broken", "false")], 1)
    assert not (data.folder / "out").exists()


def test_only_known_steps_can_be_chosen() -> None:
    assert steps.options_of(["--only", "cut,match"]).only == ["cut", "match"]
    with pytest.raises(SystemExit):
        steps.options_of(["--only", "cut,paste"])


def step_of(seconds: float, **more: object) -> dict[str, object]:
    figure = Figure("ours", "ours", "rows", wall=[seconds, 9.0], cpu=[2.0], peak=[30.0, 31.0], same=True)
    return {
        "command": "c",
        "rounds": 2,
        "load": 0.5,
        "machine": machine(),
        "peers": {},
        "figures": [{**figure.to_dict(), **more}],
    }


def test_the_page_has_a_table_for_each_step() -> None:
    text = page.page(
        {
            "cut": {**step_of(4.0), "rows": 5, "bytes": 10},
            "flat": step_of(2.0, rows=1_000_000, bytes=100_000_000),
        }
    )
    assert "| **ours** | 4.00 (9.00) |  2.00 |     1.0 |           1.0 |       31 |  yes |" in text
    assert "| ours | 100 MB | 1,000,000 | 2.00 |       500,000 |       31 |" in text


def test_steps_that_were_not_measured_stay_as_they_were(tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path / "page.md", tmp_path / "plots")
    cut = {**step_of(4.0), "rows": 5, "bytes": 10}
    steps.keep(place, {"cut": cut})
    steps.keep(place, {"validate": {**cut, "rows": 6}})
    kept = place.read("rows")
    assert kept is not None
    assert (list(kept), kept["cut"]) == (["validate", "cut"], cut)


def test_the_docs_have_the_marks_and_name_every_option() -> None:
    text = FULL.page.read_text("utf-8")
    assert text.count(report.BEGIN) == text.count(report.END) == 1
    assert all(f"`{option}" in text for option in ("--rows", "--rounds", "--only", "--huge", "--anyway"))


def test_flat_is_ours_alone() -> None:
    assert {subject.role for subject in FLAT} == {"ours"}
