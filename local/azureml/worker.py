"""One scoring process: loads a scoring script, calls its `init()`, then its `run()` for each request.

A batch request holds the `files` of a mini-batch and where its `rows` go, an online one the `body` of an HTTP request.

Started by path, never imported: it must not pull the emulator into the script's interpreter. Requests come
on stdin and replies go to stdout, one JSON object a line; whatever the script prints goes to stderr.
"""

import importlib.util
import inspect
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

_LONGEST_MESSAGE = 4000


def main(code: str, script: str) -> None:
    """Serve the requests of the emulator until it closes stdin or dies."""
    requests, replies = _take_over_pipes()

    def reply(answer: dict[str, Any]) -> None:
        replies.write(json.dumps(answer) + "\n")
        replies.flush()

    try:
        run = _load(Path(code), script)
    except BaseException as error:  # noqa: BLE001  (sys.exit() in a script is its failure, too)
        reply(_failure(error))
        return
    reply({"ready": True})
    while True:
        request = requests.get()
        try:
            reply(_batch(run, request) if "files" in request else _online(run, request))
        except BaseException as error:  # noqa: BLE001  (as above)
            reply(_failure(error))


def _take_over_pipes() -> tuple[SimpleQueue[dict[str, Any]], IO[str]]:
    """Keep stdin and stdout for the emulator, out of the reach of the script and its children."""
    source = os.fdopen(os.dup(0), encoding="utf-8")
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    requests: SimpleQueue[dict[str, Any]] = SimpleQueue()
    threading.Thread(target=_receive, args=(source, requests), daemon=True).start()
    return requests, replies


def _receive(source: IO[str], requests: SimpleQueue[dict[str, Any]]) -> None:
    """Queue the requests; at their end the emulator is gone, however it died: end the whole group."""
    for line in source:
        requests.put(json.loads(line))
    os.killpg(0, signal.SIGKILL)


def _load(code: Path, script: str) -> Callable[..., object]:
    """The script's `run`, after its `init`, with the code folder importable."""
    sys.path.insert(0, str(code))
    name = Path(script).stem
    spec = importlib.util.spec_from_file_location(name, code / script)
    if spec is None or spec.loader is None:
        raise ImportError(f"{code / script} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    module.init()
    run: Callable[..., object] = module.run
    return run


def _batch(run: Callable[..., object], request: dict[str, Any]) -> dict[str, Any]:
    return {"returned": _write_rows(run(request["files"]), Path(request["rows"]))}


def _online(run: Callable[..., object], request: dict[str, Any]) -> dict[str, Any]:
    """What run() returned as JSON, texts too, and `{}` for None: as azureml-inference-server-http 1.5.1 does.

    Like there, run() gets the headers where it has a parameter `request_headers`.
    """
    wants_headers = "request_headers" in inspect.signature(run).parameters
    result = run(request["body"], **({"request_headers": request["headers"]} if wants_headers else {}))
    return {"body": json.dumps({} if result is None else result)}


def _write_rows(result: object, path: Path) -> int:
    """Write what run() returned the way append_row does, and return how many items it holds.

    A DataFrame becomes space-separated columns without header and index, a list one line per item.
    """
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(result, pandas.DataFrame):
        result.to_csv(path, sep=" ", header=False, index=False)
        return len(result)
    if not isinstance(result, list | tuple):
        raise TypeError(f"run() must return a list or a pandas DataFrame, not {type(result).__name__}")
    items: Sequence[object] = result
    with path.open("w", encoding="utf-8") as rows:
        rows.writelines(f"{item}\n" for item in items)
    return len(items)


def _failure(error: BaseException) -> dict[str, Any]:
    traceback.print_exception(error)
    return {"failed": f"{type(error).__name__}: {error}"[:_LONGEST_MESSAGE]}


if __name__ == "__main__":
    main(*sys.argv[1:])
