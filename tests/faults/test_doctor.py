"""Each fault of a deployment is planted; the doctor finds it, and nothing else, and says what to type."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import requests

from local.azureml.workspace import WORKSPACE_ID
from local.host.keys import KEY
from shared.names import PROBES
from shared.records import Arrivals, Heartbeat, Owner
from tests.e2e.drops import until
from tests.faults.patient import BEAT, Fault, Name, Patient

pytestmark = pytest.mark.full

ACCOUNT = "devstoreaccount1"
ARM, ML = "https://management.azure.com", "https://ml.azure.com"
QUEUE: Name = ("given-up-events", "")
AN_HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)
LONG_AGO = "2026-01-01T00:00:00.000Z"
ROLES = ("inbox", "predictions", "rejected", "archive", "work", "ledger", "config", "status")
CONTAINERS: set[Name] = {("container", role) for role in ROLES}
OF_ROUTE = ("endpoint", "deployment", "scoring")
BOTH = {(check, route) for check in OF_ROUTE for route in ("double", "everything")}
IN_WORKSPACE: set[Name] = {("jobs", "local"), ("datastore", "workspaceblobstore"), *BOTH}
ON_STORAGE: set[Name] = {
    *(("routes", ""), ("owner", ""), ("heartbeat", ""), ("events", ""), ("namespace", ACCOUNT)),
    *CONTAINERS,
}
DATASTORE_TYPE = {"datastoreType": "AzureBlob", "accountName": ACCOUNT, "protocol": "http"}


def no_fault(_: Patient) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True)
class Case:
    """A fault, the checks it must be found by, with words of their advice, and those that cannot be made then."""

    found: dict[Name, str]
    skipped: set[Name] = field(default_factory=set)
    azureml: tuple[Fault, ...] = ()
    storage: tuple[Fault, ...] = ()
    state: Callable[[Patient], AbstractContextManager[None]] = no_fault
    kind: str = "failed"


def answer(on: str, status: int, body: object = "", **more: object) -> Fault:
    return {"do": "answer", "on": on, "status": status, "body": body, **more}


def arm(path: str, status: int, properties: dict[str, object] | None = None, **more: object) -> Fault:
    """What Azure Resource Manager answers for something below the workspace."""
    body: object = {"properties": properties} if properties is not None else ""
    return answer(f"GET {re.escape(WORKSPACE_ID)}{path}\\?", status, body, **more)


def datastore(**changes: object) -> Fault:
    kept = {
        "containerName": "azureml",
        "endpoint": "core.windows.net",
        "credentials": {"credentialsType": "Sas"},
    }
    return arm("/datastores/workspaceblobstore", 200, {**DATASTORE_TYPE, **kept, **changes})


def storage_error(code: str) -> dict[str, object]:
    xml = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>No.</Message></Error>'
    return {"body": xml, "headers": {"x-ms-error-code": code}}


def blob_call(method: str, container: str, rest: str = "") -> str:
    return f"{method} /{ACCOUNT}/{container}{rest}"


@contextmanager
def without_archive(patient: Patient) -> Iterator[None]:
    container = patient.stack.container("archive")
    container.delete_container()
    yield
    container.create_container()


@contextmanager
def without_events(patient: Patient) -> Iterator[None]:
    """None has ever come, and the sweep has found files."""
    patient.write("ledger", "arrivals.json", Arrivals(missed=3, missed_at=LONG_AGO))
    with patient.stack.event_grid.losing_events():
        yield


@contextmanager
def slow_events(patient: Patient) -> Iterator[None]:
    """The last one came a while ago, and the sweep has not had to find a file since."""
    heard = Arrivals(probe="", heard_at="2026-02-01T00:00:00.000Z", missed=3, missed_at=LONG_AGO)
    patient.write("ledger", "arrivals.json", heard)
    with patient.stack.event_grid.losing_events():
        yield


def stale(patient: Patient) -> AbstractContextManager[None]:
    # The first probe's event may have a sweep started where the last is old: not a second time within a minute.
    patient.doctor()
    old = Heartbeat(sweep="s", at=AN_HOUR_AGO.isoformat(), done=True)
    patient.write("ledger", BEAT, old)
    return nullcontext()


@contextmanager
def never_swept(patient: Patient) -> Iterator[None]:
    patient.doctor()
    patient.stack.container("ledger").delete_blob(BEAT)
    yield


@contextmanager
def owned_by_another(patient: Patient) -> Iterator[None]:
    """A fresh process of the app, which is refused the ledger."""
    other = json.dumps(Owner(hub="other", storage="elsewhere").to_dict()).encode()
    # Whoever works on the ledger first owns it.
    assert requests.get(f"{patient.stack.host_url}/api/runs", timeout=10).ok
    with patient.instead("ledger", "owner.json", other), patient.under():
        yield


@contextmanager
def bad_routes(patient: Patient) -> Iterator[None]:
    with patient.instead("config", "routes.toml", b"[routes.double]\nmodel = 7\n"):
        url = f"{patient.stack.host_url}/api/routes"
        until(lambda: requests.get(url, timeout=10).json()["problem"], "the problem")
        yield
    until(lambda: not requests.get(url, timeout=10).json()["problem"], "the routes")


def under(**settings: str) -> Callable[[Patient], AbstractContextManager[None]]:
    return lambda patient: patient.under(**settings)


GRANT = "az role assignment create --assignee"
CONTRIBUTOR = '--role "Storage Blob Data Contributor"'
SCIENTIST = '--role "AzureML Data Scientist"'
ARM_WORKSPACE = arm("", 200, {}, headers={"Date": format_datetime(AN_HOUR_AGO, usegmt=True)})
CASES = {
    "no token for batch endpoints": Case(
        {("token", ML): "az functionapp identity assign"},
        {("scoring", "double"), ("scoring", "everything")},
        azureml=(answer(r"GET /msi/token.*ml\.azure\.com", 400, {"statusCode": 400, "message": "no"}),),
    ),
    "no token for Azure Resource Manager": Case(
        {("token", ARM): "DROPSCORE_ARM_AUDIENCE"},
        {("workspace", "local"), *IN_WORKSPACE},
        azureml=(answer(r"GET /msi/token.*management\.azure", 400, {"statusCode": 400, "message": "no"}),),
    ),
    "the endpoint refuses the audience": Case(
        {("scoring", route): f"DROPSCORE_SCORING_AUDIENCE={ML}" for route in ("double", "everything")},
        state=under(DROPSCORE_SCORING_AUDIENCE="https://cognitiveservices.azure.com"),
    ),
    "Azure Resource Manager refuses the audience": Case(
        {("workspace", "local"): f"DROPSCORE_ARM_AUDIENCE={ARM}"},
        IN_WORKSPACE,
        state=under(DROPSCORE_ARM_AUDIENCE="https://graph.microsoft.com"),
    ),
    "the workspace is another": Case(
        {("workspace", "nowhere"): "az ml workspace list"},
        {("jobs", "nowhere"), *IN_WORKSPACE} - {("jobs", "local")},
        state=under(DROPSCORE_WORKSPACE=WORKSPACE_ID.replace("workspaces/local", "workspaces/nowhere")),
    ),
    "the workspace may not be read": Case(
        {("workspace", "local"): SCIENTIST}, IN_WORKSPACE, azureml=(arm("", 403),)
    ),
    "Azure ML is unwell": Case({("workspace", "local"): "ask again"}, IN_WORKSPACE, azureml=(arm("", 500),)),
    "Azure ML is out of reach": Case(
        {("workspace", "local"): "DROPSCORE_ARM_URL"},
        IN_WORKSPACE,
        state=under(DROPSCORE_ARM_URL="http://127.0.0.1:9"),
    ),
    "jobs may not be listed": Case({("jobs", "local"): SCIENTIST}, azureml=(arm("/jobs", 403),)),
    "the endpoint is gone": Case(
        {("endpoint", "double"): "`dropscore routes set double model=URL`"},
        {("deployment", "double"), ("scoring", "double")},
        azureml=(arm("/batchEndpoints/double", 404),),
    ),
    "the endpoint has no default deployment": Case(
        {("deployment", "double"): "--set defaults.deployment_name=NAME"},
        azureml=(arm("/batchEndpoints/double", 200, {"defaults": {"deploymentName": None}}),),
    ),
    "the deployment is gone": Case(
        {("deployment", "double"): "`dropscore routes set double deployment=NAME`"},
        azureml=(arm("/batchEndpoints/double/deployments/only", 404),),
    ),
    "the deployment was never finished": Case(
        {("deployment", "double"): "az ml batch-deployment show -n only -e double"},
        azureml=(arm("/batchEndpoints/double/deployments/only", 200, {"provisioningState": "Failed"}),),
    ),
    "the endpoint turns us away": Case(
        {("scoring", "double"): SCIENTIST}, azureml=(answer("GET /endpoints/double/jobs/", 403),)
    ),
    "the endpoint is out of reach": Case(
        {("scoring", "double"): "`model`"}, azureml=({"do": "reset", "on": "GET /endpoints/double/jobs/"},)
    ),
    "the datastore is missing": Case(
        {("datastore", "workspaceblobstore"): "`dropscore routes set ROUTE datastore=NAME`"},
        azureml=(arm("/datastores/workspaceblobstore", 404),),
    ),
    "the datastore is of another kind": Case(
        {("datastore", "workspaceblobstore"): "az ml datastore list"},
        azureml=(datastore(datastoreType="AzureDataLakeGen2"),),
    ),
    "the datastore has no credentials": Case(
        {("datastore", "workspaceblobstore"): "`dropscore doctor --job"},
        azureml=(datastore(credentials={"credentialsType": "None"}),),
        kind="warning",
    ),
    "the datastore's container is missing": Case(
        {("datastore", "workspaceblobstore"): "az storage container create -n nowhere"},
        azureml=(datastore(containerName="nowhere"),),
    ),
    "the datastore's container may not be read": Case(
        {("datastore", "workspaceblobstore"): '--role "Storage Blob Data Reader"'},
        storage=(
            answer(
                blob_call("GET", "azureml", r"\?"), 403, **storage_error("AuthorizationPermissionMismatch")
            ),
        ),
    ),
    "a container is missing": Case(
        {("container", "archive"): "az storage container create -n archive"}, state=without_archive
    ),
    "a container may only be read": Case(
        {("container", "predictions"): CONTRIBUTOR},
        storage=(
            answer(
                blob_call("PUT", f"predictions/{PROBES}/"),
                403,
                **storage_error("AuthorizationPermissionMismatch"),
            ),
        ),
    ),
    "a container may only be written": Case(
        {("container", "rejected"): CONTRIBUTOR},
        storage=(
            answer(
                blob_call("GET", "rejected", r"\?.*comp=list"),
                403,
                **storage_error("AuthorizationPermissionMismatch"),
            ),
        ),
    ),
    "storage writes over blobs": Case(
        {("container", "ledger"): "conditional writes"},
        storage=(answer(blob_call("PUT", f"ledger/{PROBES}/"), 201, skip=1),),
    ),
    "names are folders": Case(
        {("namespace", ACCOUNT): "--enable-hierarchical-namespace false"},
        storage=(
            answer(
                blob_call("HEAD", f"work/{PROBES}$"),
                200,
                headers={"x-ms-meta-hdi_isfolder": "true", "ETag": '"0x1"', "x-ms-blob-type": "BlockBlob"},
            ),
        ),
    ),
    "no event comes": Case({("events", ""): "az eventgrid event-subscription create"}, state=without_events),
    "events may be slow": Case({("events", ""): "Ask again in a minute"}, state=slow_events, kind="warning"),
    "the sweep does not run": Case({("heartbeat", ""): "az functionapp restart"}, state=stale),
    "the sweep has never run": Case(
        {("heartbeat", ""): "az functionapp restart"}, state=never_swept, kind="warning"
    ),
    "another hub owns the ledger": Case({("owner", ""): "-n owner.json"}, state=owned_by_another),
    "the text of the routes cannot be used": Case(
        {("routes", ""): "`dropscore routes rollback`"}, state=bad_routes
    ),
    "storage has another time": Case(
        {("clock", "storage"): "timedatectl"},
        storage=(
            answer(
                blob_call("GET", r"ledger\?restype=container$"),
                200,
                headers={
                    "Date": format_datetime(AN_HOUR_AGO, usegmt=True),
                    "ETag": '"0x1"',
                    "Last-Modified": format_datetime(AN_HOUR_AGO, usegmt=True),
                },
            ),
        ),
    ),
    "Azure ML has another time": Case({("clock", "azure-ml"): "timedatectl"}, azureml=(ARM_WORKSPACE,)),
    "storage is out of reach": Case(
        {("storage", ACCOUNT): "networkRuleSet"},
        ON_STORAGE,
        storage=({"do": "reset"},),
    ),
    "the account's firewall shuts us out": Case(
        {("storage", ACCOUNT): "networkRuleSet"},
        ON_STORAGE,
        storage=(answer("", 403, **storage_error("AuthorizationFailure")),),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_found_and_nothing_else(name: str, patient: Patient) -> None:
    case = CASES[name]
    with case.state(patient):
        patient.azureml(*case.azureml)
        patient.storage(*case.storage)
        found = patient.doctor()
        patient.calm()
    assert found.of("failed") | found.of("warning") == set(case.found)
    assert found.of(case.kind) == set(case.found)
    assert found.of("skipped") == {QUEUE, *case.skipped}
    for check, words in case.found.items():
        assert words in found.checks[check]["advice"]
    assert found.exit_code == (1 if case.kind == "failed" else 0)


def test_a_deployment_without_a_fault_has_none(patient: Patient) -> None:
    found = patient.doctor()
    assert found.of("ok") == {
        *(("settings", ""), ("versions", ""), ("storage", ACCOUNT), ("clock", "storage")),
        *(("token", ARM), ("token", ML), ("workspace", "local"), ("clock", "azure-ml")),
        *ON_STORAGE,
        *IN_WORKSPACE,
    }
    assert (found.exit_code, found.document["status"]) == (0, "ok")
    assert found.document["seconds"] < 5


def test_a_checkup_leaves_nothing_and_starts_nothing(patient: Patient) -> None:
    patient.doctor()
    for role in ROLES:
        listed = [blob.name for blob in patient.stack.container(role).list_blobs()]
        assert not [name for name in listed if name.startswith((PROBES, "runs/", "waiting/", "versions/"))]


def test_what_a_killed_checkup_has_left_is_deleted_and_nobodys_file_is(patient: Patient) -> None:
    left, young = f"{PROBES}/01H00000000000000000000000", f"{PROBES}/7ZZZZZZZZZZZZZZZZZZZZZZZZZ.csv"
    for name in (left, young, f"{PROBES}/clinic.csv"):
        patient.put("archive", name, b"x")
    assert patient.doctor().of("failed") == set()
    archive = patient.stack.container("archive")
    assert [blob.name for blob in archive.list_blobs()] == [young, f"{PROBES}/clinic.csv"]
    for name in (young, f"{PROBES}/clinic.csv"):
        archive.delete_blob(name)


def test_settings_that_cannot_be_used_are_named(patient: Patient) -> None:
    with patient.under(DROPSCORE_POLL_AT_MOST="soon"):
        found = patient.doctor()
    assert found.of("failed") == {("settings", "")}
    assert "DROPSCORE_POLL_AT_MOST" in found.checks["settings", ""]["says"]


def test_without_a_workspace_what_can_be_told_is_told(patient: Patient) -> None:
    with patient.under(DROPSCORE_WORKSPACE=""):
        found = patient.doctor()
    assert found.of("warning") == {("workspace", ""), ("scoring", "double"), ("scoring", "everything")}
    assert found.of("failed") == set()
    assert "DROPSCORE_WORKSPACE=" in found.checks["workspace", ""]["advice"]


class Queue(BaseHTTPRequestHandler):
    """The host's queue of events that it has given up: an answer's status, and how many there are."""

    status, count = 200, "0"

    def do_GET(self) -> None:
        assert self.path == "/webjobs-blobtrigger-poison?comp=metadata"
        self.send_response(self.status)
        self.send_header("x-ms-approximate-messages-count", self.count)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on the tests' stderr."""


