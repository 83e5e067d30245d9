"""The scoring plane: an endpoint is invoked at its scoring URI, and its jobs are read below it."""

from aiohttp import web

from .identity import TokenDenied
from .invoking import DEPLOYMENT_HEADER, invoke, read_job
from .refusals import TOKEN_DENIED, Refusal
from .service import Service
from .workspace import SCORING_AUDIENCE


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
        deployment = request.headers.get(DEPLOYMENT_HEADER)
        return await invoke(self._service, request, request.match_info["endpoint"], deployment)

    async def read_job(self, request: web.Request) -> web.Response:
        """A job of this endpoint."""
        self._authorise(request)
        return read_job(self._service, request.match_info["endpoint"], request.match_info["job"])

    def _authorise(self, request: web.Request) -> None:
        try:
            self._service.tokens.check(request.headers.get("Authorization"), SCORING_AUDIENCE)
        except TokenDenied:
            raise Refusal(401, TOKEN_DENIED) from None
