"""Column rules: which cells pass, in which words the others do not, and that pandas agrees."""

import io
import json
from datetime import date, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.column_rules import (
    Rule,
    as_json,
    entry_problems,
    is_boolean,
    is_date,
    is_datetime,
    is_integer,
    moment,
    rule_of,
)

NO_DATE = "is not a date, written as in 2024-12-31"
NO_TIME = "is not a time, written as in 2024-12-31T23:59:59"

FAULTS = [
    ("number", "1e3", ""),
    ("number", "old", "is not a number"),
    ("number", "1,5", "is a number with a comma"),
    ("number", "1.234,5", "is not a number"),
    ("number", "", "is empty"),
    ("number", " \t", "is empty"),
    ("integer", "-7", ""),
    ("integer", " 007 ", ""),
    ("integer", "7.0", "is not a whole number"),
    ("integer", "1e3", "is not a whole number"),
    ("integer", "1_000", "is not a whole number"),
    ("integer", "٣", "is not a whole number"),
    ("integer", "9" * 19, "is not a whole number"),
    ("boolean", "true", ""),
    ("boolean", "FALSE", ""),
    ("boolean", "yes", "is neither true nor false"),
    ("boolean", "1", "is neither true nor false"),
    ("boolean", "true ", "is neither true nor false"),
    ("date", "2024-02-29", ""),
    ("date", "2023-02-29", NO_DATE),
    ("date", "2024-2-9", NO_DATE),
    ("date", "29.02.2024", NO_DATE),
    ("date", "20240229", NO_DATE),
    ("date", "2024-02-29T00:00", NO_DATE),
    ("date", "0000-01-01", NO_DATE),
    ("date", "٢٠٢٤-٠٢-٢٩", NO_DATE),
    ("datetime", "2024-02-29", ""),
    ("datetime", "2024-02-29 23:59", ""),
    ("datetime", "2024-02-29T23:59:59.123456789Z", ""),
    ("datetime", "2024-02-29T23:59:59-03:30", ""),
    ("datetime", "2024-02-29T24:00", NO_TIME),
    ("datetime", "2024-02-29T23:59:60", NO_TIME),
    ("datetime", "2024-02-29T12", NO_TIME),
    ("datetime", "2024-02-29T12:00+25:00", NO_TIME),
    ("datetime", "12:00", NO_TIME),
    ("text", "", ""),
    ("text", "  ", ""),
    ({"type": "text", "missing": False}, "", "is empty"),
    ({"type": "text", "missing": False}, "  ", "is empty"),
    ({"type": "number", "missing": True}, "", ""),
    ({"type": "number", "missing": True}, " ", "holds nothing but blanks"),
    ({"type": "number", "min": 0, "max": 80}, "0", ""),
    ({"type": "number", "min": 0, "max": 80}, "8e1", ""),
    ({"type": "number", "min": 0, "max": 80}, "-1e-9", "is less than 0"),
    ({"type": "number", "min": 0, "max": 80}, "80.5", "is more than 80"),
    ({"type": "integer", "max": 2.5}, "3", "is more than 2.5"),
    ({"type": "date", "min": "2024-01-01"}, "2023-12-31", "is before 2024-01-01"),
    ({"type": "date", "max": "2024-01-01"}, "2024-01-01", ""),
    ({"type": "datetime", "max": "2024-01-01"}, "2024-01-01T00:00:00", ""),
    ({"type": "datetime", "max": "2024-01-01"}, "2024-01-01T00:01", "is after 2024-01-01"),
    ({"type": "datetime", "max": "2024-01-01T00:00Z"}, "2024-01-01T01:00+02:00", ""),
    ({"allowed": ["m", "f"]}, "f", ""),
    ({"allowed": ["m", "f"]}, "F", 'is none of "m", "f"'),
    ({"allowed": ["m", "f"]}, " ", "is empty"),
    ({"allowed": ["m", "f"]}, "", "is empty"),
    ({"allowed": ["m", "f"], "missing": True}, "", ""),
    ({"allowed": list("abcdefghi")}, "z", "is none of the 9 allowed values"),
    ({"type": "integer", "allowed": ["1", "2"]}, "01", 'is none of "1", "2"'),
]


@pytest.mark.parametrize(("entry", "cell", "fault"), FAULTS, ids=repr)
def test_a_cell_passes_or_fails_in_these_words(entry: Any, cell: str, fault: str) -> None:
    assert rule_of(entry).fault(cell) == fault


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("1,5", ""),
        ("-,5e3", ""),
        ("15", ""),
        ("1.5", "is a number with a point"),
        ("1.000,5", "is not a number"),
        ("1,000,5", "is not a number"),
        ("99,5", "is more than 80"),
    ],
)
def test_with_decimal_commas_a_number_has_no_point(cell: str, fault: str) -> None:
    assert rule_of({"type": "number", "max": 80}).fault(cell, ",") == fault


@given(st.from_regex(r"[ \t]?[+-]?[0-9]{1,19}[ \t]?", fullmatch=True), st.sampled_from(["5", ""]))
@example("9223372036854774784", "5")
@example("-9223372036854775808", "5")
def test_what_counts_as_whole_pandas_reads_as_such(text: str, other: str) -> None:
    assume(is_integer(text))
    read = pd.read_csv(io.StringIO(f'x,y\n"{text}",1\n{other},1\n'))["x"]
    assert read.dtype == ("int64" if other else "float64")
    assert read[0] == (int(text) if other else float(text))


