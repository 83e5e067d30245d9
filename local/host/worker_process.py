"""A worker process: runs the app's functions for the host that started it, and ends with that host."""

import asyncio
import os
import socket
import sys
import threading
import traceback
from pathlib import Path

from local.host.indexing import index
from local.host.invocation import Worker
from local.host.logs import log_to_stderr
from local.host.protocol import told
from local.host.wire import READY, Call, Reply, pack, read


def main() -> None:
    """Serve; arguments: the app's directory, the durable client's binding, the descriptor of a socket."""
    app_dir, client_binding, descriptor = sys.argv[1:]
    connection = socket.socket(fileno=int(descriptor))
    connection.set_inheritable(False)
    log_to_stderr(f"worker {os.getpid()}: ")
    worker = Worker(index(Path(app_dir)), client_binding, app_dir)
    asyncio.run(_serve(worker, connection))


async def _serve(worker: Worker, connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()

    async def answer(call: Call) -> None:
        connection.sendall(pack(await _reply(worker, call)))

    def listen() -> None:
        try:
            with connection.makefile("rb") as calls:
                while True:
                    asyncio.run_coroutine_threadsafe(answer(read(calls)), loop)
        finally:
            # A function under way may hold the loop or a thread for ever; the host will have it run again.
            os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    connection.sendall(pack(READY))
    await asyncio.Event().wait()


async def _reply(worker: Worker, call: Call) -> Reply:
    try:
        result = await worker.invoke(worker.functions[call.function], call.datum)
    except Exception as error:  # noqa: BLE001 - whatever a function raises is its caller's to handle
        return Reply(number=call.number, failure=told(error), traceback=traceback.format_exc())
    return Reply(number=call.number, result=result)


if __name__ == "__main__":
    main()
