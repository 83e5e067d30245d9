"""Where inputs and outputs lie: the forms of address Azure ML takes, led back to a container and a path."""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from .resources import ResourceStore
from .workspace import WORKSPACE_GUID, WORKSPACE_ID, id_of

_LOOPBACK = {"127.0.0.1", "localhost"}
_DATASTORE_FORMS = re.compile(
    r"(?P<workspace>azureml:/"
    r"|azureml://subscriptions/[^/]+/resourcegroups/[^/]+(?:/providers/[^/]+)?/workspaces/[^/]+"
    r"|/subscriptions/[^/]+/resourcegroups/[^/]+/providers/[^/]+/workspaces/[^/]+)"
    r"/datastores/(?P<datastore>[^/]+)/paths/(?P<path>.*)",
    re.IGNORECASE,
)
_ASSET_FORMS = re.compile(
    r"(?P<workspace>azureml://locations/[^/]+/workspaces/[^/]+"
    r"|(?:azureml:)?/subscriptions/[^/]+/resourcegroups/[^/]+/providers/[^/]+/workspaces/[^/]+)"
    r"/data/(?P<name>[^/]+)/versions/(?P<version>[^/]+)",
    re.IGNORECASE,
)
_REFUSED_FORMS = {
    r"azureml:[^/]": "names of data assets (clients look up their ARM ids)",
    r"azureml://registries/": "assets of registries",
    r"(wasbs?|abfss?)://": "wasb and abfs addresses",
}


class AddressError(ValueError):
    """An address the service does not take; the message names it and the forms that are taken."""


@dataclass(frozen=True)
class BlobAddress:
    """A blob, or a folder of them, in the storage account."""

    container: str
    path: str


@dataclass(frozen=True)
class DatastorePath:
    """A path in a datastore."""

    datastore: str
    path: str

    @property
    def arm_id(self) -> str:
        """The ARM form, as completed jobs report their output."""
        return id_of(f"datastores/{self.datastore}/paths/{self.path}")


class Places:
    """Leads addresses back to blobs. `service_url` is the storage account's, `alias` another address of it."""

    def __init__(self, resources: ResourceStore, service_url: str, alias: str = "") -> None:
        self._resources = resources
        self._services = [service_url, *([alias] if alias else [])]

    def in_datastore(self, uri: str) -> BlobAddress | None:
        """What a datastore address names; None where `uri` is of another kind. Raises AddressError."""
        found = datastore_path(uri)
        return self.of(found) if found else None

    def of(self, place: DatastorePath) -> BlobAddress:
        """The blob at a path in a datastore. Raises AddressError where there is no such datastore."""
        datastore = self._resources.get(f"datastores/{place.datastore}")
        if datastore is None:
            raise AddressError(f"{place.datastore} names no datastore of this workspace; create it first")
        return BlobAddress(datastore.properties["containerName"], place.path)

    def find(self, uri: str) -> BlobAddress | None:
        """What any address names, data assets included; None for a blob of another account.

        Raises AddressError for an address the service would not take.
        """
        asset = _ASSET_FORMS.fullmatch(uri)
        if asset is not None:
            return self.find(self._data_uri(uri, asset))
        return self.in_datastore(uri) or self._blob(uri)

    def _data_uri(self, uri: str, asset: re.Match[str]) -> str:
        found = self._resources.get(f"data/{asset['name']}/versions/{asset['version']}")
        if found is None or not _is_this_workspace(asset["workspace"]):
            raise AddressError(f"{uri} names no data asset of this workspace; register it first")
        return str(found.properties["dataUri"])

    def _blob(self, uri: str) -> BlobAddress | None:
        check_blob_url(uri)
        found = (blob_address(uri, service) for service in self._services)
        return next((address for address in found if address is not None), None)


def datastore_path(uri: str) -> DatastorePath | None:
    """What a datastore address (short, long or ARM form) says; None where `uri` is of another kind.

    Raises AddressError for one of another workspace.
    """
    match = _DATASTORE_FORMS.fullmatch(uri)
    if match is None:
        return None
    if not _is_this_workspace(match["workspace"]):
        raise AddressError(f"{uri} names no datastore of this workspace; its id is {WORKSPACE_ID}")
    return DatastorePath(match["datastore"], match["path"].strip("/"))


def check_blob_url(uri: str) -> None:
    """Raise AddressError unless `uri` is a blob URL."""
    for form, kind in _REFUSED_FORMS.items():
        if re.match(form, uri, re.IGNORECASE):
            raise AddressError(f"{uri}: {kind} are not taken; give a blob URL or a datastore path")
    url = urlsplit(uri)
    if url.scheme != "https" and not (url.scheme == "http" and url.hostname in _LOOPBACK):
        raise AddressError(f"{uri} is not an input address; give an https blob URL or azureml://datastores/…")
    if not url.path.strip("/"):
        raise AddressError(f"{uri} names no container; give https://<account>/<container>/<path>")


def blob_address(uri: str, service_url: str) -> BlobAddress | None:
    """What a blob URL names below `service_url`; None where it belongs to another account."""
    url, service = urlsplit(uri), urlsplit(service_url)
    root = service.path.rstrip("/") + "/"
    if _host(url.netloc) != _host(service.netloc) or not url.path.startswith(root):
        return None
    container, _, path = unquote(url.path.removeprefix(root)).partition("/")
    return BlobAddress(container, path.strip("/"))


def _is_this_workspace(prefix: str) -> bool:
    """Whether the workspace written out in an address, if any, is this one; it may stand there by its guid."""
    names = dict(re.findall(r"(subscriptions|resourcegroups|workspaces)/([^/]+)", prefix.lower()))
    ours = {"subscriptions": {WORKSPACE_ID.split("/")[2]}, "resourcegroups": {"local"}}
    ours["workspaces"] = {"local", WORKSPACE_GUID}
    return all(name in ours[kind] for kind, name in names.items())


def _host(netloc: str) -> str:
    return netloc.lower().replace("localhost", "127.0.0.1")
