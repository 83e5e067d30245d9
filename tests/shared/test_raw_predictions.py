"""Raw predictions are matched to rows exactly, or refused: never guessed, never with a value in the message."""

import csv
import io
import subprocess
import sys

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.errors import StageFailed
from shared.raw_numbered import BATCH
from shared.raw_predictions import Tally, predicted
from shared.raw_rows import Form, Reader
from tests.shared.raw_text import PART, cut, lines, parsed, read, route, written

COUNT = "Nothing was published: the model must return one prediction for every row of the file."
FORMS = ("order", "file", "row", "key", "files")


def refusal(text: str, match: str, rows: int, width: int = 1) -> str:
    with pytest.raises(StageFailed) as refused:
        read(text.encode(), route(match, width), rows)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "match", "width", "values"),
    [
        ("1.5\n2.5\n", "order", 1, [b"1.5", b"2.5"]),
        ("1.5\r\n2.5\r\n", "order", 1, [b"1.5", b"2.5"]),
        ("two words\n[1, 2]\n", "order", 1, [b"two words", b'"[1, 2]"']),
        ('"two words"\n"say ""hi"""\n', "order", 1, [b"two words", b'"say ""hi"""']),
        ('"\n"" x\n', "order", 1, [b'""""', b'""""" x"']),
        ('""\n" "\n', "order", 1, [b'""', b'" "']),
        ("1 2\n3 4\n", "order", 2, [b"1,2", b"3,4"]),
        ('"a b" 2\n3 "c d"\n', "order", 2, [b"a b,2", b"3,c d"]),
        ("1,5 2\n3 4\n", "order", 2, [b'"1,5",2', b"3,4"]),
        (f"1 {PART}\n2 {PART}\n", "file", 1, [b"1", b"2"]),
        (f"1 {PART}\n2 {PART}", "file", 1, [b"1", b"2"]),
        (f" {PART}\n\t {PART}\n", "file", 1, [b'""', b'"\t"']),
        (f"1,5 {PART}\n2 {PART}\n", "file", 1, [b'"1,5"', b"2"]),
        (f"1 2 {PART}\n3 4 {PART}\n", "file", 2, [b"1,2", b"3,4"]),
        (f'"a b" /mnt/in/{PART}\n2 azureml://x/{PART}\n', "file", 1, [b"a b", b"2"]),
        (f'1 "{PART}"\n2 "/my data/{PART}"\n', "file", 1, [b"1", b"2"]),
        (f"0,1.5,{PART}\n1,2.5,{PART}\n", "row", 1, [b"1.5", b"2.5"]),
        (f'1,"a,b",{PART}\n0,c,{PART}\n', "row", 1, [b"c", b'"a,b"']),
        (f"0,,{PART}\n1,,{PART}\n", "row", 1, [b'""', b'""']),
        (f"0,1,2,{PART}\n1,,,{PART}\n", "row", 2, [b"1,2", b","]),
        ("0,1.5\n1,2.5\n", "key", 1, [b"1.5", b"2.5"]),
        ("1.5\n2.5\n", "files", 1, [b"1.5", b"2.5"]),
        ("prediction\n1.5\n2.5\n", "files", 1, [b"1.5", b"2.5"]),
        ("low,middle\n1,2\n3,4\n", "files", 2, [b"1,2", b"3,4"]),
    ],
)
def test_each_form_gives_its_values_in_the_order_of_the_part(
    text: str, match: str, width: int, values: list[bytes]
) -> None:
    assert read(text.encode(), route(match, width), 2) == values


@pytest.mark.parametrize(
    ("match", "line"), [("file", "1;{}"), ("row", "0;1;{}"), ("order", "1;2"), ("row", "0 1 2 {}")]
)
def test_the_delimiter_is_the_routes(match: str, line: str) -> None:
    mark = ";" if ";" in line else " "
    width = 2 if "2" in line else 1
    text = line.format(PART) + "\n"
    assert read(text.encode(), route(match, width, raw_delimiter=mark), 1) == [b"1,2" if width == 2 else b"1"]


