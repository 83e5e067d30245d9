"""Runs a host as a process does: until it is told to stop."""

import asyncio
import logging
import signal

from local.host.host import Host

logger = logging.getLogger(__name__)


def run_until_signalled(host: Host) -> int:
    """Serve until SIGTERM or SIGINT and return the exit code: 0, or 1 when the host itself failed."""
    return asyncio.run(_serve(host))


async def _serve(host: Host) -> int:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await host.start()
    print(f"host ready at {host.url} ({len(host.worker.functions)} functions)", flush=True)
    failure = asyncio.create_task(host.failed())
    signalled = asyncio.create_task(stopped.wait())
    await asyncio.wait([failure, signalled], return_when=asyncio.FIRST_COMPLETED)
    await host.stop()
    error = failure.exception() if failure.done() and not failure.cancelled() else None
    failure.cancel()
    if error:
        logger.error("the local host failed", exc_info=error)
    return 1 if error else 0
