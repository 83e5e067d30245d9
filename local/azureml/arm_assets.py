"""What assets and datastores have at Azure Resource Manager besides their versions: names, uploads, secrets."""

import uuid

from aiohttp import web
from aiohttp.typedefs import Handler

from .arm_requests import any_case, authorise, not_found, page
from .arm_resources import resource_body
from .asset_kinds import CONTAINERS, container_properties
from .datastore_kind import Datastores
from .refusals import json_document
from .resources import Resource
from .service import Service
from .workspace import WORKSPACE_ID


class ArmAssets:
    """What answers at {workspace}/models, …/models/{name}, …/startPendingUpload and …/listSecrets."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """The routes, which no kind has."""
        kinds = [(kind, any_case(f"{WORKSPACE_ID}/{kind}")) for kind in CONTAINERS]
        upload = any_case(f"{WORKSPACE_ID}/codes/{{name}}/versions/{{version}}/startPendingUpload")
        return [
            *(web.get(path, self._names(kind)) for kind, path in kinds),
            *(web.get(f"{path}/{{name}}", self._name(kind)) for kind, path in kinds),
            web.post(upload, self.upload),
            web.post(any_case(f"{WORKSPACE_ID}/datastores/{{name}}/listSecrets"), self.secrets),
        ]

    async def upload(self, request: web.Request) -> web.Response:
        """An empty container for the files of an asset, and a token that opens it."""
        authorise(self._service.tokens, request)
        uri, token = await self._service.storage.new_container(str(uuid.uuid4()))
        credential = {"credentialType": "SAS", "sasUri": f"{uri}?{token}"}
        blob = {"blobUri": uri, "storageAccountArmId": None, "credential": credential}
        return web.json_response(
            {
                "blobReferenceForConsumption": blob,
                "pendingUploadId": str(uuid.uuid4()),
                "pendingUploadType": "TemporaryBlobReference",
            }
        )

    async def secrets(self, request: web.Request) -> web.Response:
        """What opens a datastore."""
        authorise(self._service.tokens, request)
        found = self._service.resources.get(f"datastores/{request.match_info['name']}")
        document = await json_document(request) if request.can_read_body else {}
        expirable = isinstance(document, dict) and bool(document.get("expirableSecret"))
        secrets = Datastores(self._service).secrets(found or not_found(request.path), expirable)
        return web.json_response(secrets)

    def _names(self, kind: str) -> Handler:
        async def names(request: web.Request) -> web.Response:
            authorise(self._service.tokens, request)
            versions: dict[str, list[Resource]] = {}
            for one in self._service.resources.listed(f"{kind}/versions"):
                versions.setdefault(one.parent, []).append(one)
            return page(_container(path, of_name) for path, of_name in versions.items())

        return names

    def _name(self, kind: str) -> Handler:
        async def name(request: web.Request) -> web.Response:
            authorise(self._service.tokens, request)
            path = f"{kind}/{request.match_info['name']}"
            versions = self._service.resources.listed(f"{kind}/versions", path)
            return web.json_response(_container(path, versions or not_found(request.path)))

        return name


def _container(path: str, versions: list[Resource]) -> dict[str, object]:
    first = versions[0]
    return resource_body(
        Resource(path=path, properties={}, created=first.created), container_properties(versions)
    )
