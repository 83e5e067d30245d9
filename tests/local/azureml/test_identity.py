"""Tokens: as the real client library gets them, and what they open."""

import pytest
import requests
from azure.core.credentials import TokenCredential
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

from local.azureml.workspace import ARM_AUDIENCE, SCORING_AUDIENCE, WORKSPACE_ID

from .client import Client


@pytest.fixture
def identity(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A client whose environment is an App Service's."""
    for name in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "AZURE_TOKEN_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{client.base}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "local")
    return client


@pytest.mark.parametrize("kind", [ManagedIdentityCredential, DefaultAzureCredential])
def test_azure_identity_gets_tokens_that_open_their_plane(
    identity: Client, kind: type[ManagedIdentityCredential | DefaultAzureCredential]
) -> None:
    with kind() as credential:
        assert status(identity, credential, ARM_AUDIENCE) == 200
        assert status(identity, credential, SCORING_AUDIENCE) == 401


def status(client: Client, credential: TokenCredential, audience: str) -> int:
    """What Azure Resource Manager answers to a token for `audience`."""
    token = credential.get_token(f"{audience}/.default").token
    url = f"{client.base}{WORKSPACE_ID}?api-version=x"
    return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=60).status_code


def test_the_answer_has_app_services_shape(client: Client) -> None:
    query = {"resource": SCORING_AUDIENCE, "api-version": "2019-08-01", "client_id": "mine"}
    headers = {"X-IDENTITY-HEADER": "local"}
    answer = requests.get(f"{client.base}/msi/token", params=query, headers=headers, timeout=60).json()
    assert set(answer) == {"access_token", "expires_on", "resource", "token_type", "client_id"}
    assert (answer["resource"], answer["client_id"], answer["token_type"]) == (
        SCORING_AUDIENCE,
        "mine",
        "Bearer",
    )
    assert answer["expires_on"].isdigit()


def test_a_wrong_header_gets_no_token(client: Client) -> None:
    query = {"resource": SCORING_AUDIENCE, "api-version": "2019-08-01"}
    for headers in ({}, {"X-IDENTITY-HEADER": "guess"}):
        answer = requests.get(f"{client.base}/msi/token", params=query, headers=headers, timeout=60)
        assert answer.status_code == 401


def test_a_resource_is_required(client: Client) -> None:
    headers = {"X-IDENTITY-HEADER": "local"}
    assert requests.get(f"{client.base}/msi/token", headers=headers, timeout=60).status_code == 400