@pytest.mark.parametrize("match", ["order", "file", "files"])
def test_too_few_and_too_many_predictions_are_refused_with_their_number(match: str) -> None:
    text = b"".join(written(match, ([f"{row}.5"] for row in range(5)))).decode()
    assert read(text.encode(), route(match), 5) == [b"%d.5" % row for row in range(5)]
    assert refusal(text, match, 7) == f"The job returned 5 of 7 rows. {COUNT}"
    assert refusal(text, match, 4) == f"The job returned more than 4 rows. {COUNT}"
    assert refusal("", match, 4) == f"The job returned 0 of 4 rows. {COUNT}"


@pytest.mark.parametrize("disorder", [False, True])
def test_rows_that_say_which_they_are_may_come_in_any_order_and_be_missing(disorder: bool) -> None:
    """Only those that are missing have no prediction."""
    rows = written("row", ([f"{row}.5"] for row in range(7)))
    del rows[4]
    if disorder:
        rows.reverse()
    tally = Tally()
    found = read(b"".join(rows), route("row"), 7, tally)
    assert found == [b"0.5", b"1.5", b"2.5", b"3.5", None, b"5.5", b"6.5"]
    assert tally == Tally(read=6, missing=1)


def test_equal_predictions_of_a_row_are_dropped_and_counted_and_differing_ones_are_none() -> None:
    rows = written("row", ([f"{row}.5"] for row in range(5)))
    tally = Tally()
    again = [rows[1], rows[3], rows[1], f"4,other,{PART}\n".encode(), rows[4]]
    assert read(b"".join([*rows, *again]), route("row"), 5, tally) == [b"0.5", b"1.5", b"2.5", b"3.5", None]
    assert (tally.read, tally.doubled, tally.missing, list(tally.differing)) == (10, 3, 0, [4])


def test_a_row_is_equal_to_itself_however_it_is_written() -> None:
    tally = Tally()
    assert read(f'0,"a",{PART}\n0,a,/x/{PART}\n'.encode(), route("row"), 1, tally) == [b"a"]
    assert tally.doubled == 1


def test_stretches_of_a_part_come_in_any_order() -> None:
    rows = written("row", ([f"{row}.5"] for row in range(9)))
    pieces = [b"".join(rows[6:]), b"".join(rows[:3]), b"".join(rows[3:6])]
    assert read(pieces, route("row"), 9) == [b"%d.5" % row for row in range(9)]


@pytest.mark.parametrize("match", FORMS)
def test_a_large_part_comes_in_batches(match: str) -> None:
    """Also when it is out of order, where rows say which they are."""
    count = 2 * BATCH + 7
    rows = written(match, ([str(row)] for row in range(count)))
    if match in ("row", "key"):
        rows[0], rows[-1] = rows[-1], rows[0]
    batches = list(predicted(cut(b"".join(rows), [1 << 20]), route(match), PART, count))
    assert max(map(len, batches)) <= BATCH
    assert [row for batch in batches for row in batch] == [b"%d" % row for row in range(count)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"0,1,{PART}\n2,2,{PART}\n",
            "Row 2 of the raw predictions is numbered beyond the 2 rows of its part.",
        ),
        (f"9,1,{PART}\n", "Row 1 of the raw predictions is numbered beyond the 2 rows of its part."),
        (f"row,prediction,{PART}\n", "Row 1 of the raw predictions begins with no row number."),
        (f"0,1,{PART}\n-1,1,{PART}\n", "Row 2 of the raw predictions begins with no row number."),
        (f"0,1,{PART}\n01,1,{PART}\n", "Row 2 of the raw predictions begins with no row number."),
        (f"0,1,{PART}\n1.0,1,{PART}\n", "Row 2 of the raw predictions begins with no row number."),
        (f"0,1,{PART}\n,1,{PART}\n", "Row 2 of the raw predictions begins with no row number."),
        (f"{10**30},1,{PART}\n", "Row 1 of the raw predictions begins with no row number."),
        (f"0,1,{PART}\n1,2,other.csv\n", "Row 2 of the raw predictions belongs to another file."),
        ("row,prediction,file\n", "Row 1 of the raw predictions belongs to another file."),
        ("", "The job returned no row of this part."),
    ],
)
def test_a_row_that_is_none_of_the_parts_makes_all_of_it_unusable(text: str, message: str) -> None:
    assert refusal(text, "row", 2) == f"{message} Nothing was published."


