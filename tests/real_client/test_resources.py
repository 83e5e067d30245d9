"""The real client makes, changes and deletes what a workspace holds."""

from typing import Any

import pytest

from .conftest import ENDPOINT, Run

pytestmark = [pytest.mark.full, pytest.mark.timeout(600), pytest.mark.xdist_group("real_client")]

ENDPOINT_PATH = f"{{WS}}/batchEndpoints/{ENDPOINT}"
CODE = "{WS}/codes/"


def test_an_endpoint_is_put_polled_and_read(created: dict[str, Any]) -> None:
    requests = created["endpoint_requests"]
    assert requests[:2] == ["GET {WS}", f"PUT {ENDPOINT_PATH}"]
    assert all("/mfeOperationsStatus/bebes:" in polled for polled in requests[2:-1])
    assert len(requests) > 3
    assert requests[-1] == f"GET {ENDPOINT_PATH}"


def test_the_code_of_a_deployment_is_uploaded_before_it_is_put(created: dict[str, Any]) -> None:
    requests = created["deployment_requests"]
    assert requests[0] == f"GET {ENDPOINT_PATH}"
    listed, upload, kept = (one for one in requests if CODE in one)
    assert (listed.split()[0], listed.rpartition("/")[2]) == ("GET", "versions")
    assert (upload.split()[0], upload.rpartition("/")[2]) == ("POST", "startPendingUpload")
    assert kept.startswith("PUT")
    put = requests.index(f"PUT {ENDPOINT_PATH}/deployments/blue")
    assert requests.index(kept) < put
    assert requests[-1] == f"GET {ENDPOINT_PATH}/deployments/blue"


def test_what_was_made_is_read_as_it_was_given(created: dict[str, Any]) -> None:
    assert (created["cluster"], created["latest_model"], created["data"]) == ("Succeeded", "1", "1")
    assert (created["default"], created["tags"]) == ("blue", {"by": "tests"})
    assert ENDPOINT in created["endpoints"]
    assert created["deployments"] == ["blue"]
    assert created["deployment"]["state"] == "Succeeded"
    assert (created["deployment"]["mini_batch_size"], created["deployment"]["timeout"]) == (2, 60)
    assert created["deployment"]["compute"].endswith("/computes/small")
    assert created["deployment"]["script"] == "score.py"
    assert created["datastore"] == "workspaceblobstore"
    assert "elsewhere" in created["datastores"]
    assert created["container"] == "elsewhere"


def test_what_is_deleted_is_gone_after_its_operation(run: Run) -> None:
    told = run("delete", "doomed")
    assert (told["there"], told["gone"]) == (True, True)
    assert told["requests"][0] == "DELETE {WS}/batchEndpoints/doomed"
    assert any("/mfeOperation" in one for one in told["requests"][1:])
    assert "spare" not in told["computes"]
