"""Azure ML as Azure Resource Manager shows it: a workspace, its jobs, its datastores, and its clock."""

from functools import partial

import requests
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

from shared import azureml
from shared.checkup import commands
from shared.checkup.endpoints import Target, check_scoring, check_target
from shared.checkup.findings import Check, Examination, Finding, at_once
from shared.checkup.storage import clock_of
from shared.checkup.surroundings import Surroundings, said_by
from shared.errors import StageFailed

SCIENTIST = "AzureML Data Scientist"
READER = "Storage Blob Data Reader"
WITHIN_A_WORKSPACE = 8.0


def check_token(around: Surroundings, audience: str, setting: str) -> list[Finding]:
    """Whether the identity gets a token for an audience, which other checks then use."""
    check = Check("token", audience)
    try:
        around.tokens[audience] = around.own.get_token(f"{audience}/.default").token
    except AzureError as problem:
        assign = around.home.assign_identity()
        told = f"{assign}; for a user-assigned identity set AZURE_CLIENT_ID; {setting} names the audience"
        return [check.failed(f"the identity gets none: {said_by(problem)}", told)]
    return [check.ok("the identity gets one")]


def check_workspace(around: Surroundings, workspace: str, targets: list[Target]) -> list[Finding]:
    """The workspace; where that can be read also its jobs, its datastores, and what the routes lead to."""
    check = Check("workspace", short(workspace))
    if not workspace:
        ways_in = [check_scoring(around, Check("scoring", one.routes), one) for one in targets]
        says = "none is set: a submission whose answer is lost cannot be searched for"
        told = around.home.setting(f"DROPSCORE_WORKSPACE={commands.WORKSPACE_ID}")
        return [check.warning(says, told), *ways_in]
    answer = asked(around, check, workspace)
    if isinstance(answer, Finding):
        return [answer, *skipped(workspace, targets)]
    clock = clock_of("azure-ml", answer.headers.get("Date"))
    jobs = Examination(Check("jobs", short(workspace)), partial(check_jobs, around, workspace))
    datastores = [
        Examination(Check("datastore", one), partial(check_datastore, around, workspace, one))
        for one in datastores_of(targets)
    ]
    endpoints = [
        Examination(Check("endpoint", one.routes), partial(check_target, around, one)) for one in targets
    ]
    told_of = at_once([jobs, *datastores, *endpoints], WITHIN_A_WORKSPACE)
    return [check.ok("it can be read"), clock, *told_of]


def short(workspace: str) -> str:
    return workspace.rsplit("/", 1)[-1]


def datastores_of(targets: list[Target]) -> list[str]:
    return sorted({target.datastore for target in targets})


def skipped(workspace: str, targets: list[Target]) -> list[Finding]:
    """What could be asked only of a workspace that can be read."""
    checks = [Check("jobs", short(workspace)), *(Check("datastore", one) for one in datastores_of(targets))]
    checks += [Check(name, one.routes) for one in targets for name in ("endpoint", "deployment", "scoring")]
    return [check.skipped(f"the workspace {short(workspace)} cannot be read") for check in checks]


def asked(around: Surroundings, check: Check, path: str) -> requests.Response | Finding:
    """What ARM answers to a GET below its address, or the finding that it is of no use."""
    arm, audience = around.settings.arm_url, around.settings.arm_audience
    if audience not in around.tokens:
        return check.skipped(f"there is no token for {audience}")
    try:
        answer = around.get(f"{arm}{path}", audience, azureml.ARM_VERSION)
    except requests.RequestException as problem:
        told = "Look at DROPSCORE_ARM_URL, and whether the app's network lets it out."
        return check.failed(f"{arm} is unreachable ({type(problem).__name__})", told)
    return answer if answer.ok else refused(around, check, path, answer)


def refused(around: Surroundings, check: Check, path: str, answer: requests.Response) -> Finding:
    """What an answer means that is no resource, and what to type."""
    says, workspace = azureml.refusal(answer), azureml.workspace_of(path)
    if answer.status_code == 401:
        told = around.home.setting("DROPSCORE_ARM_AUDIENCE=https://management.azure.com")
        return check.failed(f"the token for {around.settings.arm_audience} is refused: {says}", told)
    if answer.status_code == 403:
        return check.failed(says, around.grant(SCIENTIST, workspace))
    if answer.status_code != 404:
        return check.failed(says, commands.UNWELL)
    if check.name == "datastore":
        return check.failed(says, commands.other_datastore(workspace))
    other = around.home.setting("DROPSCORE_WORKSPACE=ITS-ID")
    return check.failed(says, f"az ml workspace list -o table, then: {other}")


def check_jobs(around: Surroundings, workspace: str) -> list[Finding]:
    """Whether jobs can be listed: so a job is found again whose answer was lost."""
    check = Check("jobs", short(workspace))
    answer = asked(around, check, f"{workspace}/jobs")
    return [answer if isinstance(answer, Finding) else check.ok("they can be listed")]


def check_datastore(around: Surroundings, workspace: str, name: str) -> list[Finding]:
    """Whether it is a blob datastore, and the identity may read its container."""
    check = Check("datastore", name)
    answer = asked(around, check, f"{workspace}/datastores/{name}")
    if isinstance(answer, Finding):
        return [answer]
    try:
        place = azureml.place_of(answer.json(), name)
        credentials = azureml.properties(answer.json()).get("credentials") or {}
    except StageFailed as problem:
        return [check.failed(str(problem), commands.other_datastore(workspace))]
    except (KeyError, TypeError, ValueError):
        return [check.failed("its description cannot be read", commands.other_datastore(workspace))]
    kind = str(credentials.get("credentialsType") or "None")
    return [unreadable(around, check, place) or kept_with(check, place, kind)]


def unreadable(around: Surroundings, check: Check, place: azureml.Place) -> Finding | None:
    """Why the datastore's container cannot be read, if it cannot."""
    name, own = place.url.rsplit("/", 1)[1], place.account == around.account
    container = around.storage.get_container_client(name) if own else around.foreign_container(place.url)
    try:
        next(iter(container.list_blob_names(results_per_page=1)), None)
    except ResourceNotFoundError:
        create = commands.create_container(place.account, name)
        return check.failed(f"the account {place.account} has no container {name}", create)
    except AzureError as problem:
        answered = isinstance(problem, HttpResponseError) and problem.status_code
        grant = around.grant(READER, commands.container_id(place.account, name))
        told = grant if answered else commands.network_rules(place.account)
        return check.failed(f"{place.account}/{name} cannot be read: {said_by(problem)}", told)
    return None


def kept_with(check: Check, place: azureml.Place, kind: str) -> Finding:
    """A datastore without credentials leaves writing to the cluster's identity; that this works is not documented."""
    if kind.lower() != "none":
        return check.ok(f"{place.account}/{place.url.rsplit('/', 1)[1]} can be read")
    says = "it has no credentials: jobs write with the identity of their cluster, which may not be allowed to"
    return check.warning(says, "Prove it: `dropscore doctor --job --route ROUTE --sample FILE`")
