"""Data of this machine that a served folder registers: uploaded as a client of Azure ML does it."""

import hashlib
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .addresses import BlobAddress
from .blobs import Storage
from .resources import Resource
from .workspace import DATASTORE, DATASTORE_CONTAINER


async def uploaded(storage: Storage, resource: Resource) -> Resource:
    """The resource, its files in the default datastore under their hash where it is data of this machine."""
    uri = str(resource.properties.get("dataUri", ""))
    if not uri.startswith("file://"):
        return resource
    root = Path(unquote(urlsplit(uri).path))
    files = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]
    folder = f"LocalUpload/{_hash(root, files)}"
    for file in files:
        name = f"{folder}/{file.relative_to(root.parent).as_posix()}"
        await storage.upload(file, BlobAddress(DATASTORE_CONTAINER, name), overwrite=True)
    place = f"azureml://datastores/{DATASTORE}/paths/{folder}/{root.name}"
    return replace(resource, properties=resource.properties | {"dataUri": place})


def _hash(root: Path, files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"#{file.relative_to(root.parent).as_posix()}#{file.stat().st_size}".encode())
        with file.open("rb") as contents:
            digest.update(hashlib.file_digest(contents, "sha256").digest())
    return digest.hexdigest()