def test_a_row_of_another_part_is_refused_by_name_too() -> None:
    text = f"1 {PART}\n2 part-00002.csv\n"
    assert refusal(text, "file", 2).startswith("Row 2 of the raw predictions belongs to another file.")


@pytest.mark.parametrize(
    ("text", "match", "width", "has", "needs"),
    [
        ("1 2 3\n", "order", 2, 3, 2),
        ("\n", "order", 2, 0, 2),
        (f"{PART}\n", "file", 1, 1, 2),
        (f"1 2 {PART}\n", "file", 1, 3, 2),
        (f"1 {PART}\nlost\n", "file", 1, 1, 2),
        (f"0,1,2,{PART}\n", "row", 1, 4, 3),
        (f"0,{PART}\n", "row", 1, 2, 3),
        (f"0 1 {PART}\n", "row", 1, 1, 3),
        ("\n", "row", 1, 0, 3),
        ("0\n", "key", 1, 1, 2),
        ("1,2\n", "files", 1, 2, 1),
    ],
)
def test_another_number_of_fields_is_refused_with_what_to_correct(
    text: str, match: str, width: int, has: int, needs: int
) -> None:
    row = text.count("\n")
    assert refusal(text, match, 2, width) == (
        f'Row {row} of the raw predictions has {has} fields, match = "{match}" with {width} predicted columns needs '
        f"{needs}. Correct `match`, `predictions` or `raw_delimiter` of the route."
    )


@pytest.mark.parametrize(("text", "row"), [("\n1.5\n", 1), ("1.5\n\n", 2), ("1.5\n\r\n", 2)])
def test_an_empty_line_is_no_prediction(text: str, row: int) -> None:
    assert refusal(text, "order", 2) == f"Row {row} of the raw predictions is empty. Nothing was published."


@pytest.mark.parametrize("match", ["order", "key", "none", "files"])
def test_a_value_that_may_be_cut_off_is_none(match: str) -> None:
    text = b"".join(written("order" if match == "none" else match, [["1.5"], ["2.5"]])).decode()
    assert "end within row 2, without a line's end" in refusal(text[:-1], match, 2)


@pytest.mark.parametrize("match", FORMS)
def test_what_is_not_utf_8_is_refused_by_its_row(match: str) -> None:
    one, two = written(match, [["1"], ["é"]])
    with pytest.raises(StageFailed, match=r"^Row 2 of the raw predictions is not UTF-8"):
        read(one + two.replace("é".encode(), b"\xe9"), route(match), 2)


@pytest.mark.parametrize("match", ["file", "row"])
def test_a_cell_that_is_too_long_is_refused(match: str) -> None:
    (line,) = written(match, [["x" * 131_073]])
    with pytest.raises(StageFailed, match=r"^Row 1 of the raw predictions cannot be read"):
        read(line, route(match), 1)


def test_a_quote_that_is_never_closed_is_refused() -> None:
    assert "opens a quote and never closes it" in refusal(f'0,1,{PART}\n1,"2,{PART}\n', "row", 2)


