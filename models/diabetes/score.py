"""Azure ML's scoring script: predictions for a mini-batch of CSVs, each row with the name of its file."""

import os
from pathlib import Path

import joblib
import pandas as pd
from sklearn.pipeline import Pipeline

_loaded: list[Pipeline] = []


def init() -> None:
    """Load the model, once per process."""
    folder = Path(os.environ["AZUREML_MODEL_DIR"])
    _loaded[:] = [joblib.load(folder / "model" / "diabetes.joblib")]


def run(mini_batch: list[str]) -> pd.DataFrame:
    """The columns prediction and file: one row for each row of each CSV, in order.

    Raises ValueError naming the file where a column is missing or does not hold numbers throughout.
    """
    return pd.concat([_predict(Path(file)) for file in mini_batch], ignore_index=True)


def _predict(file: Path) -> pd.DataFrame:
    """Other columns than the model's are left alone; its own are found by name, in any order."""
    model = _loaded[0]
    rows = pd.read_csv(file)
    missing = [name for name in model.feature_names_in_ if name not in rows.columns]
    if missing:
        raise ValueError(f"{file.name}: the column {', '.join(missing)} is missing")
    features = rows.loc[:, model.feature_names_in_].apply(pd.to_numeric, errors="coerce")
    for name in features.columns[features.isna().any()]:
        row = int(features[name].isna().to_numpy().argmax()) + 1
        raise ValueError(f"{file.name}: {name} is not a number in row {row}, counted after the header")
    return pd.DataFrame({"prediction": model.predict(features), "file": file.name})
