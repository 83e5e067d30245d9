"""Azure ML, as routes use it: the endpoint, the deployment that would score, and whether the app is let in."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import requests

from shared import azureml
from shared.checkup import commands
from shared.checkup.findings import Check, Finding
from shared.checkup.surroundings import Surroundings
from shared.routes import Route

# A job that nobody has made: asking for it takes the same token as a POST, and costs nothing.
NO_JOB = "dropscore-doctor"
USUAL_AUDIENCE = "https://ml.azure.com"


@dataclass
class Target:
    """What one or more routes submit to."""

    model: str
    deployment: str
    datastore: str
    workspace: str
    names: list[str] = field(default_factory=list)

    @property
    def routes(self) -> str:
        return ", ".join(self.names)

    @property
    def endpoint(self) -> str:
        return azureml.endpoint_of(self.model)


def targets_of(routes: Iterable[Route], usual_workspace: str) -> list[Target]:
    """Each target once, with the routes that lead to it."""
    found: dict[tuple[str, str, str, str], Target] = {}
    for route in routes:
        key = (route.model, route.deployment, route.datastore, route.workspace or usual_workspace)
        found.setdefault(key, Target(*key)).names.append(route.name)
    return list(found.values())


def check_target(around: Surroundings, target: Target) -> list[Finding]:
    """The endpoint, then its deployment, then the way in."""
    endpoint, deployment, scoring = (
        Check(one, target.routes) for one in ("endpoint", "deployment", "scoring")
    )
    answer = resource(around, target, "")
    if isinstance(answer, str):
        told = commands.other_endpoint(target.workspace, target.names[0])
        rest = [one.skipped(f"the endpoint {target.endpoint} is not there") for one in (deployment, scoring)]
        return [endpoint.failed(f"{target.endpoint}: {answer}", told), *rest]
    found = check_deployment(around, deployment, target, answer)
    return [endpoint.ok(target.endpoint), found, check_scoring(around, scoring, target, known=True)]


def resource(around: Surroundings, target: Target, below: str) -> dict[str, Any] | str:
    """The properties of the endpoint, or of what is `below` it, or why they cannot be had."""
    settings = around.settings
    url = f"{settings.arm_url}{target.workspace}/batchEndpoints/{target.endpoint}{below}"
    try:
        answer = around.get(url, settings.arm_audience, azureml.ARM_VERSION)
        return azureml.properties(answer.json()) if answer.ok else azureml.refusal(answer)
    except requests.JSONDecodeError:
        return "the answer is no JSON"
    except requests.RequestException as problem:
        return f"unreachable ({type(problem).__name__})"


def check_deployment(around: Surroundings, check: Check, target: Target, endpoint: dict[str, Any]) -> Finding:
    """The deployment that the route names, or the endpoint's default one, and whether it was ever finished."""
    defaults = endpoint.get("defaults")
    name = target.deployment or (defaults.get("deploymentName") if isinstance(defaults, dict) else "")
    if not name:
        told = commands.default_deployment(target.workspace, target.endpoint)
        return check.failed(f"{target.endpoint} has no default deployment, and the route names none", told)
    found = resource(around, target, f"/deployments/{name}")
    if isinstance(found, str):
        told = commands.other_deployment(target.workspace, target.endpoint, target.names[0])
        return check.failed(f"{target.endpoint}/{name}: {found}", told)
    state = str(found.get("provisioningState") or "Succeeded")
    if state != "Succeeded":
        told = commands.show_deployment(target.workspace, target.endpoint, name)
        return check.failed(f"{target.endpoint}/{name} is {state}", told)
    return check.ok(f"{target.endpoint}/{name}")


def check_scoring(around: Surroundings, check: Check, target: Target, *, known: bool = False) -> Finding:
    """Whether the scoring URL takes our token. `known`: the endpoint is there, so that 404 is said of the job."""
    audience = around.settings.scoring_audience
    if audience not in around.tokens:
        return check.skipped(f"there is no token for {audience}")
    try:
        answer = around.get(f"{target.model}/{NO_JOB}", audience)
    except requests.RequestException as problem:
        told = "Look at the route's `model`, and whether the app's network lets it out."
        return check.failed(f"{target.model} is unreachable ({type(problem).__name__})", told)
    return way_in(around, check, target, answer, known=known)


def way_in(
    around: Surroundings, check: Check, target: Target, answer: requests.Response, *, known: bool
) -> Finding:
    """What an answer to a question after no job says of the way in."""
    says, status = f"{target.model}: {azureml.refusal(answer)}", answer.status_code
    if status == 401 and around.settings.scoring_audience != USUAL_AUDIENCE:
        return check.failed(says, around.home.setting(f"DROPSCORE_SCORING_AUDIENCE={USUAL_AUDIENCE}"))
    if status in (401, 403):
        grant = around.grant("AzureML Data Scientist", target.workspace or commands.WORKSPACE_ID)
        return check.failed(says, grant)
    if status == 404 and not known:
        told = around.home.setting(f"DROPSCORE_WORKSPACE={commands.WORKSPACE_ID}")
        return check.warning("whether it is there cannot be told without the workspace", told)
    if status == azureml.THROTTLED or status >= 500:
        return check.failed(says, commands.UNWELL)
    return check.ok("it lets the app in")
