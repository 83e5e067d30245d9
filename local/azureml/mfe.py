"""The regional front end: discovery, and an endpoint's jobs on the dataplane, made, read and listed."""

from aiohttp import web

from .arm_requests import any_case
from .identity import TokenDenied
from .invoking import invoke, read_job
from .job_bodies import dataplane_job
from .pages import job_page
from .refusals import TOKEN_DENIED, Refusal, dataplane_refusal
from .service import Service
from .workspace import ARM_AUDIENCE, SCORING_AUDIENCE, WORKSPACE_ID

_ENDPOINT = f"/mferp/managementfrontend{WORKSPACE_ID}/batchEndpoints/{{endpoint}}"


class MfePlane:
    """What answers at {base}/discovery and {base}/mferp/…. Tokens of either audience open it."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """The plane's routes; jobs of an endpoint are found below each of its deployments, too."""
        places = [any_case(f"{_ENDPOINT}{below}/jobs") for below in ("", "/deployments/{deployment}")]
        return [
            web.get("/discovery", self.discovery),
            *(web.get(place, self.jobs) for place in places),
            *(web.post(place, self.invoke) for place in places),
            *(web.get(f"{place}/{{job}}", self.read_job) for place in places),
        ]

    async def discovery(self, request: web.Request) -> web.Response:
        """Where the services are: all of them here."""
        base = str(request.url.origin())
        return web.json_response({"api": base, "history": base, "studio": "https://ml.azure.com"})

    async def invoke(self, request: web.Request) -> web.Response:
        """Make a job: 201 with the job."""
        self._authorise(request)
        deployment = request.match_info.get("deployment")
        return await invoke(self._service, request, request.match_info["endpoint"], deployment)

    async def read_job(self, request: web.Request) -> web.Response:
        """A job of an endpoint."""
        self._authorise(request)
        return read_job(self._service, request.match_info["endpoint"], request.match_info["job"])

    async def jobs(self, request: web.Request) -> web.Response:
        """A page of an endpoint's jobs, or of one of its deployments, the newest first."""
        self._authorise(request)
        name = request.match_info["endpoint"]
        deployment = request.match_info.get("deployment") or request.query.get("deployment")
        if self._service.catalogue.endpoint(name) is None:
            raise dataplane_refusal(404, f"There is no batch endpoint {name}", "NotFound")
        return job_page(
            request,
            self._service,
            "$skiptoken",
            lambda job: job.endpoint == name and deployment in (None, job.deployment),
            dataplane_job,
        )

    def _authorise(self, request: web.Request) -> None:
        try:
            self._service.tokens.check(request.headers.get("Authorization"), SCORING_AUDIENCE, ARM_AUDIENCE)
        except TokenDenied:
            raise Refusal(401, TOKEN_DENIED) from None
        if not request.query.get("api-version"):
            raise dataplane_refusal(400, "The api-version query parameter is required")
