"""Raw predictions are matched to rows exactly, or refused: never guessed, never with a value in the message."""

import csv
import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import StageFailed
from shared.raw_matched import matched
from shared.routes import Route

PART = "part-00001.csv"
COUNT = "Nothing was published: the model must return one prediction for every row of the file."
OTHER_FILE = "of the raw predictions belongs to another file. Nothing was published."
OTHER_ROW = (
    "of the raw predictions belongs to another row of the file: rows are missing, double or out of order. "
    "Nothing was published."
)


def route(match: str, *predictions: str) -> Route:
    return Route(
        name="r",
        pattern="**",
        model="https://e/jobs",
        match=match,
        predictions=predictions or ("prediction",),
    )


def read(text: str, match: str, rows: int, *predictions: str) -> list[list[str]]:
    return list(matched(io.StringIO(text, newline="\n"), route(match, *predictions), PART, rows))


def refusal(text: str, match: str, rows: int, *predictions: str) -> str:
    with pytest.raises(StageFailed) as refused:
        read(text, match, rows, *predictions)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "match", "predictions", "values"),
    [
        ("1.5\n2.5\n", "order", (), [["1.5"], ["2.5"]]),
        ("1.5\r\n2.5\r\n", "order", (), [["1.5"], ["2.5"]]),
        ("1.5\n2.5", "order", (), [["1.5"], ["2.5"]]),
        ("two words\n[1, 2]\n", "order", (), [["two words"], ["[1, 2]"]]),
        ('"two words"\n"say ""hi"""\n', "order", (), [["two words"], ['say "hi"']]),
        ("1 2\n3 4\n", "order", ("low", "high"), [["1", "2"], ["3", "4"]]),
        ('"a b" 2\n3 "c d"\n', "order", ("x", "y"), [["a b", "2"], ["3", "c d"]]),
        (f"1 {PART}\n2 {PART}\n", "file", (), [["1"], ["2"]]),
        (f"1 2 {PART}\n3 4 {PART}\n", "file", ("low", "high"), [["1", "2"], ["3", "4"]]),
        (f'"a b" /mnt/in/{PART}\n2 azureml://x/{PART}\n', "file", (), [["a b"], ["2"]]),
        (f"0,1.5,{PART}\n1,2.5,{PART}\n", "row", (), [["1.5"], ["2.5"]]),
        (f'0,"a,b",{PART}\n1,c,{PART}\n', "row", (), [["a,b"], ["c"]]),
        (f"0,1,2,{PART}\n1,3,4,{PART}\n", "row", ("low", "high"), [["1", "2"], ["3", "4"]]),
    ],
)
def test_each_form_gives_its_values_in_the_order_of_the_file(
    text: str, match: str, predictions: tuple[str, ...], values: list[list[str]]
) -> None:
    assert read(text, match, 2, *predictions) == values


FORMS: dict[str, Callable[[int], str]] = {
    "order": lambda row: f"{row}.5\n",
    "file": lambda row: f"{row}.5 {PART}\n",
    "row": lambda row: f"{row},{row}.5,{PART}\n",
}


@pytest.mark.parametrize(("match", "line"), FORMS.items(), ids=FORMS)
def test_too_few_and_too_many_predictions_are_refused_with_their_number(
    match: str, line: Callable[[int], str]
) -> None:
    text = "".join(map(line, range(5)))
    assert read(text, match, 5) == [[f"{row}.5"] for row in range(5)]
    assert refusal(text, match, 7) == f"The job returned 5 of 7 rows. {COUNT}"
    assert refusal(text, match, 4) == f"The job returned more than 4 rows. {COUNT}"
    assert refusal("", match, 4) == f"The job returned 0 of 4 rows. {COUNT}"


@pytest.mark.parametrize(
    ("text", "match", "message"),
    [
        (f"1 {PART}\n2 part-00002.csv\n", "file", f"Row 2 {OTHER_FILE}"),
        (f"0,1,{PART}\n1,2,other.csv\n", "row", f"Row 2 {OTHER_FILE}"),
        (f"0,1,{PART}\n0,2,{PART}\n", "row", f"Row 2 {OTHER_ROW}"),
        (f"1,1,{PART}\n0,2,{PART}\n", "row", f"Row 1 {OTHER_ROW}"),
        (f"1,1,{PART}\n2,2,{PART}\n", "row", f"Row 1 {OTHER_ROW}"),
        (f"row,prediction,file\n0,1,{PART}\n", "row", f"Row 1 {OTHER_FILE}"),
        (f"-0,1,{PART}\n1,2,{PART}\n", "row", f"Row 1 {OTHER_ROW}"),
    ],
    ids=["file", "file of a row", "double", "swapped", "first missing", "a header", "another spelling"],
)
def test_what_belongs_elsewhere_is_refused(text: str, match: str, message: str) -> None:
    assert refusal(text, match, 2) == message


