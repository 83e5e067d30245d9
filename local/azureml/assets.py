"""The files of models and code: those of a served folder where they lie, uploaded ones fetched from storage once."""

import hashlib
import posixpath
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .addresses import AddressError, BlobAddress, Places
from .blobs import Storage
from .operations import ProvisioningFailed


class Assets:
    """Files and folders by the addresses that asset versions hold. `folder` keeps those that were fetched."""

    def __init__(self, storage: Storage, places: Places, folder: Path) -> None:
        self._storage = storage
        self._places = places
        self._folder = folder

    def path(self, uri: str) -> Path:
        """Where the file or folder at `uri` lies, or would lie once it is fetched."""
        if uri.startswith("file://"):
            return Path(unquote(urlsplit(uri).path))
        name = posixpath.basename(urlsplit(uri).path.rstrip("/"))
        return self._folder / hashlib.sha256(uri.encode()).hexdigest()[:32] / (unquote(name) or "files")

    async def fetch(self, uri: str) -> Path:
        """Where it lies, after fetching what is not here yet. Raises ProvisioningFailed where there is nothing."""
        path = self.path(uri)
        if path.exists():
            return path
        address = self._address(uri)
        blobs = await self._storage.below(address) if address else []
        if address is None or not blobs:
            raise ProvisioningFailed("UserError", f"There are no files at {uri}; upload them first")
        partial = path.parent.with_name(path.parent.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        for blob in blobs:
            target = partial / path.name / blob.path.removeprefix(address.path).lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            await self._storage.download(blob, target)
        partial.rename(path.parent)
        return path

    def _address(self, uri: str) -> BlobAddress | None:
        try:
            return self._places.find(uri)
        except AddressError as error:
            raise ProvisioningFailed("UserError", str(error)) from None
