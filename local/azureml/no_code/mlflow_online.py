"""The scoring script of an MLflow model that is served online without one of its own.

A request is `{"input_data": …}`, with a data frame as its columns and data, a list of records, or a list of values,
and optionally `{"params": {…}}`; see learn.microsoft.com/azure/machine-learning/how-to-deploy-mlflow-models.
Runs in scoring processes only: importing mlflow takes seconds.
"""

import json
import os
from typing import Any

# Read by mlflow when it is imported, or else it reports its use to its makers.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

from io import StringIO

from mlflow.pyfunc import PyFuncModel, load_model
from mlflow.pyfunc.scoring_server import infer_and_parse_data, predictions_to_json

_loaded: list[PyFuncModel] = []


def init() -> None:
    """Load the model, once per process."""
    _loaded[:] = [load_model(os.environ["EMULATOR_MLFLOW_MODEL"])]


def run(raw: str) -> Any:
    """The predictions, a list. Raises ValueError without input_data, and whatever mlflow or the model raises."""
    request = json.loads(raw)
    if not isinstance(request, dict) or "input_data" not in request:
        raise ValueError("Request must contain a top level key named 'input_data'")
    given, signature = _mlflow_form(request["input_data"]), _loaded[0].metadata.signature
    rows = infer_and_parse_data(given, signature.inputs) if signature else infer_and_parse_data(given)
    text = StringIO()
    predictions = _loaded[0].predict(rows, params=request.get("params"))
    predictions_to_json(predictions, text)  # type: ignore[no-untyped-call]
    return json.loads(text.getvalue())["predictions"]


def _mlflow_form(given: Any) -> dict[str, Any]:
    """The input under the key that mlflow's own server takes it with."""
    if isinstance(given, dict) and {"columns", "data"} <= set(given):
        return {"dataframe_split": given}
    if isinstance(given, list) and given and all(isinstance(row, dict) for row in given):
        return {"dataframe_records": given}
    return {"inputs": given}
