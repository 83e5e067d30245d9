"""No secret and no row's value is written where it does not belong: all places are searched for planted ones."""

import json
import secrets
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import requests
from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import BlobProperties

from activities.jobs import submit_job
from local.azureml.workspace import ARM_AUDIENCE
from shared import clients
from shared.names import NOTE
from tests.activities.conftest import App
from tests.activities.stages import packed
from tests.e2e.drops import Drops, until
from tests.faults.input_app import everything, use_sas

pytest_plugins = ["tests.faults.input_fixtures"]

# The cells of each file that nobody but its own containers may know, and what becomes of the file.
FILES = {
    "carried": ("named/leaks-{}.csv", "id,x\n{},1\n", "published"),
    "key": ("keyed/leaks-{}.csv", "id,x\n{},1\n", "published"),
    "key twice": ("keyed/leaks-{}.csv", "id,x\n{0},1\n{0},2\n", "rejected"),
    "no number": ("double/leaks-{}.csv", "id,x\na,{}\n", "rejected"),
    "header": ("double/leaks-{}.csv", "{0},{0}\na,1\n", "rejected"),
    "quote": ("double/leaks-{}.csv", 'id,x\na,"1"{}\n', "rejected"),
    "set aside": ("spreadsheet/leaks-{}.csv", "id;x\n{};y\na;1\n", "published"),
    "raised": ("raising/leaks-{}.csv", "x\n{}\n", "failed"),
}
ITSELF = "a file that stays where it was dropped"
BESIDE = "a rejected file lies beside its reason, unchanged"
ALLOWED = {
    ("carried", "inbox"): ITSELF,
    ("carried", "predictions"): "carried columns come out beside the predictions",
    ("key", "inbox"): ITSELF,
    ("key", "predictions"): "the key comes out beside the predictions, as carried columns do",
    ("key", "azureml"): "raw predictions repeat the key; those on the model's datastore are not cleaned up",
    ("key twice", "rejected"): BESIDE,
    ("no number", "rejected"): BESIDE,
    ("header", "rejected"): BESIDE,
    ("quote", "rejected"): BESIDE,
    ("set aside", "inbox"): ITSELF,
    ("raised", "inbox"): ITSELF,
    ("raised", "work"): "what the model was given is kept for a while where a file failed",
}


def blobs(drops: Drops, container: str, *, notes: bool = False) -> bytes:
    """Every blob of a container: its name, its metadata, and its content; of `rejected` the notes, or the rest."""
    client = drops.stack.container(container)

    def content(blob: BlobProperties) -> bytes:
        """Nothing where the app has deleted it meanwhile."""
        with suppress(ResourceNotFoundError):
            data: bytes = client.download_blob(blob.name).readall()
            return f"{blob.name} {json.dumps(blob.metadata)} ".encode() + data
        return b""

    listed = client.list_blobs(include=["metadata"])
    with ThreadPoolExecutor(8) as threads:
        return b"\n".join(threads.map(content, [one for one in listed if one.name.endswith(NOTE) == notes]))


def instances(drops: Drops) -> bytes:
    """Every orchestration as the host shows it, with its history."""
    url = f"{drops.stack.host_url}/runtime/webhooks/durabletask/instances"
    shown = {"showHistory": "true", "showHistoryOutput": "true", "showInput": "true"}
    ids = [one["instanceId"] for one in requests.get(url, timeout=30).json()]
    return b"\n".join(requests.get(f"{url}/{one}", params=shown, timeout=30).content for one in ids)


def run_answers(drops: Drops) -> bytes:
    ids = {item.key.split("/")[1] for item in drops.ledger.store.listed("runs/")}
    return b"\n".join(
        requests.get(f"{drops.stack.host_url}/api/runs/{one}", timeout=30).content for one in ids
    )


def places(drops: Drops) -> dict[str, bytes]:
    """Everything that the app, its host and its containers show or keep."""
    state = drops.stack.state
    kept = [*(state / "host").glob("*"), state / "logs" / "host.log"]
    return {
        **{path.name: path.read_bytes() for path in kept if path.is_file()},
        **{name: blobs(drops, name) for name in ("inbox", "predictions", "rejected", "archive", "work")},
        **{name: blobs(drops, name) for name in ("ledger", "config", "azureml")},
        "reasons": blobs(drops, "rejected", notes=True),
        "GET /api/runs/{run}": run_answers(drops),
        "orchestrations": instances(drops),
    }


def found(drops: Drops, planted: dict[str, str]) -> set[tuple[str, str]]:
    """Which of the planted texts stand in which places."""
    searched = places(drops)
    assert all(searched[place] for place in ("host.db", "host.log", "ledger", "orchestrations"))
    return {
        (name, place)
        for name, text in planted.items()
        for place, content in searched.items()
        if text.encode() in content
    }


def test_a_rows_value_stands_only_where_it_belongs(strained: Drops) -> None:
    planted = {kind: f"Qx{secrets.token_hex(8)}" for kind in FILES}
    versions = {
        kind: strained.drop(name.format(secrets.token_hex(4)), data.format(planted[kind]))
        for kind, (name, data, _) in FILES.items()
    }
    words = {kind: strained.closed(version)[1].word for kind, version in versions.items()}
    assert words == {kind: word for kind, (_, _, word) in FILES.items()}
    assert found(strained, planted) == set(ALLOWED)


