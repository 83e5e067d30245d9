"""A pipeline for tests: rows are prepared by one command and counted by another."""

from typing import Any

from local.azureml.workspace import id_of

PREPARE = """
import pathlib, sys
rows, mode, out = sys.argv[1:]
for file in pathlib.Path(rows).rglob("*.txt"):
    text = file.read_text()
    pathlib.Path(out, file.name).write_text(text.upper() if mode == "upper" else text)
print("prepared", mode)
"""

PREPARING: dict[str, Any] = {
    "type": "command",
    "command": "python prepare.py ${{inputs.rows}} ${{inputs.mode}} ${{outputs.prepared}}",
    "code": id_of("codes/prepare/versions/1"),
    "environment": id_of("environments/e/versions/1"),
    "inputs": {"rows": {"type": "uri_folder"}, "mode": {"type": "string", "default": "upper"}},
    "outputs": {"prepared": {"type": "uri_folder"}},
}
COUNTING: dict[str, Any] = {
    "type": "command",
    "command": (
        "cat ${{inputs.rows}}/*.txt > ${{outputs.scores}}; echo ${{inputs.times}} >> ${{outputs.scores}}; "
        "$[[echo flag ${{inputs.flag}} >> ${{outputs.scores}};]] exit ${{inputs.status}}"
    ),
    "environment": id_of("environments/e/versions/1"),
    "inputs": {
        "rows": {"type": "uri_folder"},
        "times": {"type": "integer"},
        "flag": {"type": "boolean", "optional": True},
        "status": {"type": "integer", "default": "0"},
    },
    "outputs": {"scores": {"type": "uri_file"}},
}
PIPELINE: dict[str, Any] = {
    "type": "pipeline",
    "inputs": {
        "data": {"type": "uri_folder"},
        "mode": {"type": "string", "default": "upper"},
        "times": {"type": "integer", "default": "2"},
        "flag": {"type": "boolean", "optional": True},
        "status": {"type": "integer", "default": "0"},
    },
    "outputs": {"scores": {"type": "uri_file"}},
    "jobs": {
        "count": {
            "type": "command",
            "componentId": id_of("components/count/versions/1"),
            "inputs": {
                "rows": {"job_input_type": "literal", "value": "${{parent.jobs.prepare.outputs.prepared}}"},
                "times": {"job_input_type": "literal", "value": "${{parent.inputs.times}}"},
                "flag": {"job_input_type": "literal", "value": "${{parent.inputs.flag}}"},
                "status": {"job_input_type": "literal", "value": "${{parent.inputs.status}}"},
            },
            "outputs": {"scores": {"type": "literal", "value": "${{parent.outputs.scores}}"}},
        },
        "prepare": {
            "type": "command",
            "componentId": id_of("components/prepare/versions/1"),
            "inputs": {
                "rows": {"job_input_type": "literal", "value": "${{parent.inputs.data}}"},
                "mode": {"job_input_type": "literal", "value": "${{parent.inputs.mode}}"},
            },
        },
    },
}
DEPLOYMENT: dict[str, Any] = {
    "deploymentConfiguration": {
        "deploymentConfigurationType": "PipelineComponent",
        "componentId": {"referenceType": "Id", "assetId": id_of("components/pipeline/versions/1")},
        "settings": {"default_compute": "cpu-cluster", "continue_on_step_failure": False},
    },
    # What clients send along for any batch deployment.
    "miniBatchSize": 10,
    "errorThreshold": -1,
    "maxConcurrencyPerInstance": 1,
    "outputFileName": "predictions.csv",
}
RESOURCES: dict[str, dict[str, Any]] = {
    "codes/prepare/versions/1": {"codeUri": "azureml://datastores/workspaceblobstore/paths/uploads/prepare"},
    "environments/e/versions/1": {"image": "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"},
    "components/prepare/versions/1": {"componentSpec": PREPARING},
    "components/count/versions/1": {"componentSpec": COUNTING},
    "components/pipeline/versions/1": {"componentSpec": PIPELINE},
    "batchEndpoints/piped": {"authMode": "AADToken", "defaults": {"deploymentName": "steps"}},
    "batchEndpoints/piped/deployments/steps": DEPLOYMENT,
}
