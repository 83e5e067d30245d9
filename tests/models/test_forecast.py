"""The sample forecaster: which rows it answers with, and what it refuses."""

from pathlib import Path

import pandas as pd
import pytest

import models.forecast
from models.forecast import score

FOLDER = Path(models.forecast.__file__).parent
SAMPLES = FOLDER / "data"


@pytest.fixture(autouse=True)
def ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scoring script after its init()."""
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(FOLDER))
    score.init()


def written(folder: Path, sales: list[float], store: str = "Mill", last: str = "2026-03-08") -> Path:
    """A CSV of one store's sales, up to a day."""
    days = pd.date_range(end=last, periods=len(sales)).strftime("%Y-%m-%d")
    path = folder / f"{store}.csv"
    pd.DataFrame({"store": store, "date": days, "sales": sales}).to_csv(path, index=False)
    return path


def forecast(file: Path) -> list[float]:
    """The sales expected."""
    return [float(value) for value in score.run([str(file)])["sales"]]


def test_every_store_of_every_file_gets_the_next_two_weeks() -> None:
    names = ["region-north.csv", "region-south.csv"]
    rows = score.run([str(SAMPLES / name) for name in names])
    assert list(rows.columns) == ["store", "date", "sales", "file"]
    days = [f"2026-03-{day:02}" for day in range(9, 23)]
    for name in names:
        given = pd.read_csv(SAMPLES / name)
        answered = rows[rows["file"] == name]
        assert list(answered["store"].unique()) == list(given["store"].unique())
        assert all(list(store["date"]) == days for _, store in answered.groupby("store"))
    assert len(rows) == 5 * 14


def test_a_weekday_is_the_mean_of_that_weekday_in_the_last_four_weeks(tmp_path: Path) -> None:
    weeks = [[week * 10.0 + day for day in range(7)] for week in (99, 1, 2, 3, 4)]
    file = written(tmp_path, [value for week in weeks for value in week])
    assert forecast(file) == [25.0 + day for day in range(7)] * 2


def test_with_fewer_weeks_it_takes_the_whole_ones_there_are(tmp_path: Path) -> None:
    assert (
        forecast(written(tmp_path, [500.0, *range(7), *range(2, 9)])) == [1.0 + day for day in range(7)] * 2
    )


def test_days_may_come_in_any_order_and_stores_may_be_numbers(tmp_path: Path) -> None:
    file = written(tmp_path, [1, 2, 3, 4, 5, 6, 7], store="007")
    header, *lines = file.read_text().splitlines()
    file.write_text("\n".join([header, *lines[::-1]]))
    assert forecast(file) == [1, 2, 3, 4, 5, 6, 7] * 2
    assert set(score.run([str(file)])["store"]) == {"007"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("store,date\nMill,2026-03-08\n", "the column sales is missing"),
        ("store,date,sales\n", "there is no row"),
        ("store,date,sales\nMill,2026-03-08,1\nMill,soon,1\n", "date is not a date in row 2"),
        ("store,date,sales\nMill,2026-03-08,few\n", "sales is not a number in row 1"),
        ("store,date,sales\nMill,2026-03-08,1\n", "a store has 1 days; a forecast takes 7"),
        ("store,date,sales\n,2026-03-08,1\n", "a store has 1 days"),
    ],
)
def test_what_it_cannot_forecast_is_named_with_its_file(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "bad.csv").write_text(content)
    with pytest.raises(ValueError, match=rf"bad\.csv: {said}"):
        score.run([str(tmp_path / "bad.csv")])
