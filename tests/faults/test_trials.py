"""`doctor --job` on the whole stack: what a trial proves, what it finds, and that it leaves nothing."""

from pathlib import Path

import pytest
import requests

from local.azureml.workspace import ARM_AUDIENCE, WORKSPACE_ID
from tests.e2e.drops import until
from tests.faults.patient import Fault, Found, Patient
from tests.faults.test_doctor import answer, blob_call, storage_error

pytestmark = pytest.mark.full
ROWS = "id,x\nr0,1\nr1,2\nr2,3\n"
INVOKE = "POST /endpoints/double/jobs"


def tried(patient: Patient, folder: Path, *typed: str, rows: str = ROWS) -> Found:
    sample = folder / "sample.csv"
    sample.write_text(rows)
    return patient.doctor("--job", "--route", "double", "--sample", str(sample), *typed)


def left_in(patient: Patient) -> list[str]:
    """What lies where a trial works, or might have published something."""
    roles = ("work", "azureml", "inbox", "predictions", "rejected", "archive", "status")
    return [blob.name for role in roles for blob in patient.stack.container(role).list_blobs()]


def jobs(patient: Patient) -> list[str]:
    """The status of every job of the workspace."""
    stack = patient.stack
    identity = {"X-IDENTITY-HEADER": stack.secret}
    asked = {"resource": ARM_AUDIENCE, "api-version": "2019-08-01"}
    token = requests.get(f"{stack.azureml_url}/msi/token", params=asked, headers=identity, timeout=10).json()
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    url = f"{stack.azureml_url}{WORKSPACE_ID}/jobs?api-version=2023-10-01"
    listed = requests.get(url, headers=bearer, timeout=10).json()["value"]
    return [str(one["properties"]["status"]) for one in listed]


def test_a_sample_is_scored_once_read_back_and_deleted(patient: Patient, tmp_path: Path) -> None:
    before = len(jobs(patient))
    found = tried(patient, tmp_path)
    trial = found.document["trial"]
    assert (found.exit_code, trial["status"], trial["rows"]) == (0, "succeeded", 3)
    assert (trial["why"], trial["left"]) == ("", [])
    assert (len(jobs(patient)) - before, trial["job_status"]) == (1, "Completed")
    assert left_in(patient) == []
    listed = [blob.name for blob in patient.stack.container("ledger").list_blobs()]
    assert not [
        name for name in listed if name.startswith(("runs/", "closed/", "open/", "waiting/", "slots/"))
    ]


def test_a_sample_that_the_route_would_reject_costs_nothing(patient: Patient, tmp_path: Path) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_text("id,x\nr0,secret\n")
    before = jobs(patient)
    code, told = patient.typed("doctor", "--job", "--route", "double", "--sample", str(sample))
    assert code == 1
    assert "is not a number" in told
    assert "secret" not in told
    assert (jobs(patient), left_in(patient)) == (before, [])


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"do": "fail", "on": "double/", "message": "PermissionError: no"}, "its job failed: "),
        ({"do": "cancel", "on": "double/"}, "its job was canceled in Azure ML"),
        ({"do": "lose", "on": "double/"}, "the job wrote nothing to dropscore/"),
        ({"do": "drop-row", "on": "double/"}, "The job returned 2 of 3 rows"),
        (answer(INVOKE, 403, "no"), "refuses the job: 403"),
        (answer("GET .*/datastores/", 404), "Azure ML answered 404"),
        (
            answer("GET /endpoints/double/jobs/batchjob", 403),
            "its job may not be read: Azure ML answered 403",
        ),
    ],
    ids=["failed", "canceled", "lost", "incomplete", "barred", "no datastore", "unreadable"],
)
def test_what_a_job_shows_is_told_and_nothing_is_left(
    fault: Fault, why: str, patient: Patient, tmp_path: Path
) -> None:
    patient.azureml(fault)
    found = tried(patient, tmp_path)
    trial = found.document["trial"]
    assert (found.exit_code, trial["status"]) == (1, "failed")
    assert why in trial["why"]
    assert left_in(patient) == []


def test_a_job_that_fails_says_how_to_let_its_cluster_in(patient: Patient, tmp_path: Path) -> None:
    patient.azureml({"do": "fail", "on": "double/", "message": "AuthorizationPermissionMismatch"})
    trial = tried(patient, tmp_path).document["trial"]
    assert '--role "Storage Blob Data Reader"' in trial["advice"]
    assert trial["advice"].endswith("/containers/work")


@pytest.mark.parametrize("after", [True, False], ids=["made", "not made"])
def test_a_lost_answer_is_no_reason_for_a_second_job(after: bool, patient: Patient, tmp_path: Path) -> None:
    before = len(jobs(patient))
    patient.azureml({"do": "reset", "on": INVOKE, "after": after})
    trial = tried(patient, tmp_path).document["trial"]
    assert trial["status"] == "failed"
    assert "the answer to its submission was lost" in trial["why"]
    patient.calm()
    assert len(jobs(patient)) - before == int(after)
    until(lambda: "Running" not in jobs(patient), "the job's end")


def test_raw_predictions_that_may_not_be_deleted_are_named(patient: Patient, tmp_path: Path) -> None:
    refused = storage_error("AuthorizationPermissionMismatch")
    patient.storage(answer(blob_call("DELETE", "azureml/"), 403, **refused))
    found = tried(patient, tmp_path)
    [left] = found.document["trial"]["left"]
    assert (found.exit_code, found.document["trial"]["status"]) == (0, "succeeded")
    assert left == f"dropscore/{found.document['trial']['trial']}/1/1/ on the datastore workspaceblobstore"
    for blob in patient.stack.container("azureml").list_blobs():
        patient.stack.container("azureml").delete_blob(blob.name)


def test_a_trial_that_nobody_waits_for_is_canceled(patient: Patient, tmp_path: Path) -> None:
    patient.azureml({"do": "show", "on": "double/", "shows": [["Running", 60]]})
    sample = tmp_path / "sample.csv"
    sample.write_text(ROWS)
    words = ("doctor", "--job", "--route", "double", "--sample", str(sample), "--timeout", "2s")
    assert patient.typed(*words)[0] == 6
    until(lambda: not left_in(patient), "nothing to be left")


def test_no_cell_of_a_sample_is_written_where_it_does_not_belong(patient: Patient, tmp_path: Path) -> None:
    sample, planted = tmp_path / "sample.csv", "Qx4711planted"
    sample.write_text(f"x\n{planted}\n")
    _, told = patient.typed("doctor", "--job", "--route", "everything", "--sample", str(sample))
    assert "its job failed: " in told
    host = patient.stack.state / "host"
    kept = [*host.glob("*"), patient.stack.state / "logs" / "host.log"]
    searched = b"".join(path.read_bytes() for path in kept if path.is_file())
    ledger = patient.stack.container("ledger")
    searched += b"".join(ledger.download_blob(blob.name).readall() for blob in ledger.list_blobs())
    assert b"everything" in searched
    assert planted.encode() not in searched
    assert planted not in told


def test_an_unknown_trial_is_not_there(patient: Patient) -> None:
    url = f"{patient.stack.host_url}/api/trials"
    for name in ("01M8G48MJERVBZB7T095G3MC0J", "no%2Fname"):
        assert requests.get(f"{url}/{name}", timeout=10).status_code == 404
        assert requests.post(f"{url}/{name}/cancel", timeout=10).status_code == 404
