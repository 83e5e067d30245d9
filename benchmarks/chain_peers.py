"""Peers of the local host, in an environment of their own: `python -m benchmarks.chain_peers NAME BEGUN NUMBER`."""

import logging
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

from benchmarks.chains import Outputs, free_port, measured, tell

PATIENCE = 600


def durabletask(begun: float, number: int) -> dict[str, Any]:
    """durabletask's backend for tests, in memory, with its worker and client over gRPC in the same process."""
    from durabletask import client, worker
    from durabletask.testing import create_test_backend

    def double(_: Any, value: int) -> int:
        return 2 * value

    def chain(context: Any, _: Any) -> Generator[Any, Any, list[int]]:
        results = []
        for value in range(5):
            results.append((yield context.call_activity(double, input=value)))
        return results

    address = f"localhost:{(port := free_port())}"
    backend = create_test_backend(port=port)
    logger = logging.getLogger("quiet")
    logger.disabled = True
    quiet = {"host_address": address, "logger": logger}
    with worker.TaskHubGrpcWorker(**quiet) as hub, client.TaskHubGrpcClient(**quiet) as caller:
        hub.add_orchestrator(chain)
        hub.add_activity(double)
        hub.start()

        def run(chains: int) -> Outputs:
            ids = [caller.schedule_new_orchestration(chain, input=1) for _ in range(chains)]
            states = [caller.wait_for_orchestration_completion(each, timeout=PATIENCE) for each in ids]
            return [state.get_output() for state in states]

        found = measured(run, begun, number)
    backend.stop()
    return found


def dbos(begun: float, number: int) -> dict[str, Any]:
    """DBOS with its system database in SQLite: every step is written down."""
    from dbos import DBOS

    @DBOS.step()  # type: ignore[untyped-decorator]
    def double(value: int) -> int:
        return 2 * value

    @DBOS.workflow()  # type: ignore[untyped-decorator]
    def chain() -> list[int]:
        return [double(value) for value in range(5)]

    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{Path(folder) / 'system.sqlite'}"
        quiet = {"log_level": "ERROR", "run_admin_server": False}
        DBOS(config={"name": "chains", "system_database_url": database, **quiet})
        DBOS.launch()

        def run(chains: int) -> Outputs:
            handles = [DBOS.start_workflow(chain) for _ in range(chains)]
            return [handle.get_result() for handle in handles]

        found = measured(run, begun, number)
        DBOS.destroy()
    return found


if __name__ == "__main__":
    tell({"durabletask": durabletask, "dbos": dbos}[sys.argv[1]])