@pytest.mark.parametrize(
    ("text", "match", "predictions", "has", "needs"),
    [
        ("1 2 3\n", "order", ("a", "b"), 3, 2),
        ("1\n", "order", ("a", "b"), 1, 2),
        ("1\n", "file", ("a",), 1, 2),
        (f"1 2 {PART}\n", "file", ("a",), 3, 2),
        (f"0,1,2,{PART}\n", "row", ("a",), 4, 3),
        (f"0 1 {PART}\n", "row", ("a",), 1, 3),
        ("\n", "row", ("a",), 0, 3),
    ],
)
def test_another_number_of_fields_is_refused_with_what_to_correct(
    text: str, match: str, predictions: tuple[str, ...], has: int, needs: int
) -> None:
    assert refusal(text, match, 1, *predictions) == (
        f'Row 1 of the raw predictions has {has} fields, match = "{match}" with {len(predictions)} predicted columns '
        f"needs {needs}. Correct `match` or `predictions` of the route."
    )


@pytest.mark.parametrize(("text", "row"), [("\n1.5\n", 1), ("1.5\n\n", 2), ("1.5\n\r\n", 2)])
def test_an_empty_line_is_no_prediction(text: str, row: int) -> None:
    assert refusal(text, "order", 2) == f"Row {row} of the raw predictions is empty. Nothing was published."


@pytest.mark.parametrize("match", ["file", "row"])
def test_a_cell_that_is_too_long_is_refused(match: str) -> None:
    refusal("x" * 131_073 + f" {PART}\n", match, 1)


VALUES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1, max_size=5),
    min_size=1,
    max_size=8,
)


def written(values: list[str], match: str) -> list[str]:
    """The lines of a keyed form, as its writer quotes them."""
    lines = []
    for row, value in enumerate(values):
        text = io.StringIO()
        cells = [value, PART] if match == "file" else [str(row), value, PART]
        csv.writer(text, delimiter=" " if match == "file" else ",", lineterminator="\n").writerow(cells)
        lines.append(text.getvalue())
    return lines


@pytest.mark.parametrize("match", ["file", "row"])
@given(values=VALUES)
def test_keyed_values_of_any_kind_come_back(match: str, values: list[str]) -> None:
    assert read("".join(written(values, match)), match, len(values)) == [[value] for value in values]


def mutated(lines: list[str], change: str, data: st.DataObject) -> str:
    """The text with one line dropped, doubled, swapped with another or cut off at its end."""
    changed = list(lines)
    at = data.draw(st.integers(0, len(lines) - 1))
    match change:
        case "drop":
            del changed[at]
        case "double":
            changed.insert(at, lines[at])
        case "swap":
            other = data.draw(st.integers(0, len(lines) - 1).filter(lambda other: other != at))
            changed[at], changed[other] = lines[other], lines[at]
        case "cut":
            whole = lines[at].removesuffix("\n")
            end = data.draw(st.sampled_from(["", "\n"]))
            changed[at] = whole[: data.draw(st.integers(0, len(whole) - 1))] + end
    return "".join(changed)


@pytest.mark.parametrize(
    ("match", "change"),
    [
        *(("row", change) for change in ("drop", "double", "swap", "cut")),
        ("file", "drop"),
        ("file", "double"),
        ("file", "cut"),
    ],
)
@given(values=VALUES, data=st.data())
def test_every_mutation_of_a_keyed_form_is_found(
    match: str, change: str, values: list[str], data: st.DataObject
) -> None:
    refusal(mutated(written(values, match), change, data), match, len(values))


@pytest.mark.parametrize("match", list(FORMS))
def test_no_refusal_shows_a_value(match: str) -> None:
    canary = "CANARY7391"
    texts = [
        f"{canary}\n",
        f"{canary} {PART}\n",
        f"0,{canary},x\n",
        f"{canary},{canary},{PART}\n",
        f"1 2 3 {canary}\n",
    ]
    for text in texts:
        for rows in (0, 2):
            assert canary not in refusal(text, match, rows)
