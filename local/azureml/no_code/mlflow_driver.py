"""The scoring script of an MLflow model that has none of its own: what Azure ML's driver writes, it writes.

Runs in scoring processes only: importing mlflow takes seconds.
"""

import os
from pathlib import Path

# Read by mlflow when it is imported, or else it reports its use to its makers.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import pandas as pd
from mlflow.pyfunc import PyFuncModel, load_model
from mlflow.types import DataType

_loaded: list[PyFuncModel] = []


def init() -> None:
    """Load the model, once per process."""
    _loaded[:] = [load_model(os.environ["EMULATOR_MLFLOW_MODEL"])]


def run(mini_batch: list[str]) -> list[str]:
    """A line `row,prediction,file` for each row of each CSV; rows are counted from 0 in each file.

    Raises ValueError for a file of another type, and whatever the model raises for a file it cannot score.
    """
    return [line for file in mini_batch for line in _lines(Path(file))]


def _lines(file: Path) -> list[str]:
    if file.suffix.lower() != ".csv":
        raise ValueError(f"{file.name}: file type {file.suffix!r} is not supported")
    predictions = pd.DataFrame(_loaded[0].predict(_read(file)))
    predictions.insert(0, "row", range(len(predictions)), allow_duplicates=True)
    predictions.insert(len(predictions.columns), "file", file.name, allow_duplicates=True)
    text: str = predictions.to_csv(header=False, index=False, lineterminator="\n")
    return text.split("\n")[:-1]


def _read(file: Path) -> pd.DataFrame:
    """The rows, with the types of the signature: whole numbers alone would not pass for a column of doubles."""
    signature = _loaded[0].metadata.signature
    schema = signature.inputs if signature is not None else None
    named = schema.input_types_dict() if schema is not None and schema.has_input_names() else {}
    dates = [name for name, kind in named.items() if kind is DataType.datetime]
    types = {
        name: kind.to_pandas()
        for name, kind in named.items()
        if isinstance(kind, DataType) and name not in dates
    }
    return pd.read_csv(file, dtype=types, parse_dates=dates)
