"""The floor: a straight script without durability."""

from benchmarks.peers.running import Score, run
from benchmarks.peers.steps import Steps, output_path


def made(steps: Steps) -> Score:
    def score(name: str) -> str:
        data, output = steps.read(name), output_path(name)
        ids = steps.ids(data)
        job = steps.invoke(steps.stage(name, data), output)
        steps.ended(job)
        steps.publish(name, ids, steps.collect(output))
        return job

    return score


if __name__ == "__main__":
    run(made)
