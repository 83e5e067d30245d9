"""Azure Resource Manager: the workspace, its jobs, operations, and every kind of resources below it.

Paths match in any case, and every request names an api-version, whichever.
"""

from aiohttp import web

from .all_kinds import kinds
from .arm_assets import ArmAssets
from .arm_requests import any_case, authorise, not_found, page
from .arm_resources import ArmResources
from .job_bodies import arm_job, arm_tags, child_job
from .jobs import Job
from .online_arm import OnlineActions
from .pages import job_page
from .refusals import arm_refusal
from .resource_bodies import workspace_resource
from .service import Service
from .workspace import OPERATIONS_ID, WORKSPACE_GUID, WORKSPACE_ID


class ArmPlane:
    """What answers at {base}/subscriptions/…."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """The plane's routes; the last one answers for everything that does not exist."""
        return [
            web.get(any_case(WORKSPACE_ID), self.workspace),
            web.get(any_case(WORKSPACE_ID.rpartition("/")[0]), self.workspaces),
            web.get(any_case(f"{WORKSPACE_ID}/jobs"), self.jobs),
            web.get(any_case(f"{WORKSPACE_ID}/jobs/{{job}}"), self.job),
            web.post(any_case(f"{WORKSPACE_ID}/jobs/{{job}}/cancel"), self.cancel),
            web.get(any_case(f"{OPERATIONS_ID}/mfeOperationsStatus/{{operation}}"), self.operation),
            web.get(any_case(f"{OPERATIONS_ID}/mfeOperationResults/{{operation}}"), self.result),
            *ArmAssets(self._service).routes(),
            *OnlineActions(self._service).routes(),
            *(route for kind in kinds(self._service) for route in ArmResources(kind).routes()),
            web.route("*", any_case("/subscriptions/{rest:.*}"), self.missing),
        ]

    async def workspace(self, request: web.Request) -> web.Response:
        """The workspace."""
        authorise(self._service.tokens, request)
        return web.json_response(workspace_resource(str(request.url.origin())))

    async def workspaces(self, request: web.Request) -> web.Response:
        """The one workspace there is."""
        authorise(self._service.tokens, request)
        return page([workspace_resource(str(request.url.origin()))])

    async def jobs(self, request: web.Request) -> web.Response:
        """A page of jobs, filtered by jobType, tag (`name` or `name=value`) and listViewType."""
        authorise(self._service.tokens, request)
        return job_page(request, self._service, "$skip", lambda job: _is_wanted(job, request), arm_job)

    async def job(self, request: web.Request) -> web.Response:
        """One job; of a child run only that it exists."""
        authorise(self._service.tokens, request)
        name = request.match_info["job"]
        if self._service.store.of_run(name) is not None:
            return web.json_response(child_job(name))
        return web.json_response(arm_job(self._service.shown(self._job(name))))

    async def cancel(self, request: web.Request) -> web.Response:
        """202 and the operation to poll. 400 for a job that is over (which code Azure gives is not known)."""
        authorise(self._service.tokens, request)
        job = self._job(request.match_info["job"])
        if job.finished:
            raise arm_refusal(400, f"The job {job.name} is {job.status} already and cannot be cancelled")
        self._service.cluster.cancel(job)
        operation = f"{OPERATIONS_ID}/mfeOperationResults/jc:{WORKSPACE_GUID}:{job.name}"
        location = f"{request.url.origin()}{operation}?api-version={request.query['api-version']}"
        headers = {"Location": location, "x-ms-async-operation-timeout": "PT1H"}
        return web.json_response(None, status=202, headers=headers)

    async def operation(self, request: web.Request) -> web.Response:
        """How far an operation is."""
        authorise(self._service.tokens, request)
        name = request.match_info["operation"]
        operation = self._service.resources.operation(name) or not_found(request.path)
        body = {"id": request.path, "name": name, "status": operation.status, "startTime": operation.started}
        ended = {"endTime": operation.ended} if operation.over else {}
        error = {"error": operation.error} if operation.error else {}
        return web.json_response(body | ended | error)

    async def result(self, request: web.Request) -> web.Response:
        """202 `{}` while a cancelled job or an operation ends, then 200 without a body."""
        authorise(self._service.tokens, request)
        name = request.match_info["operation"]
        if name.startswith("jc:"):
            over = self._job(name.rpartition(":")[2]).finished
        else:
            over = (self._service.resources.operation(name) or not_found(request.path)).over
        return web.Response() if over else web.json_response({}, status=202)

    async def missing(self, request: web.Request) -> web.Response:
        """404 for any other resource."""
        authorise(self._service.tokens, request)
        not_found(request.path)

    def _job(self, name: str) -> Job:
        job = self._service.store.get(name)
        if job is None:
            raise arm_refusal(404, f"The job {name} was not found in this workspace", "ResourceNotFound")
        return job


def _is_wanted(job: Job, request: web.Request) -> bool:
    """Whether a job passes the filters of a list; all jobs here are active ones of the type Pipeline."""
    query = request.query
    name, _, value = query.get("tag", "").partition("=")
    tagged = not name or (name in arm_tags(job) and (not value or arm_tags(job)[name] == value))
    active = query.get("listViewType", "ActiveOnly") != "ArchivedOnly"
    return tagged and active and query.get("jobType", "Pipeline").lower() == "pipeline"
