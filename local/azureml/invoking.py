"""What both ways to invoke an endpoint share: its scoring URI, and the regional front end."""

from aiohttp import web

from .deployments import Deployment, PipelineDeployment
from .invocation import read_invocation
from .job_bodies import dataplane_job
from .reading import InvalidBody
from .refusals import dataplane_refusal, json_document
from .service import Service
from .workspace import DATAPLANE_API_VERSION, WORKSPACE_ID

DEPLOYMENT_HEADER = "azureml-model-deployment"
_UNROUTED_TYPE = "Microsoft.MachineLearningServices/workspaces/batchEndpoints/jobs"
NO_DEPLOYMENT = (
    "No valid deployments to route to. Please check that the endpoint has at least one deployment "
    "with positive weight values or use a deployment specific header to route."
)


async def invoke(service: Service, request: web.Request, endpoint: str, name: str | None) -> web.Response:
    """Make a job of the named deployment, else of the endpoint's default one: 201 with the job.

    `Location` is the deployment's address, not the job's, and the job of a pipeline whose deployment is not named has
    an id without its endpoint: both are recorded. Raises Refusal.
    """
    deployment = _deployment(service, endpoint, name)
    try:
        invocation = read_invocation(await json_document(request), deployment, service.places)
    except InvalidBody as error:
        raise dataplane_refusal(400, str(error)) from None
    job = service.create_job(deployment, invocation, request.headers.get("repeatability_request-id"))
    location = (
        f"{request.url.origin()}/mferp/managementfrontend{WORKSPACE_ID}/batchEndpoints/{job.endpoint}"
        f"/deployments/{job.deployment}?api-version={DATAPLANE_API_VERSION}"
    )
    headers = {DEPLOYMENT_HEADER: job.deployment, "Location": location, "x-ms-response-type": "standard"}
    body = dataplane_job(job)
    if job.component is not None and name is None:
        body |= {"id": f"{WORKSPACE_ID}/batchEndpoints//jobs/{job.name}", "type": _UNROUTED_TYPE}
    return web.json_response(body, status=201, headers=headers)


def read_job(service: Service, endpoint: str, name: str) -> web.Response:
    """A job of an endpoint. Raises Refusal where it has none of that name."""
    job = service.store.get(name)
    if job is None or job.endpoint != endpoint:
        raise dataplane_refusal(404, f"There is no job {name} of this endpoint", "NotFound")
    return web.json_response(dataplane_job(service.shown(job)))


def _deployment(service: Service, endpoint: str, name: str | None) -> Deployment | PipelineDeployment:
    known = service.catalogue.endpoint(endpoint)
    routed = name or (known.default_deployment if known else None)
    found = service.catalogue.deployment(known.name, routed) if known and routed else None
    if found is None:
        raise dataplane_refusal(404, NO_DEPLOYMENT, "NotFound")
    return found
