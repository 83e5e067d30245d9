"""The control plane, for tests only: what the service should do wrong next.

`POST /control/invoke` queues behaviours, one or a list, each for one of the next authorised invokes:

    {"do": "reset-before-create"}    the connection is reset, no job is made
    {"do": "reset-after-create"}     a job is made, then the connection is reset without an answer
    {"do": "answer", "status": 500, "create": true, "headers": {}, "body": ""}
                                     that answer is given; a job is made only where `create` says so.
                                     A `body` that is not a string is sent as JSON

`POST /control/jobs/{job}` changes a job behind its owner's back:

    {"report": "Mystery"}            the job is shown with that status; null shows the true one again
    {"cancel": true}                 somebody cancels it in the studio

No token is needed. 400 answers an unknown behaviour, 404 an unknown job.
"""

from aiohttp import web

from .refusals import dataplane_refusal, json_document
from .service import Service


class ControlPlane:
    """What answers at {base}/control/…."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """The plane's routes."""
        return [web.post("/control/invoke", self.invoke), web.post("/control/jobs/{job}", self.job)]

    async def invoke(self, request: web.Request) -> web.Response:
        """Queue behaviours."""
        return web.json_response({"queued": self._service.behaviours.queue(await json_document(request))})

    async def job(self, request: web.Request) -> web.Response:
        """Change what a job reports, or cancel it."""
        service, name = self._service, request.match_info["job"]
        wish = await json_document(request)
        job = service.store.get(name)
        if job is None:
            raise dataplane_refusal(404, f"There is no job {name}", "NotFound")
        match wish:
            case {"report": str(status)}:
                service.reported[name] = status
            case {"report": None}:
                service.reported.pop(name, None)
            case {"cancel": True}:
                service.cluster.cancel(job)
            case _:
                raise dataplane_refusal(400, f"{wish!r} is no wish: give report or cancel")
        return web.Response(status=204)
