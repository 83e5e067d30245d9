"""What people do today: the Azure ML client, a job for every file, a loop that waits."""

import time
from typing import Any

from azure.ai.ml import Input, MLClient, Output

from benchmarks.peers.running import Score, run
from benchmarks.peers.steps import ENDED, JobFailed, Steps, output_path, output_uri

SUBSCRIPTION, GROUP, WORKSPACE = "00000000-0000-0000-0000-000000000000", "local", "local"


def made(steps: Steps) -> Score:
    client = MLClient(steps.credential, SUBSCRIPTION, GROUP, WORKSPACE)

    def score(name: str) -> str:
        data, output = steps.read(name), output_path(name)
        ids = steps.ids(data)
        job: Any = client.batch_endpoints.invoke(
            endpoint_name="score",
            inputs={"part": Input(type="uri_file", path=steps.stage(name, data))},
            outputs={"score": Output(type="uri_file", path=output_uri(output))},
        )
        wait(client, steps, job.name)
        steps.publish(name, ids, steps.collect(output))
        return str(job.name)

    return score


def wait(client: MLClient, steps: Steps, job: str) -> None:
    while True:
        looked = time.time()
        status = client.jobs.get(job).status
        if status in ENDED:
            steps.seen[job] = looked
            break
        time.sleep(steps.poll)
    if status != "Completed":
        raise JobFailed(f"{job}: {status}")


if __name__ == "__main__":
    run(made)
