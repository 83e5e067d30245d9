"""Deployments for tests: tiny scoring scripts, written into a folder with the YAML that serves them."""

import json
from pathlib import Path
from typing import Any

ENDPOINT_SCHEMA = "https://azuremlschemas.azureedge.net/latest/batchEndpoint.schema.json"
DEPLOYMENT_SCHEMA = "https://azuremlschemas.azureedge.net/latest/modelBatchDeployment.schema.json"

# Each line of each file comes back in capitals, behind the file's name.
CAPITALS = """
from pathlib import Path

def init():
    pass

def run(mini_batch):
    return [
        f"{Path(file).name} {line.upper()}"
        for file in mini_batch
        for line in Path(file).read_text().splitlines()
    ]
"""

# Scores until the file named by RELEASE is there, and notes the pids of its processes in NOTES.
PATIENT = """
import os, subprocess, time
from pathlib import Path

def init():
    child = subprocess.Popen(["sleep", "600"])
    notes = Path(os.environ["NOTES"])
    (notes / f"{os.getpid()}.pid").touch()
    (notes / f"{child.pid}.pid").touch()

def run(mini_batch):
    while not Path(os.environ["RELEASE"]).exists():
        time.sleep(0.02)
    return mini_batch
"""


# An MLflow model: says each row's word and number, `word` and `x` of its signature.
SAYING = """
class Model:
    def predict(self, rows):
        return [f"{word} {x}" for word, x in zip(rows["word"], rows["x"])]

def _load_pyfunc(path):
    return Model()
"""
_SIGNATURE = [
    {"name": "x", "type": "double", "required": True},
    {"name": "word", "type": "string", "required": True},
]


def patient_settings(notes: Path) -> dict[str, Any]:
    """The deployment settings of a patient script that keeps its notes in a folder."""
    return {"environment_variables": {"NOTES": str(notes), "RELEASE": str(notes / "release")}}


def write_yaml(path: Path, document: dict[str, Any]) -> None:
    """Write a document as YAML, which JSON is."""
    path.write_text(json.dumps(document))


def endpoint_document(name: str = "capitals", **more: Any) -> dict[str, Any]:
    """An endpoint's YAML."""
    return {"$schema": ENDPOINT_SCHEMA, "name": name, "auth_mode": "aad_token", **more}


def deployment_document(name: str = "first", endpoint: str = "capitals", **more: Any) -> dict[str, Any]:
    """A deployment's YAML, of the newer schema."""
    return {
        "$schema": DEPLOYMENT_SCHEMA,
        "name": name,
        "endpoint_name": endpoint,
        "type": "model",
        "model": {"path": "model"},
        "code_configuration": {"code": "code", "scoring_script": "score.py"},
        "environment": {"image": "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"},
        "compute": "azureml:cpu-cluster",
    } | more


def write_deployment(
    folder: Path, script: str = CAPITALS, endpoint: str = "capitals", **settings: Any
) -> Path:
    """A folder with an endpoint, its deployment `first` and a model of one file; returns it."""
    for name in ("code", "model"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "model" / "weights.txt").write_text("42")
    (folder / "code" / "score.py").write_text(script)
    write_yaml(folder / "endpoint.yml", endpoint_document(endpoint))
    write_yaml(folder / "deployment.yml", deployment_document(endpoint=endpoint, settings=settings))
    return folder


def write_mlflow_deployment(folder: Path, **settings: Any) -> Path:
    """A folder with the endpoint `saying` and its deployment, an MLflow model without a script; returns it."""
    code = folder / "model" / "code"
    code.mkdir(parents=True)
    (code / "saying.py").write_text(SAYING)
    write_yaml(
        folder / "model" / "MLmodel",
        {
            "flavors": {"python_function": {"loader_module": "saying", "code": "code"}},
            "signature": {"inputs": json.dumps(_SIGNATURE)},
        },
    )
    write_yaml(folder / "endpoint.yml", endpoint_document("saying"))
    model = {"path": "model", "type": "mlflow_model"}
    document = deployment_document("mlflow", "saying", model=model, settings=settings)
    write_yaml(folder / "deployment.yml", document | {"code_configuration": None})
    return folder
