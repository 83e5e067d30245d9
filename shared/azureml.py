"""The Azure ML REST surface the app needs: invoke a batch endpoint, read, find and cancel its jobs.

Written against the public documentation of batch endpoints and recordings of the Azure SDK for Python;
`docs/azureml.md` names the source of each fact and how sure it is.
"""

import json
import re
import ssl
from dataclasses import dataclass
from datetime import timedelta
from time import sleep
from typing import Any, Literal
from urllib.parse import urlsplit

import requests
import urllib3
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from shared.errors import StageFailed
from shared.masking import without_secrets
from shared.records import JobView
from shared.retries import retry_after
from shared.routes import Route

ARM_VERSION = {"api-version": "2023-10-01"}
CANCEL_VERSION = {"api-version": "2023-04-01-preview"}
INVOKE_TIMEOUT = (10, 120)
CONNECT_PAUSES = (0, 1, 3)
READ_TIMEOUT = (10, 60)
LISTED_PAGES = 200
WORKSPACE = re.compile(r"(/subscriptions/[^/]+/.*?/workspaces/[^/]+)", re.IGNORECASE)

CODE = re.compile(r"^[A-Za-z][\w.]{0,80}$")
EXCEPTION_NAME = re.compile(r"\b[A-Z]\w*(?:Error|Exception|Warning|Interrupt|Exit)\b")
# The one place that says whether a failed POST may have made a job. These answers are given before one is made;
# everything else, a lost connection and any 5xx included, is ambiguous (azure-sdk-for-python#31166: 500, yet jobs).
SURELY_NOT_CREATED = frozenset({400, 401, 403, 404, 405, 413, 415, 422})
# Of these, the answers that say nothing of what was sent: they are about the endpoint, or about who asks.
BARRED = frozenset({401, 403, 404})
THROTTLED = 429
CREATED = frozenset({200, 201})

