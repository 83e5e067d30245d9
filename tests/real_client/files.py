"""The files that a user of the real client has: a model, code, data, components, all small."""

import json
from pathlib import Path
from typing import Any

from tests.local.azureml.pipelines import PREPARE
from tests.local.azureml.scripts import CAPITALS, write_mlflow_deployment

_SCHEMAS = "https://azuremlschemas.azureedge.net/latest"


def write_files(folder: Path) -> Path:
    """Write them and return their folder."""
    texts = {
        "model/weights.txt": "42\n",
        "code/score.py": CAPITALS,
        "data/a.txt": "hello\n",
        "data/b.txt": "there\n",
        "rows.csv": "x,word\n1.5,heart\n2,lung\n",
        "conda.yml": json.dumps({"name": "scoring", "dependencies": ["python=3.11"]}),
        "pipeline/src/prepare.py": PREPARE,
    }
    documents = {"prepare": PREPARING, "score": SCORING, "pipeline": PIPELINE}
    texts |= {f"pipeline/{name}.yml": json.dumps(document) for name, document in documents.items()}
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    write_mlflow_deployment(folder / "mlflow")
    return folder


def _component(name: str, **members: Any) -> dict[str, Any]:
    schema = f"{_SCHEMAS}/{'pipeline' if 'jobs' in members else 'command'}Component.schema.json"
    return {"$schema": schema, "name": name, "version": "1"} | members


PREPARING = _component(
    "prepare",
    type="command",
    inputs={"rows": {"type": "uri_folder"}, "mode": {"type": "string", "default": "upper"}},
    outputs={"prepared": {"type": "uri_folder"}},
    code="./src",
    environment="azureml:steps:1",
    command="python prepare.py ${{inputs.rows}} ${{inputs.mode}} ${{outputs.prepared}}",
)
SCORING = _component(
    "score",
    type="command",
    inputs={"rows": {"type": "uri_folder"}, "times": {"type": "integer"}, "model": {"type": "custom_model"}},
    outputs={"scores": {"type": "uri_file"}},
    environment="azureml:steps:1",
    command="cat ${{inputs.rows}}/*.txt ${{inputs.model}}/weights.txt > ${{outputs.scores}}"
    " && echo ${{inputs.times}} >> ${{outputs.scores}}",
)
PIPELINE = _component(
    "two_steps",
    type="pipeline",
    inputs={
        "rows": {"type": "uri_folder"},
        "mode": {"type": "string", "default": "upper"},
        "times": {"type": "integer", "default": 1},
    },
    outputs={"scores": {"type": "uri_file"}},
    jobs={
        "prepare": {
            "type": "command",
            "component": "./prepare.yml",
            "inputs": {"rows": "${{parent.inputs.rows}}", "mode": "${{parent.inputs.mode}}"},
        },
        "score": {
            "type": "command",
            "component": "./score.yml",
            "inputs": {
                "rows": "${{parent.jobs.prepare.outputs.prepared}}",
                "times": "${{parent.inputs.times}}",
                "model": {"type": "custom_model", "path": "azureml:steps:1"},
            },
            "outputs": {"scores": "${{parent.outputs.scores}}"},
        },
    },
)
