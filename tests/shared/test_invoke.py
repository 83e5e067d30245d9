"""One POST to a scripted endpoint: which answers surely made no job, which made one, and which may have."""

import json
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.azureml import Answer, invoke, never_connected
from shared.routes import Route
from tests.shared.scripted_http import Endpoint, Garbage, Reply, Reset

BODY = {"properties": {"miniBatchSize": 1}}
JOB = {
    "id": "/subscriptions/s/resourceGroups/g/providers/p/workspaces/w/jobs/batchjob-1",
    "name": "batchjob-1",
}


def route(url: str, deployment: str = "") -> Route:
    return Route(name="r", pattern="**", model=url, deployment=deployment)


def answered(reply: Reply | Reset, *, reset_at_first_byte: bool = False) -> Answer:
    """What comes of one POST; whatever it is, the endpoint has seen exactly one connection and one request."""
    with Endpoint(lambda _: reply, reset_at_first_byte=reset_at_first_byte) as endpoint:
        answer = invoke(route(f"{endpoint.url}/jobs"), BODY, "token", "request-1")
    assert endpoint.connections == 1
    assert len(endpoint.received) == (0 if reset_at_first_byte else 1)
    return answer


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody trusts, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    hosts = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(hosts, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = tmp_path_factory.mktemp("tls") / "loopback.pem"
    path.write_bytes(signed.public_bytes(pem) + key.private_bytes(pem, *plain))
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses connections: bound, so that nobody else takes it, and never listened on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_the_post_carries_body_token_and_request_id() -> None:
    with Endpoint(lambda _: Reply(201, JOB)) as endpoint:
        invoke(route(f"{endpoint.url}/jobs", "blue"), BODY, "the-token", "R/1/1")
    (request,) = endpoint.received
    assert (request.method, request.path, json.loads(request.body)) == ("POST", "/jobs", BODY)
    assert request.headers["Authorization"] == "Bearer the-token"
    assert request.headers["repeatability_request-id"] == "R/1/1"
    assert request.headers["azureml-model-deployment"] == "blue"
    assert request.headers["Content-Type"] == "application/json"


def test_a_route_without_a_deployment_leaves_it_to_the_endpoint() -> None:
    with Endpoint(lambda _: Reply(201, JOB)) as endpoint:
        invoke(route(endpoint.url), BODY, "token", "request-1")
    assert "azureml-model-deployment" not in endpoint.received[0].headers


@pytest.mark.parametrize("status", [200, 201])
def test_a_created_job_is_named_with_its_deployment(status: int) -> None:
    reply = Reply(status, JOB, {"azureml-model-deployment": "blue", "Location": "/operations/7"})
    assert answered(reply) == Answer(kind="created", job=JOB["name"], job_id=JOB["id"], deployment="blue")


def test_a_created_job_may_come_without_an_id() -> None:
    assert answered(Reply(201, {"name": "j"})) == Answer(kind="created", job="j")


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"name": "j', b"\xff\xfe", b"{}", b"[]", b"null", b"7", b'"batchjob-1"']
)
def test_a_creation_that_cannot_be_read_is_ambiguous(body: bytes) -> None:
    assert answered(Reply(201, body)) == Answer(kind="ambiguous", why="201 with an unreadable body")


@pytest.mark.parametrize("body", [{"name": ""}, {"name": None}, {"name": "j", "id": None}])
def test_a_creation_without_a_usable_name_or_id_is_not_taken_as_it_is(body: dict[str, Any]) -> None:
    answer = answered(Reply(201, body))
    assert answer.kind == "ambiguous" or (answer.job and isinstance(answer.job_id, str))


@pytest.mark.parametrize("status", [400, 405, 413, 415, 422])
def test_these_answers_refuse_the_job_before_it_is_made(status: int) -> None:
    assert answered(Reply(status, b"no")) == Answer(kind="refused", why=f"{status} no")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_these_answers_bar_whoever_asks(status: int) -> None:
    assert answered(Reply(status, b"no")) == Answer(kind="barred", why=f"{status} no")


