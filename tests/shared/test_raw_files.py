"""Files of raw predictions of their own: each belongs to the one part that its name names."""

import pytest

from shared.errors import StageFailed
from shared.raw_files import files_of_parts

ONE, TWO = "part-00001.csv", "part-00002.csv"


@pytest.mark.parametrize(
    "name",
    [
        "part-00001.csv",
        "part-00001.csv.out",
        "scored-part-00001.parquet",
        "out/part-00001.csv",
        "part-00001/predictions.csv",
        "pred_part-00001_v2.csv",
    ],
)
def test_a_file_is_the_parts_that_its_name_names(name: str) -> None:
    names = [name.replace("00001", "00002"), name]
    assert files_of_parts(names, [ONE, TWO]) == {ONE: name, TWO: names[0]}


@pytest.mark.parametrize(
    "name",
    [
        "part-00003.csv",
        "predictions.csv",
        "part-000010.csv",
        "xpart-00001.csv",
        "part-00001a.csv",
        "part-00001-part-00001.csv",
        "part-00001/part-00002.csv",
    ],
)
def test_a_file_of_no_part_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(StageFailed, match="belongs to no part") as refused:
        files_of_parts([ONE, TWO, name], [ONE, TWO])
    assert f'"{name}"' in str(refused.value)


def test_two_files_of_a_part_are_refused() -> None:
    with pytest.raises(
        StageFailed, match=r'two files for part-00001.csv: "a/part-00001.csv" and "part-00001.csv"'
    ):
        files_of_parts([ONE, TWO, "a/part-00001.csv"], [ONE, TWO])


def test_a_part_without_a_file_is_refused() -> None:
    with pytest.raises(StageFailed, match=r"no file for 2 of 3 parts, such as part-00002.csv"):
        files_of_parts([ONE], [ONE, TWO, "part-00003.csv"])
