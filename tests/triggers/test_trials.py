"""Trials over HTTP."""

import pytest

from shared.trials import LARGEST_SAMPLE
from tests.activities.conftest import App
from tests.triggers.api import Api

START = "/routes/double/trial"


def test_a_trial_is_prepared_and_its_orchestration_is_started(api: Api, app: App) -> None:
    told = api("POST", START, "id,x\na,1\nb,2\n")
    trial = told.body["trial"]
    assert (told.status, told.body["rows"]) == (202, 2)
    assert told.headers["Location"] == told.body["url"] == f"https://app.example/api/trials/{trial}"
    assert list(api.client.trials) == [f"trial-{trial}"]
    assert api.client.trials[f"trial-{trial}"]["route"] == "double"
    assert app.names("inbox") == []


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (START, "", 400, "empty-file"),
        (START, "id,x\n" + "a,1\n" * (LARGEST_SAMPLE // 4), 413, "file-too-large"),
        (START, "id,x\na,none\n", 422, "bad-sample"),
        ("/routes/none/trial", "id,x\na,1\n", 404, "no-such-route"),
    ],
)
def test_what_is_no_sample_starts_nothing(path: str, body: str, status: int, code: str, api: Api) -> None:
    told = api("POST", path, body)
    assert (told.status, told.code) == (status, code)
    assert not api.client.trials


def test_an_unknown_trial_is_not_there(api: Api) -> None:
    for name in ("T", "%2E"):
        assert api("GET", f"/trials/{name}").code == "no-such-trial"
        assert api("POST", f"/trials/{name}/cancel").code == "no-such-trial"
