"""Looking at a job many times, by one client: `python -m benchmarks.looks CLIENT URL TOKEN TIMES` prints seconds.

In a process of its own. `ours` is the app's own call; http.client is the limit, azure-core what Azure's clients use.
"""

import json
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from urllib.parse import urlsplit

Look = Callable[[], object]


def limit(url: str, token: str) -> Look:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc)

    def look() -> object:
        connection.request("GET", parts.path, headers={"Authorization": f"Bearer {token}"})
        return json.loads(connection.getresponse().read())

    return look


def azure_core(url: str, token: str) -> Look:
    from azure.core import PipelineClient
    from azure.core.rest import HttpRequest

    client: PipelineClient[HttpRequest, object] = PipelineClient(url)

    def look() -> object:
        request = HttpRequest("GET", url, headers={"Authorization": f"Bearer {token}"})
        response = client.send_request(request)
        response.raise_for_status()  # type: ignore[attr-defined]
        return response.json()  # type: ignore[attr-defined]

    return look


def ours(url: str, token: str) -> Look:
    from shared import azureml, clients

    return lambda: azureml.view(azureml.get(clients.http(), url, token))


CLIENTS = {"limit": limit, "azure-core": azure_core, "ours": ours}


def main(client: str, url: str, token: str, times: str) -> None:
    look = CLIENTS[client](url, token)
    look()
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(int(times)):
        look()
    print(json.dumps({"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}))


if __name__ == "__main__":
    main(*sys.argv[1:])