@pytest.mark.full
def test_what_a_caller_shows_to_be_let_in_is_written_nowhere(strained: Drops) -> None:
    said = ("token", "cookie", "host key", "code", "idempotency key", "event key", "signature")
    planted = {one: f"Qx{secrets.token_hex(8)}" for one in said}
    version = strained.drop("named/leaks-called.csv", "id,x\na,1\n")
    headers = {
        "Authorization": f"Bearer {planted['token']}",
        "Cookie": f"session={planted['cookie']}",
        "x-functions-key": planted["host key"],
        "Idempotency-Key": planted["idempotency key"],
    }
    url, code = f"{strained.stack.host_url}/api/runs", {"code": planted["code"]}
    body: dict[str, Any] = {"route": "named", "blobs": [version.blob]}
    bodies: list[Any] = [body, {**body, "blobs": ["no.csv"]}, {**body, "more": 1}, []]
    answers = [requests.post(url, params=code, headers=headers, json=one, timeout=30) for one in bodies]
    assert [answer.status_code for answer in answers] == [202, 404, 400, 400]
    [run] = answers[0].json()["runs"]
    answers += [
        requests.get(f"{url}/{run['run']}", params=code, headers=headers, timeout=30),
        requests.post(f"{url}/{run['run']}/rerun", params=code, headers=headers, timeout=30),
        requests.post(f"{url}/none/cancel", params=code, headers=headers, timeout=30),
        announce(strained, version.blob, planted),
    ]
    strained.closed(version)
    shown = "".join(f"{answer.headers} {answer.text}" for answer in answers)
    assert [one for one, text in planted.items() if text in shown] == []
    assert found(strained, planted) == set()


def announce(drops: Drops, name: str, planted: dict[str, str]) -> requests.Response:
    """Delivers an event with the webhook's key and a signed address."""
    hook = {"functionName": "Host.Functions.blob_dropped", "code": planted["event key"]}
    event = {
        "eventType": "Microsoft.Storage.BlobCreated",
        "subject": f"/blobServices/default/containers/inbox/blobs/{name}",
        "data": {"url": f"https://drops.blob.core.windows.net/inbox/{name}?sig={planted['signature']}"},
    }
    return requests.post(
        f"{drops.stack.host_url}/runtime/webhooks/blobs",
        params=hook,
        json=[event],
        headers={"aeg-event-type": "Notification"},
        timeout=30,
    )


def test_the_apps_own_secrets_are_written_nowhere(strained: Drops) -> None:
    settings = dict(part.split("=", 1) for part in strained.stack.connection_string.split(";") if part)
    strained.closed(strained.drop("named/leaks-own.csv", "id,x\na,1\n"))
    strained.closed(strained.drop("raising/leaks-own.csv", "x\n1\n"))
    # The beginnings of the headers that tokens have here and on Azure.
    tokens = {"token": "eyJ0eXAi", "other token": "eyJhbGci"}
    secret = {"storage key": settings["AccountKey"], "identity's secret": strained.stack.secret}
    assert found(strained, {**secret, **tokens}) == set()


def test_a_token_that_an_endpoint_repeats_is_written_nowhere(strained: Drops) -> None:
    token = f"eyJhbQx{secrets.token_hex(8)}"
    message = f"the gateway got\nAuthorization: Bearer {token}"
    fault = {"on": "POST /endpoints/raising/jobs", "do": "answer", "status": 400}
    strained.faults({**fault, "body": {"error": {"code": "UserError", "message": message}}})
    _, word = strained.closed(strained.drop("raising/leaks-refused.csv", "x\n1\n"))
    assert word.word == "failed"
    assert found(strained, {"token": token}) == set()


def test_a_signature_in_the_connection_string_is_shown_to_nobody(
    app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    signature = use_sas(monkeypatch)
    caplog.set_level("INFO")
    app.ledger = clients.ledger()
    launch = packed(app, app.drop("double/a.csv", "id,x\na,1\n"))
    assert submit_job(launch.to_dict())["kind"] == "submitted"
    bearer = {"Authorization": f"Bearer {app.emulator.token(ARM_AUDIENCE)}"}
    url = f"{app.emulator.url}{app.emulator.workspace}/jobs/{app.run(launch).job}?api-version=2023-10-01"
    job = until(lambda: requests.get(url, headers=bearer, timeout=10).text, "the job")
    assert app.run(launch).run in job
    kept = b"".join(f"{role}/{name} ".encode() + data for (role, name), data in everything().items())
    assert app.run(launch).job.encode() in kept
    assert signature not in f"{job} {caplog.text}"
    assert signature.encode() not in kept


@contextmanager
def hanging_up() -> Iterator[int]:
    """The port of a server that hangs up on everybody."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as threads:
        threads.submit(hang_up, server)
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def hang_up(server: socket.socket) -> None:
    while True:
        try:
            server.accept()[0].close()
        except OSError:
            return


@contextmanager
def nobody() -> Iterator[int]:
    """A port where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.mark.parametrize("away", [hanging_up, nobody])
def test_what_storage_has_against_a_call_does_not_show_the_signature(
    app: App, monkeypatch: pytest.MonkeyPatch, away: Callable[[], Any]
) -> None:
    signature = use_sas(monkeypatch)
    with away() as port:
        client = clients.container("inbox").get_blob_client("a.csv")
        there = client.url.split("/")[2]
        monkeypatch.setenv(
            "DROPSCORE_STORAGE", clients.settings().storage_connection.replace(there, f"127.0.0.1:{port}")
        )
        clients.settings.cache_clear()
        clients.storage.cache_clear()
        with pytest.raises(AzureError) as problem:
            clients.container("inbox").get_blob_client("a.csv").get_blob_properties(retry_total=0)
    assert signature in client.url
    assert signature not in f"{problem.value} {problem.value!r} {problem.getrepr(chain=True)}"
