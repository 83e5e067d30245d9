"""An online deployment at work: the processes of its instances, and the requests they take.

What the model's container answers follows azureml-inference-server-http 1.5.1 (server/routes.py): 200 with what
run() returned, 500 where it raised. What the service makes of that is in online_scoring.py.
"""

import asyncio
import json
import shutil
from dataclasses import dataclass

from .jobs import JobFailed
from .processes import ProcessGone, ScoringProcess, ScriptSetting

# The inference server's WORKER_TIMEOUT: a process that is busy for longer is replaced.
_WORKER_TIMEOUT = 300.0
_SCRIPT_FAILED = "An unexpected error occurred in scoring script. Check the logs for more info."


class TooManyRequests(Exception):
    """More requests are in flight than the deployment takes."""


class RequestTimedOut(Exception):
    """A request was not answered within the deployment's request timeout."""


@dataclass(frozen=True, kw_only=True)
class RequestSettings:
    """How many requests a deployment takes, and for how long; `timeout` is seconds, from arrival to answer.

    `workers` is the environment variable WORKER_COUNT, the processes of an instance.
    """

    instance_count: int = 1
    max_concurrent_per_instance: int = 1
    timeout: float = 5.0
    workers: int = 1

    @property
    def processes(self) -> int:
        """The processes that can be busy at once, no more of which are started."""
        return self.instance_count * min(self.workers, self.max_concurrent_per_instance)

    @property
    def most_in_flight(self) -> int:
        """How many requests may wait or run at once, as how-to-troubleshoot-online-endpoints has it."""
        return 2 * self.max_concurrent_per_instance * self.instance_count


@dataclass(frozen=True)
class ModelAnswer:
    """What a model's container answers, as JSON."""

    status: int
    body: str


class Instances:
    """The processes of one deployment. `start` before the first request, `close` after the last."""

    def __init__(self, script: ScriptSetting, requests: RequestSettings) -> None:
        self._script = script
        self._requests = requests
        self._processes = [ScoringProcess(script) for _ in range(requests.processes)]
        self._free: asyncio.Queue[ScoringProcess] = asyncio.Queue()
        self._in_flight = 0
        self._work: set[asyncio.Task[ModelAnswer]] = set()

    async def start(self) -> None:
        """Load the model in every process. Raises JobFailed where init() fails, and leaves no process behind."""
        try:
            async with asyncio.TaskGroup() as group:
                for process in self._processes:
                    group.create_task(process.start())
        except ExceptionGroup as failures:
            await self.close()
            raise failures.exceptions[0] from None
        except asyncio.CancelledError:
            await self.close()
            raise
        for process in self._processes:
            self._free.put_nowait(process)

    async def score(self, body: str, headers: dict[str, str]) -> ModelAnswer:
        """The model's answer to a request. Raises TooManyRequests and RequestTimedOut.

        Who is no longer waited for is scored all the same, as reported of Azure in
        github.com/Azure/azure-sdk-for-python/issues/36296.
        """
        if self._in_flight >= self._requests.most_in_flight:
            raise TooManyRequests
        self._in_flight += 1
        work = asyncio.create_task(self._answer({"body": body, "headers": headers}))
        self._work.add(work)
        work.add_done_callback(self._work.discard)
        try:
            return await asyncio.wait_for(asyncio.shield(work), self._requests.timeout)
        except TimeoutError:
            raise RequestTimedOut from None
        except asyncio.CancelledError:
            if not work.cancelled():
                raise
            return ModelAnswer(502, json.dumps({"message": "The deployment was ended"}))
        finally:
            self._in_flight -= 1

    async def retire(self) -> None:
        """Close, once what is in flight is answered: no more of it comes."""
        try:
            if self._work:
                await asyncio.wait(self._work, timeout=self._requests.timeout)
        finally:
            await self.close()

    async def close(self) -> None:
        """End the processes, and whatever they were at."""
        work = list(self._work)
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        for process in self._processes:
            await process.end()
        shutil.rmtree(self._script.folder, ignore_errors=True)

    async def _answer(self, request: dict[str, object]) -> ModelAnswer:
        process = await self._free.get()
        try:
            reply = await process.ask(request, _WORKER_TIMEOUT)
        except (ProcessGone, JobFailed) as gone:
            return ModelAnswer(502, json.dumps({"message": str(gone)}))
        finally:
            self._free.put_nowait(process)
        if "failed" in reply:
            return ModelAnswer(500, json.dumps({"message": _SCRIPT_FAILED}))
        return ModelAnswer(200, reply["body"])
