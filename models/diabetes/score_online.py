"""Azure ML's scoring script for an online endpoint: predictions for the patients of one request."""

import json
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


def run(raw: str) -> dict[str, list[float]]:
    """The predictions for `{"data": [{"age": 59, …}, …]}`, in the order of the patients.

    Raises ValueError where a measurement is missing or is not a number.
    """
    model = _loaded[0]
    rows = pd.DataFrame(json.loads(raw)["data"])
    missing = [name for name in model.feature_names_in_ if name not in rows.columns]
    if missing:
        raise ValueError(f"the measurement {', '.join(missing)} is missing")
    features = rows.loc[:, model.feature_names_in_].apply(pd.to_numeric, errors="coerce")
    if features.isna().any(axis=None):
        raise ValueError("a measurement is not a number")
    return {"predictions": [float(prediction) for prediction in model.predict(features)]}
