"""Chunks: what one activity call takes on is bounded in files and in bytes, and nothing is left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import work
from tests.shared.ledgers import version

LIMIT = work.BYTES_AT_ONCE


def sizes_of_chunks(*sizes: int) -> list[list[int]]:
    versions = [version(f"{number}.csv").but(size=size) for number, size in enumerate(sizes)]
    return [[one.size for _, one in chunk] for chunk in work.chunks(versions)]


def test_nothing_makes_one_empty_chunk() -> None:
    assert sizes_of_chunks() == [[]]


@pytest.mark.parametrize(
    ("sizes", "chunks"),
    [
        ([1, 2, 3], [[1, 2, 3]]),
        ([LIMIT, 1], [[LIMIT], [1]]),
        ([LIMIT - 1, 1, 1], [[LIMIT - 1, 1], [1]]),
        ([1, 2 * LIMIT, 1], [[1], [2 * LIMIT], [1]]),
    ],
    ids=["small", "at the limit", "just within", "too large for any"],
)
def test_a_chunk_holds_as_many_bytes_as_its_limit_but_at_least_one_file(
    sizes: list[int], chunks: list[list[int]]
) -> None:
    assert sizes_of_chunks(*sizes) == chunks


def test_a_chunk_holds_a_limited_number_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "FILES_AT_ONCE", 2)
    assert sizes_of_chunks(0, 0, 0, 0, 0) == [[0, 0], [0, 0], [0]]


@given(st.lists(st.integers(0, LIMIT), max_size=20))
def test_every_file_has_its_number_in_one_chunk(sizes: list[int]) -> None:
    versions = [version(f"{number}.csv").but(size=size) for number, size in enumerate(sizes, start=1)]
    numbered = [one for chunk in work.chunks(versions) for one in chunk]
    assert numbered == list(enumerate(versions, start=1))
