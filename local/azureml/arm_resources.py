"""Azure Resource Manager's resources below the workspace: listed, read, made, changed and deleted, kind by kind."""

from dataclasses import replace
from typing import Any

from aiohttp import web

from .arm_requests import any_case, authorise, not_found, page
from .clock import now
from .identity import PRINCIPAL, TENANT
from .kinds import Kind
from .reading import InvalidBody, members, strings
from .refusals import arm_refusal, json_document
from .resources import CHANGING, Resource
from .workspace import DATASTORE, LOCATION, OPERATIONS_ID, WORKSPACE_ID, id_of

_TYPE = "Microsoft.MachineLearningServices/workspaces"
_READ_ONLY = ("id", "name", "type", "systemData", "etag")
_TOP_LEVEL = ("properties", "tags", "location", "identity", "sku", "kind", *_READ_ONLY)


class ArmResources:
    """What answers at {workspace}/… for one kind of resources."""

    def __init__(self, kind: Kind) -> None:
        self._service = kind.service
        self._kind = kind

    def routes(self) -> list[web.RouteDef]:
        """The kind's routes."""
        segments = self._kind.path.split("/")
        names = [f"{{name{index}}}" for index in range(len(segments))]
        below = "/".join(part for pair in zip(segments, names, strict=True) for part in pair)
        one = any_case(f"{WORKSPACE_ID}/{below}")
        return [
            web.get(one.rpartition("/")[0], self.list),
            web.get(one, self.get),
            web.put(one, self.put),
            web.patch(one, self.patch),
            web.delete(one, self.delete),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """Those of one parent."""
        authorise(self._service.tokens, request)
        parent = "/".join(self._path(request).split("/")[:-1])
        self._require_parent(parent)
        found = self._service.resources.listed(self._kind.path, parent)
        return page(self._body(one) for one in _filtered(found, request))

    async def get(self, request: web.Request) -> web.Response:
        """One of them."""
        authorise(self._service.tokens, request)
        return web.json_response(self._body(self._found(request)))

    async def put(self, request: web.Request) -> web.Response:
        """Make one, or change it to what is given: 201 or 200, and an operation to poll where that takes time."""
        authorise(self._service.tokens, request)
        try:
            given = _read(await json_document(request), self._path(request))
        except InvalidBody as error:
            raise arm_refusal(400, str(error)) from None
        self._require_parent(given.parent)
        return self._keep(given, request)

    async def patch(self, request: web.Request) -> web.Response:
        """Change the properties and tags that are given."""
        authorise(self._service.tokens, request)
        before, document = self._found(request), await json_document(request)
        try:
            changes = members(document, _TOP_LEVEL, "the body")
            properties = before.properties | dict(changes.get("properties") or {})
            tags = before.tags | strings(changes, "tags")
        except InvalidBody as error:
            raise arm_refusal(400, str(error)) from None
        return self._keep(replace(before, properties=properties, tags=tags, modified=now()), request)

    async def delete(self, request: web.Request) -> web.Response:
        """202 and an operation to poll, or 200 at once; 204 where there is nothing."""
        authorise(self._service.tokens, request)
        found = self._service.resources.get(self._path(request))
        if found is None:
            return web.Response(status=204)
        try:
            self._kind.check_removal(found)
        except InvalidBody as error:
            raise arm_refusal(400, str(error)) from None
        if self._kind.prefix is None:
            self._service.resources.delete(found.path)
            return web.Response()
        _refuse_while_changing(found)
        deleted = replace(found, state="Deleting")
        self._service.resources.put(deleted)
        headers = self._begin(deleted, request)
        headers["Location"] = headers["Azure-AsyncOperation"].replace("OperationsStatus", "OperationResults")
        return web.json_response(None, status=202, headers=headers)

    def _keep(self, given: Resource, request: web.Request) -> web.Response:
        before = self._service.resources.get(given.path)
        if before is not None:
            _refuse_while_changing(before)
            given = replace(given, created=before.created)
        try:
            kept = self._kind.checked(given)
        except InvalidBody as error:
            raise arm_refusal(400, str(error)) from None
        self._refuse_other_contents(before, kept)
        status = 201 if before is None else 200
        if self._kind.prefix is None:
            self._service.resources.put(kept)
            return web.json_response(self._body(kept), status=status)
        kept = replace(kept, state="Creating" if before is None else "Updating", error=None)
        self._service.resources.put(kept)
        headers = self._begin(kept, request) | {"x-ms-async-operation-timeout": "PT30M"}
        headers["Location"] = str(request.url)
        return web.json_response(self._body(kept), status=status, headers=headers)

    def _begin(self, resource: Resource, request: web.Request) -> dict[str, str]:
        """Start the operation; the headers that say where to poll it."""
        name = self._service.operations.begin(self._kind.prefix or "", resource)
        place = f"{request.url.origin()}{OPERATIONS_ID}/mfeOperationsStatus/{name}"
        return {"Azure-AsyncOperation": f"{place}?api-version={request.query['api-version']}"}

    def _refuse_other_contents(self, before: Resource | None, kept: Resource) -> None:
        """Raise Refusal where a version that exists would get other contents."""
        for name in self._kind.frozen if before else ():
            if before and before.properties.get(name) != kept.properties.get(name):
                message = f"{kept.path} exists with another {name}; register a new version"
                raise arm_refusal(409, message, "Conflict")

    def _require_parent(self, path: str) -> None:
        """Raise Refusal where what it belongs to does not exist; assets exist by their versions."""
        if path and not self._kind.path.endswith("/versions") and self._service.resources.get(path) is None:
            not_found(id_of(path))

    def _path(self, request: web.Request) -> str:
        """The path of the request, its kinds written as they are here."""
        names = [
            request.match_info.get(f"name{index}", "") for index in range(self._kind.path.count("/") + 1)
        ]
        pairs = zip(self._kind.path.split("/"), names, strict=True)
        return "/".join(part for pair in pairs for part in pair).rstrip("/")

    def _found(self, request: web.Request) -> Resource:
        return self._service.resources.get(self._path(request)) or not_found(request.path)

    def _body(self, resource: Resource) -> dict[str, Any]:
        shown = self._kind.shown(resource)
        body = resource_body(resource, shown | {"provisioningState": resource.state})
        if self._kind.prefix is not None:
            body |= {"location": LOCATION} | resource.extra
            body["identity"] = {"type": "None", "principalId": PRINCIPAL, "tenantId": TENANT}
        return body


def resource_body(resource: Resource, properties: dict[str, Any]) -> dict[str, Any]:
    """A resource in the form all kinds share."""
    author = {"createdBy": "local", "createdByType": "User", "lastModifiedBy": "local"}
    return {
        "id": id_of(resource.path),
        "name": resource.name,
        "type": f"{_TYPE}/{resource.kind}",
        "tags": resource.tags,
        "properties": properties,
        "systemData": {"createdAt": resource.created, "lastModifiedAt": resource.modified} | author,
    }


def _read(document: object, path: str) -> Resource:
    """Raises InvalidBody."""
    body = members(document, _TOP_LEVEL, "the body")
    properties = body.get("properties")
    if not isinstance(properties, dict):
        raise InvalidBody("properties is not an object")
    if "tags" in body and body["tags"] is None:
        raise InvalidBody("tags is null; leave it out, or give an object")
    tags = strings(body, "tags") or properties.get("tags") or {}
    extra = {name: body[name] for name in ("location", "sku", "kind") if body.get(name) is not None}
    return Resource(path=path, properties=properties, tags=tags, extra=extra, modified=now())


def _refuse_while_changing(resource: Resource) -> None:
    if resource.state in CHANGING:
        message = f"{resource.path} is {resource.state.lower()}; wait until that is over, and try again"
        raise arm_refusal(409, message, "Conflict")


def _filtered(found: list[Resource], request: web.Request) -> list[Resource]:
    """What a list asks for: the hash of code, whether a datastore is the default one, the newest first, so many."""
    query = request.query
    if "hash" in query:
        found = [one for one in found if query["hash"] in (one.properties.get("properties") or {}).values()]
    if query.get("isDefault", "").lower() == "true":
        found = [one for one in found if one.name == DATASTORE]
    if query.get("isDefault", "").lower() == "false":
        found = [one for one in found if one.name != DATASTORE]
    if "desc" in (query.get("$orderBy") or query.get("orderBy") or "").lower():
        found = found[::-1]
    top = query.get("$top", "")
    return found[: int(top)] if top.isdigit() else found
