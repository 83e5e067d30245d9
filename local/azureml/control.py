"""The control plane, for tests only. `/control/faults` sets what goes wrong (see local/faults/http.py).

`POST /control/jobs/{job}` changes a job behind its owner's back:

    {"report": "Mystery"}            the job is shown with that status; null shows the true one again
    {"cancel": true}                 somebody cancels it in the studio

No token is needed. 400 answers an unknown wish, 404 an unknown job.
"""

from aiohttp import web

from local.faults.http import control_routes

from .refusals import dataplane_refusal, json_document
from .service import Service


class ControlPlane:
    """What answers at {base}/control/…."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """The plane's routes."""
        return [*control_routes(self._service.faults), web.post("/control/jobs/{job}", self.job)]

    async def job(self, request: web.Request) -> web.Response:
        """Change what a job reports, or cancel it."""
        service, name = self._service, request.match_info["job"]
        wish = await json_document(request)
        job = service.store.get(name)
        if job is None:
            raise dataplane_refusal(404, f"There is no job {name}", "NotFound")
        match wish:
            case {"report": str(status)}:
                service.troubles.reported[name] = status
            case {"report": None}:
                service.troubles.reported.pop(name, None)
            case {"cancel": True}:
                service.cluster.cancel(job)
            case _:
                raise dataplane_refusal(400, f"{wish!r} is no wish: give report or cancel")
        return web.Response(status=204)