@pytest.mark.parametrize("status", [202, 204, 300, 304, 408, 409, 410, 418, 424, 500, 501, 502, 503, 504])
def test_any_other_answer_is_ambiguous(status: int) -> None:
    assert answered(Reply(status)) == Answer(kind="ambiguous", why=str(status))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    assert answered(Reply(status, headers={"Location": "/elsewhere"})).kind == "ambiguous"


def test_a_reset_within_the_request_is_ambiguous() -> None:
    assert answered(Reset(), reset_at_first_byte=True) == Answer(kind="ambiguous", why="ConnectionError")


def test_a_reset_after_the_request_is_ambiguous() -> None:
    assert answered(Reset()) == Answer(kind="ambiguous", why="ConnectionError")


def test_an_answer_that_breaks_off_is_ambiguous() -> None:
    assert answered(Reply(201, JOB, length=10_000)).kind == "ambiguous"


def test_a_refused_connection_made_no_job(closed_port: int) -> None:
    answer = invoke(route(f"http://127.0.0.1:{closed_port}/jobs"), BODY, "token", "request-1")
    assert answer == Answer(
        kind="barred", why=f"no connection to 127.0.0.1:{closed_port} in 3 tries (ConnectionError)"
    )


def test_an_endpoint_whose_certificate_is_not_trusted_made_no_job(tls: ssl.SSLContext) -> None:
    with Endpoint(lambda _: Reply(201, JOB), tls=tls) as endpoint:
        answer = invoke(route(endpoint.url), BODY, "token", "request-1")
    assert answer.kind == "barred"
    assert answer.why.endswith("in 3 tries (SSLError)")
    assert endpoint.received == []


def test_a_tls_connection_that_breaks_after_the_request_is_ambiguous(
    tls: ssl.SSLContext, certificate: Path
) -> None:
    with (
        Endpoint(lambda _: Garbage(), tls=tls) as endpoint,
        requests.Session() as session,
        pytest.raises(requests.exceptions.SSLError) as broken,
    ):
        session.post(endpoint.url, json=BODY, verify=str(certificate), timeout=60)
    assert len(endpoint.received) == 1
    assert not never_connected(broken.value)


def test_no_answer_shows_the_token(closed_port: int) -> None:
    answer = invoke(route(f"http://127.0.0.1:{closed_port}/jobs"), BODY, "the-token", "request-1")
    assert "the-token" not in repr(answer)


def test_a_throttled_submission_is_told_how_long_to_wait() -> None:
    reply = Reply(429, b"slow down", {"Retry-After": "17"})
    assert answered(reply) == Answer(kind="throttled", why="429 slow down", retry_after=17)
    assert answered(Reply(429)) == Answer(kind="throttled", why="429", retry_after=0)


ENTRA = b"Microsoft Entra Token denied by policy, please review https://learn.microsoft.com/x"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"code": "BadArgument", "message": "No deployment."}}, "No deployment."),
        ({"Error": {"Code": "BadArgument", "Message": "No deployment."}}, "No deployment."),
        ({"code": "BadArgument", "message": "No deployment."}, "No deployment."),
        ({"Message": "No deployment."}, "No deployment."),
        ({"error": "No deployment."}, "No deployment."),
        (ENTRA, ENTRA.decode()),
        (b"two\n  lines", "two lines"),
        (b"", ""),
        ({}, ""),
        ([], ""),
        ({"error": {}}, ""),
    ],
)
def test_every_shape_of_error_body_gives_its_message(body: Any, message: str) -> None:
    assert answered(Reply(400, body)).why == f"400 {message}".strip()


@pytest.mark.parametrize("body", [b"x" * 5000, {"error": {"message": "x" * 5000}}])
def test_a_long_error_is_cut(body: Any) -> None:
    assert len(answered(Reply(400, body)).why) == len("400 ") + 300
