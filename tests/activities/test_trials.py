"""A trial's steps on the emulated workspace: packed as a file is, submitted once, read back, deleted."""

from typing import Any

import pytest

from activities.trials import end_trial, look_at_trial, prepared, submit_trial
from shared.errors import FileRejected
from shared.trials import Trial
from tests.activities.conftest import App
from tests.e2e.drops import until

ROWS = b"id,x\na,1\nb,2\n"


def looked(trial: Trial) -> Trial | None:
    """The trial once it has its word."""
    found = Trial.from_dict(look_at_trial(trial.to_dict()))
    return found if found.outcome else None


def submitted(app: App, rows: bytes = ROWS, **changes: Any) -> Trial:
    app.set_routes(app.route(**changes))
    return Trial.from_dict(submit_trial(prepared(app.route(**changes), rows).to_dict()))


def test_a_sample_is_scored_and_nothing_of_it_is_left(app: App) -> None:
    trial = submitted(app)
    assert trial.job
    assert app.names("work", trial.id)
    ended = until(lambda: looked(trial), "the trial's word")
    assert (ended.outcome, ended.rows, ended.why) == ("succeeded", 2, "")
    assert end_trial(ended.to_dict())["left"] == []
    roles = ("inbox", "predictions", "work", "rejected", "archive")
    assert {role: app.names(role) for role in roles} == {role: [] for role in roles}
    assert app.names("ledger", "runs/") == []


def test_a_second_execution_of_its_submission_submits_nothing(app: App) -> None:
    trial = prepared(app.route(), ROWS)
    first = Trial.from_dict(submit_trial(trial.to_dict()))
    again = Trial.from_dict(submit_trial(trial.to_dict()))
    assert first.job
    assert (again.job, again.outcome) == ("", "failed")
    assert end_trial(again.to_dict())["left"] == []


@pytest.mark.parametrize("rows", [b"id,x\na,zz\n", b"id,x\n", b"id\na\n", b""])
def test_rows_that_a_file_may_not_have_are_refused_and_not_kept(rows: bytes, app: App) -> None:
    with pytest.raises(FileRejected):
        prepared(app.route(), rows)
    assert app.names("work") == []


def test_keys_are_looked_at_as_those_of_a_file(app: App) -> None:
    keyed = app.route(match="key", key="id", send=("id", "x"), carry=())
    with pytest.raises(FileRejected, match="have the same"):
        prepared(keyed, b"id,x\na,1\na,2\n")
    assert app.names("work") == []


def test_an_endpoint_that_is_not_there_is_told(app: App) -> None:
    trial = submitted(app, model=app.emulator.scoring_url("gone"))
    assert trial.outcome == "failed"
    assert "refuses the job: 404" in trial.why


def test_a_trial_that_takes_too_long_is_given_up(app: App) -> None:
    trial = prepared(app.route(), ROWS)
    app.sleep(hours=3)
    found = Trial.from_dict(look_at_trial(trial.to_dict()))
    assert (found.outcome, found.why) == ("failed", "the job did not end in time and is canceled")