# NotResponding may recover (its enum's documentation), so it does not end a job by itself.
STATES = {
    "completed": "completed",
    "failed": "failed",
    "canceled": "canceled",
    "paused": "failed",
    "notresponding": "silent",
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of one POST: `ambiguous` means a job may or may not exist; `barred` and `refused`: there is none."""

    kind: Literal["created", "barred", "refused", "throttled", "ambiguous"]
    why: str = ""
    job: str = ""
    job_id: str = ""
    deployment: str = ""
    retry_after: float = 0.0


def invocation(
    parts: str, output: str, *, timeout: timedelta, mini_batch: int, shared_job: bool
) -> dict[str, Any]:
    """The body of an invoke: a folder of parts, or one part, in; one file at its own path out.

    `mini_batch` parts at a time, no partial success for a single file: the service's defaults are ten files, 30 s
    and "ignore all failures".
    """
    kind = "UriFile" if parts.endswith(".csv") else "UriFolder"
    return {
        "properties": {
            "InputData": {"parts": {"JobInputType": kind, "Uri": parts}},
            "OutputData": {"score": {"JobOutputType": "UriFile", "Uri": output}},
            "miniBatchSize": mini_batch,
            "errorThreshold": -1 if shared_job else 0,
            "retrySettings": {"maxRetries": 3, "timeout": f"PT{int(timeout.total_seconds())}S"},
        }
    }


def output_uri(datastore: str, workspace: str, path: str) -> str:
    """Where the raw predictions go: the long form where the workspace is known, since short ones have failed."""
    if not workspace:
        return f"azureml://datastores/{datastore}/paths/{path}"
    _, _, subscription, _, group, _, _, _, name = workspace.split("/")
    scope = f"subscriptions/{subscription}/resourcegroups/{group}/workspaces/{name}"
    return f"azureml://{scope}/datastores/{datastore}/paths/{path}"


def invoke(route: Route, body: dict[str, Any], token: str, request_id: str) -> Answer:
    """POSTs once, over a connection of its own, following no redirect.

    Only a connection that could not be made is tried again: nothing has been sent.
    """
    headers = {"Authorization": f"Bearer {token}", "repeatability_request-id": request_id}
    if route.deployment:
        headers["azureml-model-deployment"] = route.deployment
    for pause in CONNECT_PAUSES:
        sleep(pause)
        try:
            with requests.Session() as session:
                session.trust_env = False
                response = session.post(
                    route.model, json=body, headers=headers, timeout=INVOKE_TIMEOUT, allow_redirects=False
                )
            return answered(response)
        except requests.RequestException as problem:
            if not never_connected(problem):
                return Answer(kind="ambiguous", why=type(problem).__name__)
            why = type(problem).__name__
    place = urlsplit(route.model).netloc
    return Answer(kind="barred", why=f"no connection to {place} in {len(CONNECT_PAUSES)} tries ({why})")


def never_connected(problem: requests.RequestException) -> bool:
    """True where no connection was made, or its certificate was refused, so that nothing can have been sent."""
    reason = getattr(problem.args[0] if problem.args else None, "reason", None)
    refused = (NewConnectionError, NameResolutionError, ConnectTimeoutError)
    cause = reason.args[0] if isinstance(reason, urllib3.exceptions.SSLError) and reason.args else None
    return isinstance(reason, refused) or isinstance(cause, ssl.SSLCertVerificationError)


def answered(response: requests.Response) -> Answer:
    """Reads one response to an invoke."""
    if response.status_code in CREATED:
        return created(response)
    why = refusal(response)
    if response.status_code == THROTTLED:
        return Answer(kind="throttled", why=why, retry_after=retry_after(response.headers.get("Retry-After")))
    if response.status_code in BARRED:
        return Answer(kind="barred", why=why)
    return Answer(kind="refused" if response.status_code in SURELY_NOT_CREATED else "ambiguous", why=why)


def created(response: requests.Response) -> Answer:
    """The job of a 201; ambiguous where its name cannot be read, for there is a job all the same."""
    try:
        resource = response.json()
    except ValueError:
        resource = None
    found = resource if isinstance(resource, dict) else {}
    name, job_id = found.get("name"), found.get("id")
    if not isinstance(name, str) or not name:
        return Answer(kind="ambiguous", why=f"{response.status_code} with an unreadable body")
    return Answer(
        kind="created",
        job=name,
        job_id=job_id if isinstance(job_id, str) else "",
        deployment=response.headers.get("azureml-model-deployment", ""),
    )


def refusal(response: requests.Response) -> str:
    """The status of an answer and what its body says, on one line."""
    return f"{response.status_code} {error_message(response)}".strip()


def error_message(response: requests.Response) -> str:
    """The message of an error body: JSON in one of its shapes, text, or nothing. One line, without secrets."""
    try:
        body = response.json()
    except ValueError:
        return without_secrets(response.text)[:300]
    lowered = {str(key).lower(): value for key, value in body.items()} if isinstance(body, dict) else {}
    error = lowered.get("error", lowered)
    if isinstance(error, dict):
        error = {str(key).lower(): value for key, value in error.items()}.get("message", "")
    return without_secrets(str(error))[:300]


def retry_after_of(problem: Exception) -> float:
    """What a failed call's answer asks for, in seconds; 0 where there was no answer."""
    response = getattr(problem, "response", None)
    return retry_after(response.headers.get("Retry-After")) if response is not None else 0.0


def get(session: requests.Session, url: str, token: str, params: dict[str, str] | None = None) -> Any:
    """One GET. Raises StageFailed for answers that trying again will not change, HTTPError for the others."""
    response = session.get(
        url,
        params=params,
        headers={"Authorization": f"Bearer {token}"},
        timeout=READ_TIMEOUT,
        allow_redirects=False,
    )
    if response.status_code in {401, 403, 404}:
        raise StageFailed(f"Azure ML answered {refusal(response)}")
    response.raise_for_status()
    return response.json()


def view(resource: dict[str, Any]) -> JobView:
    """Our reading of a job: only three statuses end it; whatever is unknown keeps running until the deadline."""
    status = str(properties(resource).get("status") or "Unknown")
    return JobView(state=STATES.get(status.lower(), "running"), status=status)


def properties(resource: Any) -> dict[str, Any]:
    """The `properties` of a resource, whatever shape it came in."""
    found = resource.get("properties") if isinstance(resource, dict) else None
    return found if isinstance(found, dict) else {}


def job_error(resource: dict[str, Any], known_names: frozenset[str]) -> str:
    """What a failed job says of itself, without what might be a row's value.

    That is the error's code, the exceptions its message names, and the columns. The rest of a message is a script's
    own words and may quote what it failed on.
    """
    error = resource.get("error") or properties(resource).get("error")
    while isinstance(error, dict) and "error" in error:
        error = error["error"]
    found = error if isinstance(error, dict) else {"message": error}
    message = str(found.get("message") or "")
    exceptions = EXCEPTION_NAME.findall(message)
    columns = [name for name in re.findall(r"[^\s'\"`]+", message) if name in known_names]
    named = dict.fromkeys([*CODE.findall(str(found.get("code") or "")), *exceptions, *columns])
    return ", ".join(named) or "it gives no reason"


def preempted(resource: dict[str, Any]) -> bool:
    """Whether a job ended because its low-priority nodes were taken away.

    A guess: nothing documented or recorded says how a batch job shows it; the word is looked for in the error.
    """
    error = resource.get("error") or properties(resource).get("error")
    return "preempt" in json.dumps(error or "").lower().replace("-", "")


def answers(session: requests.Session, url: str, token: str) -> bool:
    """Whether an endpoint lets us in, as far as one GET can tell: it takes POSTs, so "wrong method" is a yes."""
    headers = {"Authorization": f"Bearer {token}"}
    response = session.get(url, headers=headers, timeout=READ_TIMEOUT, allow_redirects=False)
    return response.status_code not in BARRED and response.status_code < 500


def endpoint_of(model: str) -> str:
    """The endpoint's name, from its scoring URL: the host's first label, or the folder before `jobs` elsewhere."""
    url = urlsplit(model)
    folders = url.path.strip("/").split("/")
    return folders[-2] if len(folders) > 1 else url.netloc.split(".")[0]


def workers(session: requests.Session, arm: str, workspace: str, route: Route, token: str) -> int:
    """How many processes of the route's deployment score at a time.

    Raises as `get`, and KeyError where the answer does not say.
    """
    endpoint, version = f"{arm}{workspace}/batchEndpoints/{endpoint_of(route.model)}", ARM_VERSION
    name = (
        route.deployment or get(session, endpoint, token, version)["properties"]["defaults"]["deploymentName"]
    )
    said = get(session, f"{endpoint}/deployments/{name}", token, version)["properties"]
    return max(1, int(said["resources"]["instanceCount"]) * int(said.get("maxConcurrencyPerInstance") or 1))


def studio_url(resource: dict[str, Any]) -> str:
    """The job's page in Azure ML studio, where its logs are."""
    points = properties(resource).get("interactionEndpoints")
    studio = points.get("Studio") if isinstance(points, dict) else None
    return str(studio.get("endpoint") or "") if isinstance(studio, dict) else ""


def workspace_of(job_id: str) -> str:
    """The workspace's resource id, which every job's id begins with; "" where it does not."""
    found = WORKSPACE.match(job_id)
    return found[1] if found else ""


def cancel(session: requests.Session, arm: str, workspace: str, job: str, token: str) -> None:
    """Asks ARM to cancel a job; it may take minutes. Raises HTTPError where ARM refuses."""
    response = session.post(
        f"{arm}{workspace}/jobs/{job}/cancel",
        params=CANCEL_VERSION,
        headers={"Authorization": f"Bearer {token}"},
        timeout=READ_TIMEOUT,
        allow_redirects=False,
    )
    response.raise_for_status()


def jobs_with_output(
    session: requests.Session, arm: str, workspace: str, token: str, marker: str
) -> list[dict[str, Any]]:
    """The workspace's jobs whose output path contains `marker`. Raises StageFailed where the list is too long to read.

    ARM shows no outputs; the path stands in `properties["azureml.parameters"]` (recorded), so the whole job is
    searched for it.
    """
    url = f"{arm}{workspace}/jobs"
    params: dict[str, str] | None = {**ARM_VERSION, "jobType": "Pipeline", "listViewType": "ActiveOnly"}
    found: list[dict[str, Any]] = []
    for _ in range(LISTED_PAGES):
        page = get(session, url, token, params)
        found += [job for job in page.get("value", []) if marker in json.dumps(job)]
        url, params = page.get("nextLink"), None
        if not url:
            return found
    raise StageFailed(f"the workspace lists more than {LISTED_PAGES} pages of jobs")


@dataclass(frozen=True)
class Place:
    """A container of a storage account."""

    account: str
    url: str


def datastore_place(session: requests.Session, arm: str, workspace: str, name: str, token: str) -> Place:
    """Where a registered blob datastore lies. Raises as `get`, and StageFailed for one of another kind."""
    return place_of(get(session, f"{arm}{workspace}/datastores/{name}", token, ARM_VERSION), name)


def place_of(resource: dict[str, Any], name: str) -> Place:
    """Where the datastore of that name lies, as its resource says. Raises StageFailed for one of another kind."""
    found = resource["properties"]
    if str(found.get("datastoreType", "")).lower() != "azureblob":
        raise StageFailed(
            f'The datastore "{name}" is a {found.get("datastoreType")}; batch endpoints write only to registered '
            "blob datastores. Name one in the route's `datastore`."
        )
    account, container = found["accountName"], found["containerName"]
    host = f"{account}.blob.{found.get('endpoint', 'core.windows.net')}"
    return Place(account, f"{found.get('protocol', 'https')}://{host}/{container}")
