"""Where inputs and outputs lie: the forms of address Azure ML takes, led back to a container and a path."""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from .workspace import DATASTORE, DATASTORE_CONTAINER, WORKSPACE_ID

_LOOPBACK = {"127.0.0.1", "localhost"}
_DATASTORE_FORMS = re.compile(
    r"(?P<workspace>azureml:/"
    r"|azureml://subscriptions/[^/]+/resourcegroups/[^/]+/workspaces/[^/]+"
    r"|/subscriptions/[^/]+/resourcegroups/[^/]+/providers/[^/]+/workspaces/[^/]+)"
    r"/datastores/(?P<datastore>[^/]+)/paths/(?P<path>.+)",
    re.IGNORECASE,
)
_REFUSED_FORMS = {
    r"azureml:[^/]": "data assets",
    r"azureml://locations/": "data assets",
    r"/subscriptions/.*/data/": "data assets",
    r"(wasbs?|abfss?)://": "wasb and abfs addresses",
}


class AddressError(ValueError):
    """An address the service does not take; the message names it and the forms that are taken."""


@dataclass(frozen=True)
class BlobAddress:
    """A blob, or a folder of them, in the storage account."""

    container: str
    path: str


def datastore_address(uri: str) -> BlobAddress | None:
    """What a datastore address (short, long or ARM form) names; None where `uri` is of another kind.

    Raises AddressError for a datastore or workspace that does not exist here.
    """
    match = _DATASTORE_FORMS.fullmatch(uri)
    if match is None:
        return None
    if match["datastore"] != DATASTORE or not _is_this_workspace(match["workspace"]):
        raise AddressError(f"{uri} names no datastore of this workspace; the only one is {DATASTORE}")
    return BlobAddress(DATASTORE_CONTAINER, match["path"].strip("/"))


def datastore_id(path: str) -> str:
    """The ARM form of a path in the datastore, as completed jobs report their output."""
    return f"{WORKSPACE_ID}/datastores/{DATASTORE}/paths/{path}"


def check_input(uri: str) -> None:
    """Raise AddressError unless `uri` is a blob URL or a datastore address."""
    if datastore_address(uri) is not None:
        return
    for form, kind in _REFUSED_FORMS.items():
        if re.match(form, uri, re.IGNORECASE):
            raise AddressError(
                f"{uri}: {kind} are not emulated as inputs; give a blob URL or a datastore path"
            )
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
    """Whether the workspace written out in a datastore address, if any, is this one."""
    names = re.findall(r"(?:subscriptions|resourcegroups|workspaces)/([^/]+)", prefix, re.IGNORECASE)
    ours = [part for index, part in enumerate(WORKSPACE_ID.split("/")) if index in (2, 4, 8)]
    return not names or [name.lower() for name in names] == ours


def _host(netloc: str) -> str:
    return netloc.lower().replace("localhost", "127.0.0.1")
