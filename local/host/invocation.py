"""Calls the app's functions as the real Python worker does: decode, inject, run, encode."""

import asyncio
import difflib
import json
import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from azure.functions.meta import Datum

from local.host.blob_content import stream
from local.host.converters import converter, is_sdk_type, sdk_type_converter
from local.host.fail_points import Moment, reach
from local.host.http_activity import send
from local.host.indexing import IndexedFunction
from local.host.protocol import HTTP_ACTIVITY, RaisedElsewhere, require_json

RESULTS = {
    "activityTrigger": "activityTrigger",
    "httpTrigger": "http",
    "orchestrationTrigger": "orchestrationTrigger",
}
logger = logging.getLogger(__name__)


class WorkerLost(Exception):
    """The process that ran a function ended before it answered; how far the function came is unknown."""


class FunctionTimeout(RaisedElsewhere):
    """A function ran longer than functionTimeout allows; its caller takes that for a failure of its own."""

    def __init__(self, function: str, timeout: float) -> None:
        super().__init__(
            "Microsoft.Azure.WebJobs.Host.FunctionTimeoutException: "
            f"Timeout value of {str(timedelta(seconds=timeout)).zfill(8)} exceeded by function 'Functions.{function}'"
        )


@dataclass
class InvocationContext:
    """What a function gets for a parameter `context: func.Context`."""

    function_name: str
    function_directory: str
    invocation_id: str = field(default_factory=lambda: str(uuid4()))
    thread_local_storage: threading.local = field(default_factory=threading.local)
    trace_context: None = None
    retry_context: None = None


class Worker:
    """The app's functions, ready to be called. Sync ones run in a thread pool, async ones on the loop."""

    def __init__(
        self,
        functions: Sequence[IndexedFunction],
        client_binding: str,
        app_dir: str,
        timeout: float | None = None,
    ) -> None:
        """`client_binding` is the JSON text that durable client parameters get; no call may last `timeout` seconds."""
        self.timeout = timeout
        self.functions = {function.name: function for function in functions}
        self._client_binding = client_binding
        self._app_dir = app_dir
        self._threads = ThreadPoolExecutor(thread_name_prefix="function")
        self._durable = {(function.kind, function.durable_name.lower()): function for function in functions}

    def of_kind(self, kind: str) -> list[IndexedFunction]:
        """Return the functions with this type of trigger."""
        return [function for function in self.functions.values() if function.kind == kind]

    def knows_activity(self, name: str) -> bool:
        """Whether there is such an activity; names are case-insensitive."""
        return name == HTTP_ACTIVITY or ("activityTrigger", name.lower()) in self._durable

    def knows_orchestrator(self, name: str) -> bool:
        """Whether there is such an orchestrator; names are case-insensitive."""
        return ("orchestrationTrigger", name.lower()) in self._durable

    def activity_like(self, name: str) -> str | None:
        """Return the activity that a name without one probably means."""
        return self._like("activityTrigger", name)

    def orchestrator_like(self, name: str) -> str | None:
        """Return the orchestrator that a name without one probably means."""
        return self._like("orchestrationTrigger", name)

    def _like(self, kind: str, name: str) -> str | None:
        functions = self.of_kind(kind)
        # Calls by reference send the name of the Python function, whatever its decorator calls it.
        names = {function.name.lower(): function.durable_name for function in functions}
        names |= {function.durable_name.lower(): function.durable_name for function in functions}
        close = difflib.get_close_matches(name.lower(), names, n=1)
        return names[close[0]] if close else None

    async def start(self) -> None:
        """Get ready for calls."""

    async def run(self) -> None:
        """Stay ready for calls, for ever if there is something to do for it; cancel to stop."""

    async def run_orchestrator(self, name: str, payload: str) -> str:
        """Let the SDK replay; returns its state as JSON text or raises what it raised."""
        function = self._durable["orchestrationTrigger", name.lower()]
        return str((await self.invoke(function, Datum(payload, "string"))).value)

    async def run_activity(self, name: str, input_text: str | None) -> str | None:
        """Run an activity; returns its result as JSON text, None for null. Raises what it raised."""
        if name == HTTP_ACTIVITY:
            return await send(input_text or "null")
        function = self._durable["activityTrigger", name.lower()]
        result = await self.invoke(function, Datum(input_text or "null", "string"))
        return None if result.value == "null" else require_json(result.value)

    async def invoke(self, function: IndexedFunction, datum: Datum) -> Datum:
        """Call a function with its trigger's data; returns its encoded result, or raises what it raised.

        Raises FunctionTimeout; a thread that runs the function then goes on without anybody waiting for it.
        """
        try:
            async with asyncio.timeout(self.timeout) as limit:
                return await self._call(function, datum)
        except TimeoutError:
            if not limit.expired():
                raise
            raise FunctionTimeout(function.name, self.timeout or 0) from None

    async def _call(self, function: IndexedFunction, datum: Datum) -> Datum:
        arguments = {function.parameter: await self._decoded(function, datum)}
        arguments.update(dict.fromkeys(function.client_parameters, self._client_binding))
        if function.wants_context:
            arguments["context"] = InvocationContext(function.name, self._app_dir)
        reach(function.name, Moment.BEGUN)
        if function.is_async:
            result = await function.call(**arguments)
        else:
            result = await asyncio.get_running_loop().run_in_executor(
                self._threads, lambda: function.call(**arguments)
            )
        reach(function.name, Moment.ENDED)
        return _encode(function, result)

    async def _decoded(self, function: IndexedFunction, datum: Datum) -> Any:
        if function.binds_content:
            return await asyncio.get_running_loop().run_in_executor(self._threads, stream, datum)
        return _decode(function, datum)

    async def close(self) -> None:
        """Stop the threads that are idle; those in a function end with it."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def blob_datum(connection: str, container: str, blob: str) -> Datum:
    """Return the model binding data that the storage extension sends for one blob."""
    content = {"Connection": connection, "ContainerName": container, "BlobName": blob}
    return Datum(
        SimpleNamespace(
            version="1.0",
            source="AzureStorageBlobs",
            content_type="application/json",
            content=json.dumps(content).encode(),
        ),
        "model_binding_data",
    )


def _decode(function: IndexedFunction, datum: Datum) -> Any:
    metadata: Mapping[str, Datum] = {}
    if is_sdk_type(function.annotation):
        return sdk_type_converter(function.kind).decode(
            datum, trigger_metadata=metadata, pytype=function.annotation
        )
    if function.annotation in (str, bytes) and function.kind == "timerTrigger":
        return datum.value
    return converter(function.kind).decode(datum, trigger_metadata=metadata)


def _encode(function: IndexedFunction, result: Any) -> Datum:
    if function.kind not in RESULTS:
        return Datum(None, None)
    encoded: Datum = converter(RESULTS[function.kind]).encode(result, expected_type=None)
    return encoded
