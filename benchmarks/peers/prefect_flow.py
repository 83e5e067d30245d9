"""The script's steps as tasks of a Prefect flow, on the server that Prefect starts for itself."""

from typing import cast

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from benchmarks.peers.running import Score, run
from benchmarks.peers.steps import Steps, output_path


def made(steps: Steps) -> Score:
    read, ids, stage, invoke, ended, collect, publish = (
        task(step, cache_policy=NO_CACHE, persist_result=False)
        for step in (
            *(steps.read, steps.ids, steps.stage, steps.invoke),
            *(steps.ended, steps.collect, steps.publish),
        )
    )

    @flow(log_prints=False)
    def score(name: str) -> str:
        data, output = read(name), output_path(name)
        found = ids(data)
        job = invoke(stage(name, data), output)
        ended(job)
        publish(name, found, collect(output))
        return str(job)

    return cast(Score, score)


if __name__ == "__main__":
    run(made)
