"""The script's steps as steps of a DBOS workflow, its state in SQLite."""

import os
import tempfile
from pathlib import Path
from typing import cast

from dbos import DBOS, DBOSConfig

from benchmarks.peers.running import Score, run
from benchmarks.peers.steps import Steps, output_path


def made(steps: Steps) -> Score:
    folder = Path(os.environ.get("BENCHMARK_STATE") or tempfile.mkdtemp())
    DBOS(config=DBOSConfig(name="peer", system_database_url=f"sqlite:///{folder / 'dbos.sqlite'}"))
    step = DBOS.step
    read, ids, stage, invoke, ended, collect, publish, path = (
        step(name=name)(function)
        for name, function in {
            "read": lambda name: steps.read(name),
            "ids": lambda data: steps.ids(data),
            "stage": lambda name, data: steps.stage(name, data),
            "invoke": lambda address, output: steps.invoke(address, output),
            "ended": lambda job: steps.ended(job),
            "collect": lambda output: steps.collect(output),
            "publish": lambda name, found, scores: steps.publish(name, found, scores),
            "path": lambda name: output_path(name),
        }.items()
    )

    @DBOS.workflow(name="score")
    def score(name: str) -> str:
        data, output = read(name), path(name)
        found = ids(data)
        job = invoke(stage(name, data), output)
        ended(job)
        publish(name, found, collect(output))
        return str(job)

    DBOS.launch()
    return cast(Score, score)


if __name__ == "__main__":
    run(made)
    DBOS.destroy()
