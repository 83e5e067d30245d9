"""The storage account behind the workspace: inputs listed and downloaded, outputs uploaded."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import ContainerSasPermissions, generate_container_sas
from azure.storage.blob.aio import BlobServiceClient

from .addresses import BlobAddress
from .jobs import JobFailed, JobInput
from .workspace import DATASTORE_CONTAINER

_TOKEN_LIFETIME = timedelta(hours=1)


class Storage:
    """The one storage account the emulator may read and write. Belongs to one event loop."""

    def __init__(self, connection_string: str) -> None:
        self._service = BlobServiceClient.from_connection_string(connection_string)

    @property
    def account(self) -> str:
        """The account's name."""
        return str(self._service.account_name)

    @property
    def key(self) -> str:
        """The account's key."""
        return str(self._service.credential.account_key)

    @property
    def url(self) -> str:
        """The account's blob address, without a slash at the end."""
        return self._service.url.rstrip("/")

    async def open(self) -> None:
        """Make the datastore's container where it is missing."""
        try:
            await self._service.create_container(DATASTORE_CONTAINER)
        except ResourceExistsError:
            return

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()

    async def new_container(self, name: str) -> tuple[str, str]:
        """Make a container; its URL, and the token that opens it."""
        container = await self._service.create_container(name)
        return str(container.url), self.container_token(name)

    def container_token(self, container: str) -> str:
        """A shared access signature that opens a container, for an hour."""
        return generate_container_sas(
            self.account,
            container,
            account_key=self.key,
            permission=ContainerSasPermissions(read=True, add=True, create=True, write=True, list=True),
            expiry=datetime.now(UTC) + _TOKEN_LIFETIME,
        )

    async def files(self, source: JobInput) -> list[BlobAddress]:
        """The blobs of a job's input by name; nested folders are not explored, as in Azure.

        Raises JobFailed where there are none, or where the address lies in another account.
        """
        address = self._address(source)
        found = await (self._folder(address) if source.kind == "UriFolder" else self._file(address))
        if not found:
            raise _not_found(f"{source.uri} ({source.kind})")
        return found

    async def tree(self, source: JobInput) -> list[BlobAddress]:
        """The blobs of an input with those in nested folders. Raises JobFailed as `files` does."""
        found = await self.below(self._address(source))
        if not found:
            raise _not_found(f"{source.uri} ({source.kind})")
        return found

    async def below(self, address: BlobAddress) -> list[BlobAddress]:
        """The blob at an address, or all blobs of the folder and its folders there."""
        single = await self._file(address)
        if single:
            return single
        prefix = f"{address.path}/" if address.path else ""
        names = self._service.get_container_client(address.container).list_blob_names(name_starts_with=prefix)
        try:
            return [BlobAddress(address.container, name) async for name in names if not name.endswith("/")]
        except ResourceNotFoundError:
            return []

    async def download(self, address: BlobAddress, path: Path) -> None:
        """Stream a blob into a file. Raises JobFailed where it has gone since it was listed."""
        blob = self._service.get_blob_client(address.container, address.path)
        with path.open("wb") as file:
            try:
                download = await blob.download_blob()
            except ResourceNotFoundError:
                raise _not_found(address.path) from None
            await download.readinto(file)

    async def exists(self, address: BlobAddress) -> bool:
        """Whether there is such a blob."""
        return bool(await self._service.get_blob_client(address.container, address.path).exists())

    async def upload(self, path: Path, address: BlobAddress, *, overwrite: bool) -> None:
        """Stream a file into a blob. Raises ResourceExistsError where it is there and may not be replaced."""
        blob = self._service.get_blob_client(address.container, address.path)
        with path.open("rb") as file:
            await blob.upload_blob(file, overwrite=overwrite)

    def _address(self, source: JobInput) -> BlobAddress:
        if source.address is None:
            raise JobFailed(
                "ScriptExecution.StreamAccess.Authentication",
                f"Dataset initialization failed: can't mount {source.uri}: not in the account {self.account}",
            )
        return source.address

    async def _file(self, address: BlobAddress) -> list[BlobAddress]:
        return [address] if address.path and await self.exists(address) else []

    async def _folder(self, address: BlobAddress) -> list[BlobAddress]:
        prefix = f"{address.path}/" if address.path else ""
        names = self._service.get_container_client(address.container).walk_blobs(prefix, delimiter="/")
        try:
            return sorted(
                [
                    BlobAddress(address.container, item.name)
                    async for item in names
                    if not item.name.endswith("/")
                ],
                key=lambda found: found.path,
            )
        except ResourceNotFoundError:
            return []


def _not_found(place: str) -> JobFailed:
    return JobFailed(
        "ScriptExecution.StreamAccess.NotFound", f"Dataset initialization failed: there is no file at {place}"
    )