@pytest.mark.parametrize("named", [False, True])
def test_another_number_of_rows_is_passed_through_and_counted(named: bool) -> None:
    """The part's name, where rows have it, is no prediction."""
    values = [["1", "a b"], ["2", "c"], ["3", "d,e"]]
    rows = written("none" if named else "order", values)
    tally = Tally()
    assert read(b"".join(rows), route("none", 2), 99, tally) == [b"1,a b", b"2,c", b'3,"d,e"']
    assert tally.read == 3


def test_rows_passed_through_are_all_named_or_none_is() -> None:
    assert "has 1 fields" in refusal(f"1 {PART}\n2\n", "none", 2)
    assert "has 2 fields" in refusal(f"1\n2 {PART}\n", "none", 2)


@pytest.mark.parametrize("match", [*FORMS, "none"])
def test_no_refusal_shows_a_value(match: str) -> None:
    canary = "CANARY7391"
    texts = [f"{canary} {PART}\n", f"0,{canary},x\n", f"{canary},{canary},{PART}\n", f"1 2 3 {canary}\n"]
    texts += [f'0,"{canary}\n', f"0,{canary}\rx,{PART}\n", f"0,{canary}"]
    for text in texts:
        for rows, width in ((0, 2), (2, 3)):
            assert canary not in refusal(text, match, rows, width)


ODD = st.one_of(st.sampled_from('ab1 ,;"\n\t日\x0b'), st.characters(codec="utf-8", exclude_characters="\0\r"))
VALUES = st.integers(1, 3).flatmap(
    lambda width: st.lists(
        st.lists(st.text(ODD, min_size=1, max_size=5), min_size=width, max_size=width),
        min_size=1,
        max_size=8,
    )
)
SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=5)


@pytest.mark.parametrize("match", ["file", "row", "key", "none"])
@given(values=VALUES, sizes=SIZES, mark=st.sampled_from(["", ";", "\t"]))
def test_values_of_any_kind_come_back_however_they_are_cut(
    match: str, values: list[list[str]], sizes: list[int], mark: str
) -> None:
    mark = "" if match == "key" else mark
    data = b"".join(written(match, values, delimiter=mark))
    asked = route(match, len(values[0]), raw_delimiter=mark)
    assert parsed(read(cut(data, sizes), asked, len(values))) == values


@pytest.mark.parametrize("match", FORMS)
@given(
    values=st.lists(st.text(st.sampled_from("ab1 ,;.-日"), min_size=1, max_size=5), min_size=1, max_size=9),
    sizes=SIZES,
)
def test_what_pandas_writes_comes_back(match: str, values: list[str], sizes: list[int]) -> None:
    mark = {"order": " ", "file": " "}.get(match, ",")
    frame = pd.DataFrame({"row": range(len(values)), "value": values, "file": PART})
    columns = {"order": ["value"], "files": ["value"], "file": ["value", "file"], "key": ["row", "value"]}
    text = frame[columns.get(match, ["row", "value", "file"])].to_csv(sep=mark, header=False, index=False)
    assert parsed(read(cut(text.encode(), sizes), route(match), len(values))) == [[value] for value in values]


TOKENS = st.lists(
    st.sampled_from(
        [
            *'ab01,; "\n\t\r',
            '""',
            "\n\n",
            f" {PART}\n",
            f",{PART}\n",
            f'"{PART}"',
            "\n0,",
            "1 ",
            "é",
            "\udcff",
        ]
    ),
    max_size=12,
).map(lambda pieces: "".join(pieces).encode(errors="surrogateescape"))
FORM = st.builds(
    Form,
    match=st.just("row"),
    width=st.integers(1, 2),
    delimiter=st.sampled_from(" ,;"),
    lead=st.sampled_from(["", "number", "key"]),
    named=st.booleans(),
    bare=st.just(False),
)
BARE = Form(match="order", width=1, delimiter=" ", bare=True)


CELL = st.sampled_from(
    ["a", "1", "1.5", "", "é", '"a"', '""', '"b c"', '"x,y"', '"', 'b"', "b c", "x,y", "\t", "c\r"]
)


