"""What a checkup goes by: the settings, an identity that has not been asked before, and clients that ask once."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property

import requests
from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, HttpResponseError
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient, ContainerClient

from shared import clients
from shared.checkup import commands
from shared.checkup.commands import Home
from shared.masking import without_secrets
from shared.settings import Settings

WITHIN = (clients.CONNECT_WITHIN, clients.READ_WITHIN)


@dataclass
class Surroundings:
    """A context manager: on leaving, its clients are closed. `tokens` holds those that could be had, by audience."""

    settings: Settings
    home: Home
    tokens: dict[str, str] = field(default_factory=dict)
    closing: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> "Surroundings":
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.close()

    def identity(self, client_id: str) -> TokenCredential:
        """A new one: what the app's own has been given lasts for hours, and shows nothing of what is refused now."""
        found = DefaultAzureCredential(managed_identity_client_id=client_id or None)
        self.closing.callback(found.close)
        return found

    @cached_property
    def own(self) -> TokenCredential:
        return self.identity(self.settings.client_id)

    @cached_property
    def of_storage(self) -> TokenCredential:
        return self.identity(self.settings.storage_client_id)

    @cached_property
    def storage(self) -> BlobServiceClient:
        identity = None if self.settings.storage_connection else self.of_storage
        return self.closing.enter_context(clients.impatient_storage(identity))

    @cached_property
    def session(self) -> requests.Session:
        session = self.closing.enter_context(requests.Session())
        session.trust_env = False
        return session

    def container(self, role: str) -> ContainerClient:
        return self.storage.get_container_client(getattr(self.settings, role))

    def foreign_container(self, url: str) -> ContainerClient:
        return self.closing.enter_context(
            ContainerClient.from_container_url(url, self.own, **clients.one_try())
        )

    @property
    def account(self) -> str:
        return str(self.storage.account_name)

    @property
    def roles(self) -> list[str]:
        """The containers' roles; `status` only where it is on."""
        every = ("inbox", "predictions", "rejected", "archive", "work", "ledger", "config", "status")
        return [role for role in every if getattr(self.settings, role)]

    def get(self, url: str, audience: str, params: dict[str, str] | None = None) -> requests.Response:
        """One GET with the token of an audience, which must be there. Raises RequestException."""
        headers = {"Authorization": f"Bearer {self.tokens[audience]}"}
        return self.session.get(url, params=params, headers=headers, timeout=WITHIN, allow_redirects=False)

    def grant(self, role: str, scope: str) -> str:
        """The command that gives the app's identity a role."""
        return self.home.grant(self.settings.client_id, role, scope)

    def grant_on_account(self, role: str) -> str:
        """The command that gives the identity for the containers' account, which may be another, a role there."""
        return self.home.grant(self.settings.storage_client_id, role, commands.account_id(self.account))


def said_by(problem: AzureError) -> str:
    """What storage or the identity has against a call, on one line, without secrets."""
    if isinstance(problem, HttpResponseError) and problem.status_code:
        named = getattr(problem, "error_code", None)
        return f"{problem.status_code} {getattr(named, 'value', named) or problem.reason or ''}".strip()
    return f"{type(problem).__name__}: {without_secrets(str(problem))[:200]}"


def skew(date: str | None, now: datetime) -> float | None:
    """Seconds by which our clock is ahead of a `Date` header's; None where that says nothing."""
    try:
        return (now - parsedate_to_datetime(date or "")).total_seconds()
    except (ValueError, TypeError):
        return None