@pytest.mark.parametrize(
    ("status", "count", "state", "advice"),
    [
        (200, "0", "ok", ""),
        (404, "", "ok", ""),
        (200, "3", "warning", "az storage message peek"),
        (403, "", "failed", '--role "Storage Queue Data Contributor"'),
    ],
)
def test_events_that_the_host_has_given_up_are_counted(
    status: int, count: str, state: str, advice: str, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Queue, "status", status)
    monkeypatch.setattr(Queue, "count", count)
    with ThreadingHTTPServer(("127.0.0.1", 0), Queue) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        with patient.under(DROPSCORE_STORAGE__queueServiceUri=f"http://127.0.0.1:{server.server_address[1]}"):
            found = patient.doctor()
        server.shutdown()
    assert found.checks[QUEUE]["state"] == state
    assert advice in found.checks[QUEUE]["advice"]
    assert found.of("failed") | found.of("warning") == ({QUEUE} if state != "ok" else set())


def test_the_key_is_asked_for_whatever_is_open(patient: Patient) -> None:
    with patient.under(**{KEY: "the key of this test", "DROPSCORE_READS": "open"}):
        url = f"{patient.stack.host_url}/api"
        assert requests.get(f"{url}/health", timeout=10).status_code == 200
        assert requests.get(f"{url}/health?deep=1", timeout=10).status_code == 401
        key = {"x-functions-key": "the key of this test"}
        assert requests.get(f"{url}/health?deep=1", headers=key, timeout=30).json()["checks"]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"do": "reset"}, "Storage is unreachable."),
        ({"do": "slow", "seconds": 30}, "Storage is unreachable."),
        (answer("", 403, **storage_error("AuthorizationFailure")), "Storage answers 403."),
    ],
    ids=["reset", "silent", "refused"],
)
def test_health_answers_within_seconds_where_storage_does_not(
    fault: Fault, why: str, patient: Patient
) -> None:
    patient.storage(fault)
    begun = time.monotonic()
    told = requests.get(f"{patient.stack.host_url}/api/health", timeout=30)
    assert time.monotonic() - begun < 6
    assert (told.status_code, told.json()["status"], told.json()["why"]) == (503, "broken", why)


def test_a_checkup_ends_also_where_nobody_answers(patient: Patient) -> None:
    patient.storage({"do": "slow", "seconds": 60})
    patient.azureml({"do": "slow", "seconds": 60, "on": "GET /subscriptions"})
    begun = time.monotonic()
    found = patient.doctor()
    assert time.monotonic() - begun < 25
    assert found.of("failed") == {("storage", ACCOUNT), ("workspace", "local")}


def test_nothing_secret_is_told(patient: Patient) -> None:
    patient.azureml(
        answer(r"GET /subscriptions", 403, {"error": {"message": "Bearer eyJhbGciOiJIUzI1NiJ9.x"}})
    )
    told = str(patient.doctor().document)
    secret = dict(part.split("=", 1) for part in patient.stack.connection_string.split(";") if part)
    assert secret["AccountKey"] not in told
    assert patient.stack.secret not in told
    assert "eyJ" not in told