@st.composite
def shaped(draw: st.DrawFn) -> tuple[bytes, Form]:
    """A form, and lines that are mostly of it."""
    form = draw(st.one_of(FORM, st.just(BARE)))
    written = []
    for row in range(draw(st.integers(1, 4))):
        lead = draw(st.sampled_from([str(row), str(row), "0", "007", '"1"', ""])) if form.lead else None
        cells = [draw(CELL) for _ in range(draw(st.sampled_from([form.width, form.width, form.width, 1, 3])))]
        name = draw(st.sampled_from([PART, PART, PART, f"x/{PART}", f'"{PART}"'])) if form.named else None
        written.append(form.delimiter.join(cell for cell in [lead, *cells, name] if cell is not None))
    return "\n".join(written).encode(), form


@given(st.one_of(shaped(), st.tuples(TOKENS, FORM)))
@example((f"1,{PART}".encode(), Form(match="row", width=1, delimiter=",", lead="number", named=True)))
@example((PART.encode(), Form(match="file", width=1, delimiter=" ", named=True)))
@example((b'"a""b"', BARE))
@example((b'"a\n"b"c', BARE))
def test_whatever_is_read_on_bytes_the_csv_module_reads_alike(block_and_form: tuple[bytes, Form]) -> None:
    text, form = block_and_form
    reader = Reader(form, PART)
    plain = reader.plain(text + b"\n")
    if plain is not None:
        found, rest = reader.exact(text + b"\n")
        assert (plain.values, plain.keys) == (found.values, found.keys)
        assert list(plain.numbers) == list(found.numbers)
        assert rest == b""


@pytest.mark.parametrize("match", ["order", "file", "row", "key"])
@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("value", ["1.5", "é", "very likely", ""])
def test_ordinary_rows_are_read_on_bytes(match: str, width: int, value: str) -> None:
    if width == 2 and value == "very likely":
        value = "likely"
    forms = {"order": Form(match="order", width=width, delimiter=" ", bare=width == 1)}
    forms["file"] = Form(match="file", width=width, delimiter=" ", named=True)
    forms["row"] = Form(match="row", width=width, delimiter=",", lead="number", named=True)
    forms["key"] = Form(match="key", width=width, delimiter=",", lead="number")
    rows = written(match, [[value] * width] * 5)
    assert Reader(forms[match], PART).plain(b"".join(rows)) is not None


@pytest.mark.parametrize("match", [*FORMS, "none"])
@given(text=TOKENS, sizes=SIZES, width=st.integers(1, 2))
def test_any_cutting_gives_the_same_rows_or_the_same_refusal(
    match: str, text: bytes, sizes: list[int], width: int
) -> None:
    def outcome(pieces: list[bytes]) -> object:
        tally = Tally()
        try:
            return read(pieces, route(match, width), 2, tally), tally
        except StageFailed as problem:
            return str(problem)

    assert outcome(list(cut(text, sizes))) == outcome([text])


def test_lines_of_a_list_are_values_as_they_stand() -> None:
    """A list's items are written by `str`, not by a CSV writer: their quotes are letters."""
    items = ['5" wide', "it's", 'a "b" c', "x,y", "'q'"]
    found = read("".join(f"{item}\n" for item in items).encode(), route("order"), len(items))
    assert parsed(found) == [[item] for item in items]


def test_the_rows_go_into_a_csv_as_they_are() -> None:
    values = [["a,b"], ['"'], ["x\ny"], ["plain"]]
    found = read(b"".join(written("row", values)), route("row"), 4)
    text = b"".join(b"id,%b\n" % row for row in found if row is not None).decode()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["id", *cells] for cells in values]
    assert lines([["id", *cells] for cells in values], ",") == [
        b"id,%b\n" % row for row in found if row is not None
    ]


def test_the_app_starts_without_numpy() -> None:
    modules = "shared.raw_predictions, shared.raw_keys, shared.raw_files, shared.raw_proposal"
    code = f"import sys, {modules}; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
