"""The account and its containers: whether each can be listed, written, written once, read, and emptied again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobProperties, ContainerClient

from shared import clients, names
from shared.blob_io import metadata_of, properties, upload_new
from shared.checkup import commands
from shared.checkup.findings import Check, Finding
from shared.checkup.surroundings import Surroundings, said_by, skew

DATA = b"A checkup of dropscore has written this, and deletes it again.\n"
# Codes of the account as a whole; a role that is missing is told of each container by itself.
LOCKED = ("AuthenticationFailed", "AuthorizationFailure", "KeyBasedAuthenticationNotPermitted")
CONTRIBUTOR = "Storage Blob Data Contributor"
# Seconds. HTTP dates have whole ones, and files settle for a minute.
SKEW_AT_MOST = 30.0
# No checkup works that long: one that left a probe behind was killed.
LEFT_AFTER = timedelta(minutes=10)


class Misbehaves(Exception):
    """Storage has taken a call and done something else."""


@dataclass(frozen=True)
class Standing:
    """A container while a probe stands in it, and since when at the earliest."""

    container: ContainerClient
    since: datetime


Beside = Callable[[Surroundings, Standing], list[Finding]]


def check_account(around: Surroundings) -> list[Finding]:
    """Whether anybody answers, and by which clock. Any answer will do but one that shuts us out of the account."""
    check, seen = Check("storage", around.account), dict[str, str]()
    try:
        around.container("ledger").get_container_properties(
            raw_response_hook=lambda answer: seen.update(answer.http_response.headers)
        )
    except AzureError as problem:
        found = locked_out(around, check, problem)
        if found:
            return [found]
    return [check.ok("it answers"), clock_of("storage", seen.get("Date") or seen.get("date"))]


def locked_out(around: Surroundings, check: Check, problem: AzureError) -> Finding | None:
    """Why the whole account cannot be used, unless only this call could not be done."""
    code, rules = said_by(problem), commands.network_rules(around.account)
    if isinstance(problem, HttpResponseError) and problem.status_code:
        told = f"Look at DROPSCORE_STORAGE and at the account's network rules: {rules}"
        shut = any(one in code for one in LOCKED)
        return check.failed(f"it lets the app in nowhere: {code}", told) if shut else None
    if isinstance(problem, ClientAuthenticationError):
        return check.failed(f"the identity gets no token: {code}", around.home.assign_identity())
    told = f"Look at the account's name in DROPSCORE_STORAGE and at its network rules: {rules}"
    return check.failed(f"it is unreachable ({type(problem).__name__})", told)


def clock_of(about: str, date: str | None) -> Finding:
    """Our clock beside somebody else's."""
    check, ahead = Check("clock", about), skew(date, clients.now())
    if ahead is None:
        return check.skipped("its answer bears no date")
    if abs(ahead) > SKEW_AT_MOST:
        kind = "ahead of" if ahead > 0 else "behind"
        told = "Restart the app; on a machine of your own, set its clock by NTP: timedatectl set-ntp true"
        return check.failed(f"the app's clock is {abs(ahead):.0f} s {kind} it", told)
    return check.ok(f"{abs(ahead):.0f} s apart")


def check_container(around: Surroundings, role: str, beside: Beside | None = None) -> list[Finding]:
    """Every call that the app makes in a container, with a probe; `beside` is looked at while the probe stands."""
    check, container = Check("container", role), around.container(role)
    begun = clients.now()
    try:
        with probe(container, ".csv" if role == "inbox" else ""):
            told = [check.ok(f"{container.container_name}: listed, written, not written over, read")]
            return [*told, *(beside(around, Standing(container, begun)) if beside else [])]
    except AzureError as problem:
        return [unusable(around, check, container.container_name, problem)]
    except Misbehaves as problem:
        told_of = "The ledger wants Azure Storage's conditional writes: use a storage account of Azure."
        return [check.failed(f"{container.container_name}: {problem}", told_of)]


def unusable(around: Surroundings, check: Check, name: str, problem: AzureError) -> Finding:
    """What keeps the app from using a container."""
    if isinstance(problem, ResourceNotFoundError):
        create = commands.create_container(around.account, name)
        return check.failed(f"there is no container {name}", create)
    grant = around.grant_on_account(CONTRIBUTOR)
    refused = isinstance(problem, HttpResponseError) and problem.status_code in (401, 403)
    told = grant if refused else f"Look at the container, then ask again. It takes this role: {grant}"
    return check.failed(f"{name} cannot be used: {said_by(problem)}", told)


@contextmanager
def probe(container: ContainerClient, end: str) -> Iterator[None]:
    """A blob that was written once and read. It is gone afterwards, as are those that a killed checkup has left."""
    for left in container.list_blob_names(name_starts_with=f"{names.PROBES}/"):
        if names.is_probe(left) and left < names.first_probe(clients.now() - LEFT_AFTER):
            remove(container, left)
    name = names.new_probe(clients.now(), end)
    try:
        if not upload_new(container, name, DATA):
            raise Misbehaves("storage says that a new blob is there already")
        if upload_new(container, name, DATA):
            raise Misbehaves("If-None-Match does not keep a blob from being written over")
        if container.download_blob(name).readall() != DATA:
            raise Misbehaves("what is read is not what was written")
        yield
    finally:
        with suppress(AzureError):
            remove(container, name)
            # Where names are folders, the probe has made one.
            if is_folder(properties(container.get_blob_client(names.PROBES))):
                remove(container, names.PROBES)


def is_folder(found: BlobProperties | None) -> bool:
    return metadata_of(found).get("hdi_isfolder") == "true"


def remove(container: ContainerClient, name: str) -> None:
    with suppress(ResourceNotFoundError):
        container.delete_blob(name)


def check_namespace(around: Surroundings, standing: Standing) -> list[Finding]:
    """Whether names are folders. A probe `dropscore-doctor/x` makes one there, which the Blob API shows as a blob.

    The account's own properties would say so, but they are shown only for an account key or a SAS (Get Account
    Information, documentation of Azure Storage).
    """
    check = Check("namespace", around.account)
    found = properties(standing.container.get_blob_client(names.PROBES))
    if not is_folder(found):
        return [check.ok("flat")]
    says = "it has a hierarchical namespace, on which neither the ledger nor publishing has been tried"
    return [check.failed(says, f"Use an account without it: {commands.flat_account()}")]
