"""The Azure Resource Manager plane: the workspace, its jobs, endpoints and datastore.

Paths match in any case, and every request names an api-version, whichever.
"""

import re
from typing import NoReturn

from aiohttp import web

from .identity import TokenDenied
from .job_bodies import arm_job, arm_tags
from .jobs import Job
from .pages import job_page
from .refusals import arm_refusal
from .resource_bodies import datastore_resource, deployment_resource, endpoint_resource, workspace_resource
from .service import Service
from .workspace import ARM_AUDIENCE, DATASTORE, LOCATION, SUBSCRIPTION, WORKSPACE_GUID, WORKSPACE_ID

_OPERATION = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/locations/{LOCATION}"


class ArmPlane:
    """What answers at {base}/subscriptions/…."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """The plane's routes; the last one answers for everything that does not exist."""
        return [
            web.get(any_case(WORKSPACE_ID), self.workspace),
            web.get(any_case(f"{WORKSPACE_ID}/jobs"), self.jobs),
            web.get(any_case(f"{WORKSPACE_ID}/jobs/{{job}}"), self.job),
            web.post(any_case(f"{WORKSPACE_ID}/jobs/{{job}}/cancel"), self.cancel),
            web.get(any_case(f"{_OPERATION}/mfeOperationResults/{{operation}}"), self.cancelled),
            web.get(any_case(f"{WORKSPACE_ID}/batchEndpoints/{{endpoint}}"), self.endpoint),
            web.get(any_case(f"{WORKSPACE_ID}/batchEndpoints/{{endpoint}}/deployments"), self.deployments),
            web.get(
                any_case(f"{WORKSPACE_ID}/batchEndpoints/{{endpoint}}/deployments/{{name}}"), self.deployment
            ),
            web.get(any_case(f"{WORKSPACE_ID}/datastores"), self.datastores),
            web.get(any_case(f"{WORKSPACE_ID}/datastores/{{name}}"), self.datastore),
            web.route("*", any_case("/subscriptions/{rest:.*}"), self.missing),
        ]

    async def workspace(self, request: web.Request) -> web.Response:
        """The workspace."""
        self._authorise(request)
        return web.json_response(workspace_resource(str(request.url.origin())))

    async def jobs(self, request: web.Request) -> web.Response:
        """A page of jobs, filtered by jobType, tag (`name` or `name=value`) and listViewType."""
        self._authorise(request)
        return job_page(request, self._service, "$skip", lambda job: _is_wanted(job, request), arm_job)

    async def job(self, request: web.Request) -> web.Response:
        """One job."""
        self._authorise(request)
        return web.json_response(arm_job(self._service.shown(self._job(request.match_info["job"]))))

    async def cancel(self, request: web.Request) -> web.Response:
        """202 and the operation to poll. 400 for a job that is over (which code Azure gives is not known)."""
        self._authorise(request)
        job = self._job(request.match_info["job"])
        if job.finished:
            raise arm_refusal(400, f"The job {job.name} is {job.status} already and cannot be cancelled")
        self._service.cluster.cancel(job)
        operation = f"{_OPERATION}/mfeOperationResults/jc:{WORKSPACE_GUID}:{job.name}"
        location = f"{request.url.origin()}{operation}?api-version={request.query['api-version']}"
        headers = {"Location": location, "x-ms-async-operation-timeout": "PT1H"}
        return web.json_response(None, status=202, headers=headers)

    async def cancelled(self, request: web.Request) -> web.Response:
        """202 `{}` while a cancelled job ends, then 200 without a body."""
        self._authorise(request)
        if self._job(request.match_info["operation"].rpartition(":")[2]).finished:
            return web.Response()
        return web.json_response({}, status=202)

    async def endpoint(self, request: web.Request) -> web.Response:
        """One batch endpoint."""
        self._authorise(request)
        endpoint = self._service.endpoints.get(request.match_info["endpoint"]) or _not_found(request)
        return web.json_response(endpoint_resource(endpoint, str(request.url.origin())))

    async def deployments(self, request: web.Request) -> web.Response:
        """The deployments of an endpoint."""
        self._authorise(request)
        endpoint = self._service.endpoints.get(request.match_info["endpoint"]) or _not_found(request)
        bodies = [deployment_resource(deployment) for deployment in endpoint.deployments.values()]
        return web.json_response({"value": bodies, "nextLink": None})

    async def deployment(self, request: web.Request) -> web.Response:
        """One deployment."""
        self._authorise(request)
        endpoint = self._service.endpoints.get(request.match_info["endpoint"]) or _not_found(request)
        deployment = endpoint.deployments.get(request.match_info["name"]) or _not_found(request)
        return web.json_response(deployment_resource(deployment))

    async def datastores(self, request: web.Request) -> web.Response:
        """The one datastore, which is the default; none where others are asked for."""
        self._authorise(request)
        wanted = request.query.get("isDefault", "true").lower() == "true"
        return web.json_response({"value": [self._datastore()] if wanted else [], "nextLink": None})

    async def datastore(self, request: web.Request) -> web.Response:
        """The one datastore."""
        self._authorise(request)
        return web.json_response(
            self._datastore() if request.match_info["name"] == DATASTORE else _not_found(request)
        )

    async def missing(self, request: web.Request) -> web.Response:
        """404 for any other resource."""
        self._authorise(request)
        _not_found(request)

    def _authorise(self, request: web.Request) -> None:
        """Raise Refusal without a token for ARM, and without an api-version."""
        try:
            self._service.tokens.check(request.headers.get("Authorization"), ARM_AUDIENCE)
        except TokenDenied as denied:
            raise arm_refusal(
                401, f"The access token is invalid: {denied}", "InvalidAuthenticationToken"
            ) from None
        if not request.query.get("api-version"):
            message = "The api-version query parameter (?api-version=) is required for all requests."
            raise arm_refusal(400, message, "MissingApiVersionParameter")

    def _job(self, name: str) -> Job:
        job = self._service.store.get(name)
        if job is None:
            raise arm_refusal(404, f"The job {name} was not found in this workspace", "ResourceNotFound")
        return job

    def _datastore(self) -> dict[str, object]:
        return datastore_resource(self._service.storage.account, self._service.storage.url)


def any_case(path: str) -> str:
    """A route path whose fixed segments match in any case; the {variables} keep theirs."""
    segments = path.strip("/").split("/")
    return "".join(
        f"/{segment}" if segment.startswith("{") else f"/{{_{index}:(?i:{re.escape(segment)})}}"
        for index, segment in enumerate(segments)
    )


def _is_wanted(job: Job, request: web.Request) -> bool:
    """Whether a job passes the filters of a list; all jobs here are active ones of the type Pipeline."""
    query = request.query
    name, _, value = query.get("tag", "").partition("=")
    tagged = not name or (name in arm_tags(job) and (not value or arm_tags(job)[name] == value))
    active = query.get("listViewType", "ActiveOnly") != "ArchivedOnly"
    return tagged and active and query.get("jobType", "Pipeline").lower() == "pipeline"


def _not_found(request: web.Request) -> NoReturn:
    raise arm_refusal(404, f"The resource {request.path} was not found.", "ResourceNotFound")
