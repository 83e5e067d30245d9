"""Runs a host as a process does: until it is told to stop."""

import asyncio
import logging
import signal
from collections.abc import Callable

from local.host.host import Host
from local.host.invocation import WorkerLost

logger = logging.getLogger(__name__)


def run_until_signalled(host: Host, announce: Callable[[], None]) -> int:
    """Serve until SIGTERM or SIGINT, calling `announce` when ready; returns 0, or 1 when the host failed."""
    return asyncio.run(_serve(host, announce))


async def _serve(host: Host, announce: Callable[[], None]) -> int:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    try:
        await host.start()
    except OSError as error:
        logger.error("cannot listen on %s: %s", host.url, error)  # noqa: TRY400 - the message says it all
        return 1
    except WorkerLost as lost:
        logger.error("the app cannot be run: %s", lost)  # noqa: TRY400 - the message says it all
        return 1
    announce()
    failure = asyncio.create_task(host.failed())
    signalled = asyncio.create_task(stopped.wait())
    await asyncio.wait([failure, signalled], return_when=asyncio.FIRST_COMPLETED)
    await host.stop()
    await asyncio.wait([failure])
    fault = None if failure.cancelled() else failure.exception()
    if fault:
        logger.error("the local host failed", exc_info=fault)
    return 1 if fault else 0
