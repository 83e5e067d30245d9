"""The control plane: a service that misbehaves on demand."""

from pathlib import Path

import pytest
import requests

from .client import Client, Serve, invocation, noted_processes, wait_until
from .scripts import PATIENT, patient_settings

FOLDER = "azureml://datastores/workspaceblobstore/paths/nothing"


def job_count(client: Client) -> int:
    """How many jobs there are."""
    return len(client.arm("/jobs").json()["value"])


@pytest.mark.parametrize(("do", "made"), [("reset-before-create", 0), ("reset-after-create", 1)])
def test_an_invoke_can_lose_its_answer(client: Client, do: str, made: int) -> None:
    client.control("invoke", {"do": do})
    with pytest.raises(requests.ConnectionError):
        client.post(invocation(FOLDER))
    assert job_count(client) == made
    assert client.post(invocation(FOLDER)).status_code == 201


def test_canned_answers_are_given_in_their_order_and_make_jobs_only_where_asked(client: Client) -> None:
    error = {"error": {"code": "ServiceError"}}
    client.control(
        "invoke",
        [
            {"do": "answer", "status": 500, "create": True, "body": error},
            {"do": "answer", "status": 429, "headers": {"Retry-After": "7"}, "body": "slow down"},
        ],
    )
    first, second = client.post(invocation(FOLDER)), client.post(invocation(FOLDER))
    assert (first.status_code, first.json()) == (500, error)
    assert (second.status_code, second.headers["Retry-After"], second.text) == (429, "7", "slow down")
    assert job_count(client) == 1


@pytest.mark.parametrize("wish", [{"do": "explode"}, {"do": "answer", "code": 5}, 7, {}])
def test_an_unknown_behaviour_is_refused(client: Client, wish: object) -> None:
    assert client.control("invoke", wish).status_code == 400


def test_a_job_can_report_any_status_until_the_true_one_is_asked_for_again(client: Client) -> None:
    name = client.invoke(client.upload({"a": "x"}))
    client.finished(name)
    client.control(f"jobs/{name}", {"report": "Mystery"})
    assert client.status(name) == "Mystery"
    assert client.arm(f"/jobs/{name}").json()["properties"]["status"] == "Mystery"
    client.control(f"jobs/{name}", {"report": None})
    assert client.status(name) == "Completed"


def test_somebody_can_cancel_a_job_in_the_studio(serve: Serve, tmp_path: Path) -> None:
    client = serve(PATIENT, **patient_settings(tmp_path))
    name = client.invoke(client.upload({"a": ""}))
    wait_until(lambda: bool(noted_processes(tmp_path)))
    assert client.control(f"jobs/{name}", {"cancel": True}).status_code == 204
    assert client.finished(name)["properties"]["status"] == "Canceled"
    assert client.control("jobs/unknown", {"cancel": True}).status_code == 404
    assert client.control(f"jobs/{name}", {"wish": 1}).status_code == 400
