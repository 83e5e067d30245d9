"""Submitting once: whatever an execution finds, there is one POST per intent."""

from dataclasses import replace

import pytest
import requests

from activities.jobs import find_job, read_job, stop_job, submit_job
from activities.parts import pack
from local.azureml.workspace import ARM_AUDIENCE
from shared import clients
from shared.names import output_path
from shared.records import Launch, Run
from tests.activities.conftest import App


def ready(app: App, **changes: object) -> Launch:
    launch = app.opened(app.drop("double/a.csv", "id,x\na,1\n"), route=app.route(**changes))
    pack(launch.to_dict())
    return launch


def jobs(app: App, run: str) -> list[str]:
    """The names of the workspace's jobs for one run."""
    url: str | None = f"{app.emulator.url}{app.emulator.workspace}/jobs?api-version=2023-10-01"
    found: list[str] = []
    while url:
        bearer = {"Authorization": f"Bearer {app.emulator.token(ARM_AUDIENCE)}"}
        page = requests.get(url, headers=bearer, timeout=10).json()
        found += [job["name"] for job in page["value"] if run in str(job)]
        url = page.get("nextLink")
    return found


def intent(app: App, launch: Launch) -> Run:
    """An intent somebody else wrote, as a killed execution leaves it."""
    return app.ledger.submitting(launch, path=output_path(launch.run, 1, 1), nonce="somebody else")


def test_submitting_again_posts_nothing_and_knows_the_job(app: App) -> None:
    launch = ready(app)
    assert submit_job(launch.to_dict())["kind"] == "submitted"
    assert submit_job(launch.to_dict())["kind"] == "submitted"
    assert jobs(app, launch.run) == [app.run(launch).job]


def test_an_intent_of_a_killed_execution_is_searched_for_not_repeated(app: App) -> None:
    launch = ready(app)
    intent(app, launch)
    assert submit_job(launch.to_dict())["kind"] == "searching"
    assert app.run(launch).stage == "searching"
    assert jobs(app, launch.run) == []


def test_a_search_that_finds_nothing_allows_one_more_post_and_then_gives_up(app: App) -> None:
    launch = ready(app)
    intent(app, launch)
    submit_job(launch.to_dict())
    assert find_job(launch.to_dict())["kind"] == "again"
    assert (app.run(launch).stage, app.run(launch).post) == ("packed", 2)
    intent(app, launch)
    submit_job(launch.to_dict())
    assert find_job(launch.to_dict())["kind"] == "failed"
    assert app.run(launch).why.startswith("not accepted")


def test_a_search_adopts_the_oldest_job_and_cancels_the_spare_one(app: App) -> None:
    launch = ready(app)
    submit_job(launch.to_dict())
    run = app.run(launch)
    forget_job(app, launch)
    submit_job(launch.to_dict())
    spare = app.run(launch).job
    forget_job(app, launch, stage="searching")
    assert find_job(launch.to_dict())["kind"] == "submitted"
    assert (app.run(launch).job, app.run(launch).spares) == (run.job, [spare])
    assert app.run(launch).path == output_path(launch.run, 1, 1)


def forget_job(app: App, launch: Launch, stage: str = "packed") -> None:
    """As if the answer to the POST had been lost."""
    changes = {"stage": stage, "job": "", "post": 2, "intent_at": "2026-01-01T00:00:00.000Z"}
    app.ledger.change(launch, lambda run: run.but(**changes))


def test_without_a_list_of_jobs_a_person_must_decide(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    launch = ready(app)
    intent(app, launch)
    submit_job(launch.to_dict())
    blind = replace(clients.settings(), workspace="")
    monkeypatch.setattr(clients, "settings", lambda: blind)
    assert find_job(launch.to_dict())["kind"] == "failed"
    assert app.run(launch).why.startswith("submission-unknown")


def test_a_datastore_that_does_not_exist_fails_the_run_before_anything_is_spent(app: App) -> None:
    launch = ready(app, datastore="nowhere")
    assert submit_job(launch.to_dict())["kind"] == "failed"
    assert app.run(launch).stage == "packed"
    assert "404" in app.run(launch).why
    assert jobs(app, launch.run) == []


def test_trouble_before_the_post_is_waited_out(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    launch = ready(app)
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    clients.credential.cache_clear()
    assert submit_job(launch.to_dict()) == {"kind": "again", "wait": 30.0}
    monkeypatch.setenv("IDENTITY_HEADER", app.emulator.identity_header)
    clients.credential.cache_clear()
    assert submit_job(launch.to_dict())["kind"] == "submitted"
    assert jobs(app, launch.run) == [app.run(launch).job]


def test_a_look_without_a_token_counts_as_running(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    launch = ready(app)
    submit_job(launch.to_dict())
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    clients.credential.cache_clear()
    view = read_job(launch.to_dict())
    assert (view["state"], view["status"]) == ("running", "unreadable")


def test_an_endpoint_that_does_not_exist_fails_the_run_at_submit(app: App) -> None:
    launch = ready(app, model=f"{app.emulator.url}/endpoints/nowhere/jobs")
    assert submit_job(launch.to_dict())["kind"] == "failed"
    assert app.run(launch).failed_stage == "submit"
    assert "404" in app.run(launch).why


def test_a_job_that_cannot_be_read_counts_as_running(app: App) -> None:
    launch = ready(app)
    submit_job(launch.to_dict())
    app.ledger.change(launch, lambda run: run.but(job="batchjob-that-never-was"))
    view = read_job(launch.to_dict())
    assert (view["state"], view["status"]) == ("running", "unreadable")


def test_a_job_we_cancel_ends_for_our_reason(app: App) -> None:
    launch = ready(app, model=app.emulator.scoring_url("endless"))
    submit_job(launch.to_dict())
    stop_job({"launch": launch.to_dict(), "reason": "timed-out"})
    view = read_job(launch.to_dict())
    while view["state"] == "running":
        view = read_job(launch.to_dict())
    assert (app.run(launch).job_outcome, app.run(launch).stage) == ("timed-out", "ended")
    assert "deadline" in app.run(launch).why


def test_no_token_is_in_what_activities_answer(app: App) -> None:
    launch = ready(app)
    answers = [submit_job(launch.to_dict()), read_job(launch.to_dict())]
    assert "eyJ" not in str(answers)
