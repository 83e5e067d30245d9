"""Keys and ids."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.names import (
    bare_etag,
    name_key,
    named_at,
    new_run,
    output_marker,
    output_path,
    part_name,
    parts_folder,
    predictions_name,
    recipe,
    run_of_idempotency_key,
    shown,
    ulid,
    usable,
    version_key,
    work_folder,
)

MOMENT = st.integers(0, 2**48 - 1)
RANDOMNESS = st.integers(0, 2**80 - 1)
ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


@given(st.text(max_size=50), st.text(max_size=50))
@example("inbox", "\ud800/lone surrogate")
@example("inbox", "../../etc/passwd\0\n%2F?#")
@example("inbox", "a" * 1024)
def test_keys_of_any_name_are_short_plain_hexadecimal(blob: str, etag: str) -> None:
    assert re.fullmatch("[0-9a-f]{26}", name_key("inbox", blob))
    assert re.fullmatch("[0-9a-f]{38}", version_key("inbox", blob, etag))


def test_versions_of_one_file_share_the_beginning_of_their_key() -> None:
    first, second = version_key("inbox", "a.csv", "0x1"), version_key("inbox", "a.csv", "0x2")
    assert first != second
    assert first[:26] == second[:26] == name_key("inbox", "a.csv")


def test_names_that_differ_only_in_case_or_normal_form_are_different_files() -> None:
    names = ["a.csv", "A.csv", "\u00e9.csv", "e\u0301.csv", "a.csv ", "a/.csv"]
    assert len({name_key("inbox", name) for name in names}) == len(names)


def test_a_quoted_etag_is_the_same_version_as_a_bare_one() -> None:
    assert bare_etag('"0x8D"') == bare_etag("0x8D") == "0x8D"
    assert version_key("inbox", "a.csv", '"0x8D"') == version_key("inbox", "a.csv", "0x8D")


@pytest.mark.parametrize(
    "blob",
    [
        "../ledger/owner.json",
        "a/../b.csv",
        "./a.csv",
        "a/./b.csv",
        "..\\a.csv",
        "a/..",
        "/",
        "a/",
        "",
        "a.csv.why.txt",
    ],
)
def test_names_that_addresses_lose_and_notes_of_ours_are_no_files(blob: str) -> None:
    assert not usable(blob)


@pytest.mark.parametrize(
    "blob", ["a.csv", "..a.csv", "a..b/c..csv", ".csv", "a\\b.csv", "%2e%2e/a.csv", "\u202ea.csv"]
)
def test_other_names_are_files_however_odd(blob: str) -> None:
    assert usable(blob)


def test_a_name_stays_within_its_line_of_a_log() -> None:
    assert shown("a\nb\r\u2028\x1b[31m\u202e.csv") == "a\\u000ab\\u000d\\u2028\\u001b[31m\\u202e.csv"
    assert shown("Müller 7.csv") == "Müller 7.csv"


@given(MOMENT, RANDOMNESS)
def test_ulids_are_twenty_six_characters_of_crockfords_alphabet(moment: int, randomness: int) -> None:
    assert ULID.fullmatch(ulid(moment, randomness))


@given(MOMENT, RANDOMNESS, MOMENT, RANDOMNESS)
def test_ulids_sort_by_time(moment: int, randomness: int, later: int, other: int) -> None:
    assert (ulid(moment, randomness) < ulid(later, other)) == ((moment, randomness) < (later, other))


def test_a_ulid_is_written_as_its_specification_writes_it() -> None:
    assert ulid(1469918176385, 0)[:10] == "01ARYZ6S41"


def test_new_runs_differ_and_sort_by_time() -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    assert new_run(now) != new_run(now)
    assert new_run(now) < new_run(now + timedelta(milliseconds=1))


@given(st.text(max_size=80))
@example("")
@example("key\npath/of/a blob.csv")
def test_the_same_idempotency_key_names_the_same_run(key: str) -> None:
    assert run_of_idempotency_key(key) == run_of_idempotency_key(key)
    assert ULID.fullmatch(run_of_idempotency_key(key))
    assert run_of_idempotency_key(key) != run_of_idempotency_key(key + "x")


def test_part_names_sort_as_their_numbers() -> None:
    names = [part_name(number) for number in (1, 2, 10, 99_999)]
    assert names == sorted(names)
    assert names[0] == "part-00001.csv"


def test_parts_lie_apart_from_everything_else_of_an_attempt() -> None:
    assert parts_folder("R", 1).startswith(f"{work_folder('R', 1)}/")
    assert parts_folder("R", 1) != work_folder("R", 1)
    assert parts_folder("R", 1) != parts_folder("R", 2)


@pytest.mark.parametrize(
    ("blob", "name"),
    [
        ("in/a.csv", "in/a.csv"),
        ("in/a.csv.gz", "in/a.csv"),
        ("A.CSV.GZ", "A.CSV"),
        ("a.gz.csv", "a.gz.csv"),
        ("a.csv.gz.gz", "a.csv.gz"),
        ("agz", "agz"),
        (".gz", ".gz"),
    ],
)
def test_predictions_are_called_as_their_file_without_the_archives_end(blob: str, name: str) -> None:
    assert predictions_name(blob) == name


def test_each_post_has_an_output_path_that_its_attempts_marker_finds() -> None:
    paths = [output_path("R", attempt, post) for attempt in (1, 2, 12) for post in (1, 2)]
    assert len(set(paths)) == len(paths)
    assert [output_marker("R", 1) in path for path in paths] == [True, True, False, False, False, False]


def test_a_recipe_stands_for_everything_of_it_and_nothing_else() -> None:
    assert recipe(["https://e/jobs", ("a", "b")]) == recipe(["https://e/jobs", ["a", "b"]])
    others = [["https://e/jobs", ["b", "a"]], ["https://e/jobs", ["ab"]], ["https://o/jobs", ["a", "b"]]]
    assert recipe(["https://e/jobs", ["a", "b"]]) not in [recipe(list(other)) for other in others]


def test_a_run_says_when_it_was_named() -> None:
    at = datetime(2026, 11, 20, 6, 0, 0, 123_000, tzinfo=UTC)
    assert named_at(new_run(at)) == at
