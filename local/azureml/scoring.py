"""The scoring plane: an endpoint is invoked at its scoring URI, and its jobs are read below it."""

from aiohttp import web

from .deployments import Deployment
from .identity import TokenDenied
from .invocation import Invocation, read_invocation
from .job_bodies import dataplane_job
from .jobs import Job
from .reading import InvalidBody
from .refusals import TOKEN_DENIED, Refusal, dataplane_refusal, json_document
from .service import Service
from .workspace import DATAPLANE_API_VERSION, SCORING_AUDIENCE, WORKSPACE_ID

NO_DEPLOYMENT = (
    "No valid deployments to route to. Please check that the endpoint has at least one deployment "
    "with positive weight values or use a deployment specific header to route."
)
DEPLOYMENT_HEADER = "azureml-model-deployment"


class ScoringPlane:
    """What answers at {base}/endpoints/{endpoint}/jobs."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """The plane's routes."""
        return [
            web.post("/endpoints/{endpoint}/jobs", self.invoke),
            web.get("/endpoints/{endpoint}/jobs/{job}", self.read_job),
        ]

    async def invoke(self, request: web.Request) -> web.Response:
        """Make a job: 201 with the job."""
        self._authorise(request)
        return _created(await self._create(request), request)

    async def read_job(self, request: web.Request) -> web.Response:
        """A job of this endpoint."""
        self._authorise(request)
        job = self._service.store.get(request.match_info["job"])
        if job is None or job.endpoint != request.match_info["endpoint"]:
            raise dataplane_refusal(
                404, f"There is no job {request.match_info['job']} of this endpoint", "NotFound"
            )
        return web.json_response(dataplane_job(self._service.shown(job)))

    def _authorise(self, request: web.Request) -> None:
        try:
            self._service.tokens.check(request.headers.get("Authorization"), SCORING_AUDIENCE)
        except TokenDenied:
            raise Refusal(401, TOKEN_DENIED) from None

    async def _create(self, request: web.Request) -> Job:
        deployment = self._deployment(request)
        invocation = self._invocation(await json_document(request), deployment)
        return self._service.create_job(
            deployment, invocation, request.headers.get("repeatability_request-id")
        )

    def _deployment(self, request: web.Request) -> Deployment:
        """The deployment the header names, else the endpoint's default one."""
        endpoint = self._service.catalogue.endpoint(request.match_info["endpoint"])
        name = request.headers.get(DEPLOYMENT_HEADER) or (endpoint and endpoint.default_deployment)
        found = self._service.catalogue.deployment(endpoint.name, name) if endpoint and name else None
        if found is None:
            raise dataplane_refusal(404, NO_DEPLOYMENT, "NotFound")
        return found

    def _invocation(self, document: object, deployment: Deployment) -> Invocation:
        try:
            return read_invocation(document, deployment.settings, self._service.places)
        except InvalidBody as error:
            raise dataplane_refusal(400, str(error)) from None


def _created(job: Job, request: web.Request) -> web.Response:
    """201. `Location` is the deployment's address, not the job's, as recorded."""
    location = (
        f"{request.url.origin()}/mferp/managementfrontend{WORKSPACE_ID}/batchEndpoints/{job.endpoint}"
        f"/deployments/{job.deployment}?api-version={DATAPLANE_API_VERSION}"
    )
    headers = {DEPLOYMENT_HEADER: job.deployment, "Location": location, "x-ms-response-type": "standard"}
    return web.json_response(dataplane_job(job), status=201, headers=headers)
