"""call_http: what arrives there, what comes back, and that the steps after it get their own results."""

import json
from typing import Any

import pytest

from tests.local.host.harness import DurableApi, RunningHost


def call(durable: DurableApi, **request: Any) -> dict[str, Any]:
    status = durable.run("with_http", request)
    assert status["runtimeStatus"] == "Completed", status["output"]
    answer, after = status["output"]
    assert after == "after"
    return dict(answer)


@pytest.mark.parametrize(
    ("request_", "arrives"),
    [
        ({"method": "GET"}, ["GET", "", None, None]),
        ({"method": "POST", "content": {"a": 1}}, ["POST", '{"a": 1}', None, "text/plain"]),
        ({"method": "PUT", "content": "raw", "is_raw_str": True}, ["PUT", "raw", None, "text/plain"]),
        ({"method": "POST", "content": "quoted"}, ["POST", '"quoted"', None, "text/plain"]),
        (
            {
                "method": "POST",
                "content": [],
                "headers": {"x-sample": "s", "Content-Type": "application/json"},
            },
            ["POST", "[]", "s", "application/json"],
        ),
    ],
)
def test_a_request_arrives_as_it_was_written(
    durable: DurableApi, durable_host: RunningHost, request_: dict[str, Any], arrives: list[Any]
) -> None:
    answer = call(durable, uri=f"{durable_host.url}/api/answers/200", **request_)
    assert (answer["statusCode"], json.loads(answer["content"])) == (200, arrives)


@pytest.mark.parametrize("status", [202, 404, 500])
def test_any_answer_is_a_result_and_a_202_is_not_followed(
    durable: DurableApi, durable_host: RunningHost, status: int
) -> None:
    answer = call(durable, method="GET", uri=f"{durable_host.url}/api/answers/{status}")
    assert answer["statusCode"] == status
    assert answer["headers"]["x-seen"] == "yes"
    assert "Content-Type" not in answer["headers"]


def test_no_answer_fails_the_step(durable: DurableApi) -> None:
    status = durable.run("with_http", {"method": "GET", "uri": "http://127.0.0.1:1/"})
    assert status["runtimeStatus"] == "Failed"
    assert "failed: GET failed: ClientConnectorError" in status["output"]


def test_multipart_content_is_refused_as_on_azure(durable: DurableApi, durable_host: RunningHost) -> None:
    headers = {"content-type": "multipart/form-data"}
    request = {"method": "POST", "uri": f"{durable_host.url}/api/answers/200", "headers": headers}
    assert "Multipart content is not supported" in durable.run("with_http", request)["output"]
