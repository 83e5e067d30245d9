"""A whole run of the app's activities over files of any name and content, and its HTTP start."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import azure.functions as func
import pytest
from azure.storage.blob import AccountSasPermissions, ResourceTypes, generate_account_sas

from activities.inbox import arrive, dispose_inputs
from activities.parts import pack
from activities.predictions import unpack
from activities.runs import authenticate, close_run, gather, kick, write_results
from shared import clients
from shared.records import Launch, Run, Verdict
from shared.routes import Route
from shared.settings import CONTAINERS
from tests.activities.conftest import App, reset
from tests.activities.durable_client import Client, called
from tests.activities.stages import job_ended, twice, whole
from triggers.http import runs as http

Blobs = dict[tuple[str, str], bytes]


def anything(app: App, **changes: Any) -> Route:
    """A route that takes every name; its raw predictions name the row, so that all files share a job."""
    return app.named(**{"pattern": "**", "match": "row", **changes})


def scored(app: App, route: Route, files: Mapping[str, bytes | str]) -> tuple[Run, dict[str, Verdict]]:
    """One run of all the files, with a model that doubles `x`. Returns the closed run and the words by name."""
    app.set_routes(route)
    clients.in_parallel(lambda file: app.drop(*file), files.items())
    assert all(clients.in_parallel(arrive, files))
    return run_of_what_waits(app, route)


def run_of_what_waits(app: App, route: Route) -> tuple[Run, dict[str, Verdict]]:
    """The route's next run from its start to its end."""
    [launch] = kick(route)
    assert authenticate(launch.to_dict())
    gather(launch.to_dict())
    if whole(pack, launch)["parts"]:
        job_ended(app, launch, "".join(twice(app, launch, route.match)))
        whole(unpack, launch)
    return closed(app, launch)


def closed(app: App, launch: Launch) -> tuple[Run, dict[str, Verdict]]:
    write_results(launch.to_dict())
    whole(dispose_inputs, launch)
    called(close_run, launch.to_dict(), Client())
    run = app.run(launch)
    return run, {verdict.blob: verdict for verdict in app.ledger.results(run)}


def everything(*roles: str) -> Blobs:
    """Every blob of the containers of these roles, or of all, with its content."""
    found = [
        (role, name) for role in roles or CONTAINERS for name in clients.container(role).list_blob_names()
    ]
    read = clients.in_parallel(lambda one: clients.container(one[0]).download_blob(one[1]).readall(), found)
    return dict(zip(found, read, strict=True))


def use_sas(monkeypatch: pytest.MonkeyPatch) -> str:
    """Reaches the account by a shared access signature, as an identity does: no request's path is signed.

    Returns the longest stretch of the signature that is written the same in every encoding.
    """
    service = clients.storage()
    sas = generate_account_sas(
        service.account_name or "",
        service.credential.account_key,
        resource_types=ResourceTypes(service=True, container=True, object=True),
        permission=AccountSasPermissions(
            read=True, write=True, delete=True, list=True, add=True, create=True
        ),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    address = f"{service.scheme}://{service.primary_hostname}"
    monkeypatch.setenv("DROPSCORE_STORAGE", f"BlobEndpoint={address};SharedAccessSignature={sas}")
    reset()
    signature = unquote(sas.partition("sig=")[2].partition("&")[0])
    stretches: list[str] = re.findall("[A-Za-z0-9]+", signature)
    return max(stretches, key=len)


class StartedTwice(Exception):
    """What the SDK raises where an instance of that id is under way."""


class OnceOnly(Client):
    """A client that refuses a second start of an instance, as a host does."""

    async def start_new(self, name: str, instance_id: str, client_input: Any = None) -> None:
        if instance_id in self.started:
            raise StartedTwice(instance_id)
        await super().start_new(name, instance_id, client_input)


@dataclass
class Answer:
    """What came of one HTTP start, and the orchestrations that its client has started."""

    status: int
    body: dict[str, Any]
    started: dict[str, Any]

    @property
    def code(self) -> str:
        return str(self.body.get("type", ""))

    @property
    def runs(self) -> list[str]:
        return [one["run"] for one in self.body["runs"]]


def ask(body: object, client: Client | None = None, **headers: str) -> Answer:
    """`POST /api/runs`; `body` is sent as it is where it is bytes, else as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = func.HttpRequest("POST", "http://app/api/runs", headers=named, body=data)
    client = client or Client()
    start = http.start_run.build().get_user_function().client_function
    answer = asyncio.run(start(request, client=client))
    return Answer(answer.status_code, json.loads(answer.get_body()), client.started)
