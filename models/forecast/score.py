"""Azure ML's scoring script: for each store of each CSV, the days that follow its last one.

The model is seasonal: a weekday is expected to be what that weekday was in the mean of the last few weeks.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

COLUMNS = ("store", "date", "sales")

_settings: dict[str, int] = {}


def init() -> None:
    """Read the length of a season, how many of them are averaged, and how many days are forecast."""
    _settings.update(json.loads(Path(os.environ["AZUREML_MODEL_DIR"], "forecast.json").read_text("utf-8")))


def run(mini_batch: list[str]) -> pd.DataFrame:
    """The columns store, date, sales and file: one row for each day to come of each store of each CSV.

    Raises ValueError naming the file where a column is missing, there is no row, a date or a number is none, or
    a store has less than one season.
    """
    return pd.concat([_forecast(Path(file)) for file in mini_batch], ignore_index=True)


def _forecast(file: Path) -> pd.DataFrame:
    rows = pd.read_csv(file, dtype={"store": str})
    missing = [name for name in COLUMNS if name not in rows.columns]
    if missing:
        raise ValueError(f"{file.name}: the column {', '.join(missing)} is missing")
    if rows.empty:
        raise ValueError(f"{file.name}: there is no row")
    rows["date"] = _converted(rows["date"], pd.to_datetime, "a date", file)
    rows["sales"] = _converted(rows["sales"], pd.to_numeric, "a number", file)
    stores = [_of_store(series, file) for _, series in rows.groupby("store", sort=False, dropna=False)]
    return pd.concat(stores, ignore_index=True).assign(file=file.name)


def _converted(cells: pd.Series, convert: Callable[..., pd.Series], kind: str, file: Path) -> pd.Series:
    converted = convert(cells, errors="coerce")
    if converted.isna().any():
        row = int(converted.isna().to_numpy().argmax()) + 1
        raise ValueError(f"{file.name}: {cells.name} is not {kind} in row {row}, counted after the header")
    return converted


def _of_store(series: pd.DataFrame, file: Path) -> pd.DataFrame:
    """The days after a store's last one; its days may come in any order, but none may be left out."""
    series = series.sort_values("date")
    season, horizon = _settings["season_days"], _settings["horizon_days"]
    seasons = min(_settings["seasons"], len(series) // season)
    if not seasons:
        raise ValueError(f"{file.name}: a store has {len(series)} days; a forecast takes {season}")
    last = series["sales"].to_numpy()[-seasons * season :].reshape(seasons, season)
    days = pd.date_range(series["date"].iloc[-1], periods=horizon + 1)[1:]
    return pd.DataFrame(
        {
            "store": series["store"].iloc[0],
            "date": days.strftime("%Y-%m-%d"),
            "sales": np.resize(last.mean(axis=0), horizon).round(2),
        }
    )
