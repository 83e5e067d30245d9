"""A client of the emulator: what the tests send, and what they wait for."""

import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from azure.storage.blob import BlobServiceClient

from local.azureml.identity import Tokens
from local.azureml.workspace import ARM_AUDIENCE, DATASTORE_CONTAINER, SCORING_AUDIENCE, WORKSPACE_ID

Serve = Callable[..., "Client"]

_PATIENCE = 90.0


class Client:
    """Speaks to the emulator at `base` and to its storage; `endpoint` is the one that is invoked."""

    def __init__(self, base: str, connection_string: str, endpoint: str = "capitals") -> None:
        self.base = base
        self.scoring_url = f"{base}/endpoints/{endpoint}/jobs"
        self.tokens = Tokens("local")
        self.storage = connection_string

    def upload(self, files: dict[str, str]) -> str:
        """Put texts into a container of their own and return its URL."""
        with BlobServiceClient.from_connection_string(self.storage) as service:
            container = service.create_container(f"input-{uuid.uuid4()}")
            for name, text in files.items():
                container.upload_blob(name, text)
            return str(container.url)

    def post(self, body: object, **headers: str) -> requests.Response:
        """Invoke with any body."""
        headers = {"Authorization": self.bearer(SCORING_AUDIENCE)} | headers
        return requests.post(self.scoring_url, json=body, headers=headers, timeout=60, allow_redirects=False)

    def invoke(self, uri: str, **properties: Any) -> str:
        """Invoke for a folder and return the job's name."""
        answer = self.post(invocation(uri, **properties))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["name"])

    def job(self, name: str) -> dict[str, Any]:
        """The job, read at the scoring URL."""
        return self.read(f"{self.scoring_url}/{name}", SCORING_AUDIENCE).json()  # type: ignore[no-any-return]

    def status(self, name: str) -> str:
        """The job's status."""
        return str(self.job(name)["properties"]["status"])

    def finished(self, name: str) -> dict[str, Any]:
        """The job, once it has ended."""
        wait_until(lambda: self.status(name) in {"Completed", "Failed", "Canceled"})
        return self.job(name)

    def run(self, files: dict[str, str], **properties: Any) -> dict[str, Any]:
        """Score texts to the end of the job."""
        return self.finished(self.invoke(self.upload(files), **properties))

    def read(self, url: str, audience: str = ARM_AUDIENCE) -> requests.Response:
        """GET with a token."""
        return requests.get(url, headers={"Authorization": self.bearer(audience)}, timeout=60)

    def arm(self, path: str, method: str = "GET", body: object = None, **query: str) -> requests.Response:
        """A request to the workspace on Azure Resource Manager."""
        url, headers = f"{self.base}{WORKSPACE_ID}{path}", {"Authorization": self.bearer(ARM_AUDIENCE)}
        parameters = {"api-version": "2023-10-01"} | query
        return requests.request(method, url, json=body, params=parameters, headers=headers, timeout=60)

    def history(self, path: str) -> requests.Response:
        """GET from run history."""
        return self.read(f"{self.base}/history/v1.0{WORKSPACE_ID}{path}?api-version=v1.0")

    def control(self, path: str, wish: object) -> requests.Response:
        """Tell the control plane something."""
        return requests.post(f"{self.base}/control/{path}", json=wish, timeout=60)

    def output(self, job: dict[str, Any]) -> str:
        """The text a completed job wrote."""
        uri = job["properties"]["outputData"]["score"]["uri"]
        return self.blob(DATASTORE_CONTAINER, uri.partition("/paths/")[2])

    def blob(self, container: str, path: str) -> str:
        """A blob's text."""
        with BlobServiceClient.from_connection_string(self.storage) as service:
            return service.get_blob_client(container, path).download_blob().readall().decode()

    def bearer(self, audience: str, lifetime: int = 3600) -> str:
        """An Authorization header."""
        return f"Bearer {self.tokens.issue(audience, lifetime)}"


def put(client: Client, path: str, properties: dict[str, Any], **more: Any) -> requests.Response:
    """PUT a resource."""
    body = {"location": "local", "tags": {}, "properties": properties} | more
    return client.arm(f"/{path}", "PUT", body=body)


def made(client: Client, path: str, properties: dict[str, Any]) -> dict[str, Any]:
    """A resource, PUT and waited for: its properties."""
    answer = put(client, path, properties)
    assert answer.status_code in (200, 201), answer.text
    if "Azure-AsyncOperation" in answer.headers:
        assert over(client, answer)["status"] == "Succeeded"
    return client.arm(f"/{path}").json()["properties"]  # type: ignore[no-any-return]


def over(client: Client, answer: requests.Response) -> dict[str, Any]:
    """The operation of an answer, once it is over."""
    place = answer.headers["Azure-AsyncOperation"]
    wait_until(lambda: client.read(place).json()["status"] in ("Succeeded", "Failed"))
    return client.read(place).json()  # type: ignore[no-any-return]


def invocation(uri: str, **properties: Any) -> dict[str, Any]:
    """The body that invokes for a folder."""
    data = {"files": {"jobInputType": "UriFolder", "uri": uri}}
    return {"properties": {"inputData": data} | properties}


def output_to(path: str) -> dict[str, Any]:
    """The outputData that writes to a path of the datastore."""
    uri = f"azureml://datastores/workspaceblobstore/paths/{path}"
    return {"score": {"jobOutputType": "UriFile", "uri": uri}}


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, for as long as a loaded machine may need."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.03)


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead but not yet reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def noted_processes(folder: Path) -> list[int]:
    """The processes a patient script noted."""
    return [int(path.stem) for path in folder.glob("*.pid")]
