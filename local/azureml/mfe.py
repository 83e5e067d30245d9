"""The regional front end: discovery, and the dataplane's list of an endpoint's jobs."""

from aiohttp import web

from .arm_requests import any_case
from .identity import TokenDenied
from .job_bodies import dataplane_job
from .pages import job_page
from .refusals import TOKEN_DENIED, Refusal, dataplane_refusal
from .service import Service
from .workspace import ARM_AUDIENCE, SCORING_AUDIENCE, WORKSPACE_ID

_ENDPOINT = f"/mferp/managementfrontend{WORKSPACE_ID}/batchEndpoints/{{endpoint}}"


class MfePlane:
    """What answers at {base}/discovery and {base}/mferp/…."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """The plane's routes."""
        return [
            web.get("/discovery", self.discovery),
            web.get(any_case(f"{_ENDPOINT}/jobs"), self.jobs),
        ]

    async def discovery(self, request: web.Request) -> web.Response:
        """Where the services are: all of them here."""
        base = str(request.url.origin())
        return web.json_response({"api": base, "history": base, "studio": "https://ml.azure.com"})

    async def jobs(self, request: web.Request) -> web.Response:
        """A page of an endpoint's jobs, the newest first; tokens of either audience open it."""
        try:
            self._service.tokens.check(request.headers.get("Authorization"), SCORING_AUDIENCE, ARM_AUDIENCE)
        except TokenDenied:
            raise Refusal(401, TOKEN_DENIED) from None
        if not request.query.get("api-version"):
            raise dataplane_refusal(400, "The api-version query parameter is required")
        name, deployment = request.match_info["endpoint"], request.query.get("deployment")
        if self._service.catalogue.endpoint(name) is None:
            raise dataplane_refusal(404, f"There is no batch endpoint {name}", "NotFound")
        return job_page(
            request,
            self._service,
            "$skiptoken",
            lambda job: job.endpoint == name and deployment in (None, job.deployment),
            dataplane_job,
        )