@given(st.lists(st.sampled_from(["true", "True", "TRUE", "tRuE", "false", "False"]), min_size=1))
def test_pandas_reads_a_column_of_booleans_as_such(cells: list[str]) -> None:
    assert all(map(is_boolean, cells))
    read = pd.read_csv(io.StringIO("x\n" + "".join(f"{cell}\n" for cell in cells)))["x"]
    assert read.dtype == "bool"
    assert read.tolist() == [cell.lower() == "true" for cell in cells]


@pytest.mark.parametrize("cell", ["t", "yes", "on", "0", "true ", "T"])
def test_what_pandas_does_not_read_as_boolean_is_none(cell: str) -> None:
    assert not is_boolean(cell)
    assert pd.read_csv(io.StringIO(f"x\ntrue\n{cell}\n"))["x"].dtype != "bool"


WRITTEN = st.one_of(
    st.dates().map(date.isoformat),
    st.datetimes().map(datetime.isoformat),
    st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat(" ")),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|\+02:00)?", fullmatch=True),
)


@given(st.lists(WRITTEN, min_size=1, max_size=4))
def test_what_counts_as_a_time_pandas_reads_as_the_same_instant(cells: list[str]) -> None:
    passed = [cell for cell in cells if is_datetime(cell)]
    read = pd.to_datetime(pd.Series(passed, dtype="str"), format="ISO8601", utc=True)
    assert [at.to_pydatetime() for at in read] == [moment(cell) for cell in passed]
    assert [is_date(cell) for cell in passed] == [len(cell) == 10 for cell in passed]


CANARIES = ["7391", "7391,5", "7391.5", "-7391", "x7391", "7391-01-01", "7391-13-01", " 7391 "]


@pytest.mark.parametrize("entry", [entry for entry, _, _ in FAULTS], ids=repr)
def test_no_fault_shows_the_cell(entry: Any) -> None:
    faults = [rule_of(entry).fault(cell, decimal) for cell in CANARIES for decimal in ".,"]
    assert not any("7391" in fault for fault in faults)


def test_a_rule_survives_the_way_through_json_and_newer_code() -> None:
    rule = Rule("date", required=False, min="2024-01-01", allowed=("2024-05-01",), unique=True)
    assert Rule.from_dict(json.loads(json.dumps({**rule.to_dict(), "later": 1}))) == rule


def test_dates_as_toml_knows_them_become_text() -> None:
    entry = {"type": "datetime", "min": date(2024, 1, 2), "max": datetime(2024, 1, 2, 3, 4)}  # noqa: DTZ001
    assert as_json({"x": entry, "y": "text", "z": {"allowed": [date(2024, 1, 2), 3]}}) == {
        "x": {"type": "datetime", "min": "2024-01-02", "max": "2024-01-02T03:04:00"},
        "y": "text",
        "z": {"allowed": ["2024-01-02", 3]},
    }


KINDS = '"text", "number", "integer", "boolean", "date", "datetime"'


@pytest.mark.parametrize(
    ("entry", "key", "problem"),
    [
        (1, "", 'must be a type such as "number", or a table such as { type = "number", min = 0 }'),
        ("numeric", "", f"must be one of {KINDS}"),
        ({"type": "numeric"}, "type", f"must be one of {KINDS}"),
        ({"type": ["number"]}, "type", f"must be one of {KINDS}"),
        (
            {"most": 1},
            "most",
            "is not a key of a column; known are allowed, max, min, missing, required, type, unique",
        ),
        ({"required": "no"}, "required", "must be true or false"),
        ({"allowed": [1, 2]}, "allowed", "must be a list of texts in quotes"),
        ({"allowed": []}, "allowed", "must be a list of texts in quotes"),
        ({"type": "number", "min": "0"}, "min", "must be a number"),
        ({"type": "number", "max": True}, "max", "must be a number"),
        ({"type": "number", "max": float("nan")}, "max", "must be a number"),
        ({"type": "date", "min": "soon"}, "min", 'must be a date such as "2024-12-31"'),
        ({"type": "date", "min": "2024-01-01T00:00"}, "min", 'must be a date such as "2024-12-31"'),
        ({"type": "datetime", "min": 2024}, "min", 'must be a date such as "2024-12-31"'),
        ({"min": 1}, "min", 'a column of type "text" has no order; list the cells it may hold in `allowed`'),
        ({"type": "number", "min": 2, "max": 1}, "min", "is more than `max`"),
        ({"type": "date", "min": "2024-02-01", "max": "2024-01-31"}, "min", "is more than `max`"),
    ],
)
def test_an_entry_that_is_no_rule_is_refused_by_key(entry: Any, key: str, problem: str) -> None:
    assert list(entry_problems(entry)) == [(key, problem)]


@pytest.mark.parametrize("entry", [entry for entry, _, _ in FAULTS], ids=repr)
def test_an_entry_that_is_a_rule_has_no_problems(entry: Any) -> None:
    assert list(entry_problems(entry)) == []
