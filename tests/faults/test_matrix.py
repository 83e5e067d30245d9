"""Every row of the fault matrix through the whole stack, and then the same audit."""

from collections import Counter

import pytest

from shared.records import Verdict
from tests.faults.conftest import Faulty
from tests.faults.table import MATRIX

ROWS = [pytest.param(name, marks=() if row.quick else pytest.mark.full) for name, row in MATRIX.items()]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ROWS)
def test_whatever_goes_wrong_everything_is_accounted_for(faulty: Faulty, name: str) -> None:
    row, books = MATRIX[name], faulty.books
    before = {job["name"] for job in books.jobs()}
    faulty.azureml(*row.azureml)
    faulty.storage(*row.storage)
    number = list(MATRIX).index(name)
    files = [
        f"{route}/{number:02d}-{file}.csv" for route, count in row.files.items() for file in range(count)
    ]
    faulty.first = files[0]
    if row.before:
        row.before(faulty)
    for file in files:
        books.drop(file)
    if row.act:
        row.act(faulty)
    books.settle(row.seconds)
    words = [found(faulty, key) for key in books.given]
    assert Counter(row.alike.get(word.word, word.word) for word in words) == row.expected, [
        word.why for word in words
    ]
    assert not row.why or any(row.why in word.why for word in words), words
    assert books.problems() == []
    made = {job["name"] for job in books.jobs()} - before
    assert row.jobs in (None, len(made))
    for url, faults in (
        (faulty.stack.azureml_url, row.azureml),
        (faulty.stack.storage_faults_url, row.storage),
    ):
        assert not faults or row.act or all(faulty.struck(url)), "a fault did not strike"


def found(faulty: Faulty, key: str) -> Verdict:
    word = faulty.books.word(faulty.books.given[key].version)
    assert word is not None
    return word
