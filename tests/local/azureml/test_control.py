"""The control plane: a service that misbehaves on demand."""

from pathlib import Path

import pytest
import requests
from azure.core.exceptions import ResourceNotFoundError

from .client import Client, Serve, invocation, noted_processes, wait_until
from .scripts import PATIENT, patient_settings

FOLDER = "azureml://datastores/workspaceblobstore/paths/nothing"


def job_count(client: Client) -> int:
    """How many jobs there are."""
    return len(client.arm("/jobs").json()["value"])


@pytest.mark.parametrize("after", [False, True])
def test_an_invoke_can_lose_its_answer(client: Client, after: bool) -> None:
    client.control("faults", {"do": "reset", "on": "^POST", "after": after})
    with pytest.raises(requests.ConnectionError):
        client.post(invocation(FOLDER))
    assert job_count(client) == int(after)
    assert client.post(invocation(FOLDER)).status_code == 201


def test_canned_answers_are_given_in_their_order_and_make_jobs_only_where_asked(client: Client) -> None:
    error = {"error": {"code": "ServiceError"}}
    client.control(
        "faults",
        [
            {"do": "answer", "on": "^POST", "status": 500, "after": True, "body": error},
            {
                "do": "answer",
                "on": "^POST",
                "status": 429,
                "headers": {"Retry-After": "7"},
                "body": "slow down",
            },
        ],
    )
    first, second = client.post(invocation(FOLDER)), client.post(invocation(FOLDER))
    assert (first.status_code, first.json()) == (500, error)
    assert (second.status_code, second.headers["Retry-After"], second.text) == (429, "7", "slow down")
    assert job_count(client) == 1


@pytest.mark.parametrize(
    "wish", [{"do": "explode"}, {"do": "answer", "code": 5}, 7, {}, {"do": "reset", "on": "("}]
)
def test_an_unknown_fault_is_refused(client: Client, wish: object) -> None:
    assert client.control("faults", wish).status_code == 400
    assert requests.get(f"{client.base}/control/faults", timeout=10).json() == []


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


def test_a_job_made_after_its_client_has_given_up_is_a_job(client: Client) -> None:
    client.control("faults", {"do": "late", "on": "^POST", "seconds": 0.5})
    with pytest.raises(requests.ConnectionError):
        client.post(invocation(FOLDER))
    assert job_count(client) == 0
    wait_until(lambda: job_count(client) == 1)


def test_a_job_can_hide_from_the_lists_for_a_while(client: Client) -> None:
    client.control("faults", {"do": "hide", "seconds": 1.5})
    name = client.invoke(client.upload({"a": "x"}))
    assert job_count(client) == 0
    assert client.finished(name)["properties"]["status"] == "Completed"
    wait_until(lambda: job_count(client) == 1)


def test_a_job_shows_what_its_fault_says_and_then_the_truth(client: Client) -> None:
    shows = [["NotResponding", 1.0], ["Queued", 1.0]]
    client.control("faults", {"do": "show", "on": "capitals/first", "shows": shows})
    name = client.invoke(client.upload({"a": "x"}))
    seen = [client.status(name)]
    while seen[-1] != "Completed":
        wait_until(lambda: client.status(name) != seen[-1])
        seen.append(client.status(name))
    assert seen == ["NotResponding", "Queued", "Completed"]


def test_a_job_can_fail_for_any_reason_or_be_canceled_by_somebody(client: Client) -> None:
    client.control("faults", [{"do": "fail", "message": "The node was pre-empted."}, {"do": "cancel"}])
    failed, canceled = client.run({"a": "x"}), client.run({"b": "y"})
    assert failed["properties"]["status"] == "Failed"
    assert "pre-empted" in str(failed)
    assert canceled["properties"]["status"] == "Canceled"


FILES = {name: f"{name}1\n{name}2\n" for name in "abc"}
ROWS = sorted(f"{name} {name.upper()}{row}" for name in "abc" for row in (1, 2))


def scored(client: Client, **fault: object) -> list[str]:
    """The rows of a job whose output is spoilt."""
    client.control("faults", fault)
    return client.output(client.run(FILES)).splitlines()


@pytest.mark.parametrize(
    ("do", "lost", "added"),
    [
        ("drop-row", 1, 0),
        ("double-row", 0, 1),
        ("add-row", 0, 1),
        ("swap-rows", 0, 0),
        ("shuffle", 0, 0),
        ("repeat-batch", 0, 6),
        ("drop-batch", 6, 0),
    ],
)
def test_the_rows_of_an_output_can_be_spoilt(client: Client, do: str, lost: int, added: int) -> None:
    rows = scored(client, do=do)
    standing = [row for row in rows if row in ROWS]
    assert len(rows) == len(ROWS) - lost + added
    assert len(set(standing)) == len(ROWS) - lost


def test_an_output_can_end_within_a_row(client: Client) -> None:
    whole = scored(client, do="shuffle")
    cut = scored(client, do="truncate")
    assert len("\n".join(cut)) < len("\n".join(whole))


def test_an_output_can_be_missing_or_come_late(client: Client) -> None:
    client.control("faults", [{"do": "lose"}, {"do": "delay", "seconds": 1.0}])
    for _ in range(2):
        job = client.run(FILES)
        with pytest.raises(ResourceNotFoundError):
            client.output(job)
    wait_until(lambda: has_output(client, job))
    assert sorted(client.output(job).splitlines()) == ROWS


def has_output(client: Client, job: dict[str, object]) -> bool:
    try:
        return bool(client.output(job))
    except ResourceNotFoundError:
        return False
