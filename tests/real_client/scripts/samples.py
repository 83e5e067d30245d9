"""Reads the YAML of the sample models as `az ml` does: `samples.py FOLDER`. Its last line is what it read."""

import json
import sys
from pathlib import Path

from azure.ai.ml import (
    load_batch_deployment,
    load_batch_endpoint,
    load_compute,
    load_online_deployment,
    load_online_endpoint,
)
from azure.ai.ml.entities._load_functions import load_model_batch_deployment

LOADERS = {
    "amlCompute": load_compute,
    "batchEndpoint": load_batch_endpoint,
    "batchDeployment": load_batch_deployment,
    "modelBatchDeployment": load_model_batch_deployment,
    "managedOnlineEndpoint": load_online_endpoint,
    "managedOnlineDeployment": load_online_deployment,
}

read: dict[str, str] = {}
folder = Path(sys.argv[1])
for path in sorted(folder.rglob("*.yml")):
    first = path.read_text("utf-8").partition("\n")[0]
    if first.startswith("$schema:"):
        schema = first.rpartition("/")[2].partition(".")[0]
        read[str(path.relative_to(folder))] = str(LOADERS[schema](path).name)
sys.stdout.write("\n" + json.dumps(read))
