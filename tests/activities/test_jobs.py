"""Submitting once: whatever an execution finds, there is one POST per intent."""

from dataclasses import replace

import pytest
import requests

from activities.jobs import find_job, read_job, stop_job, submit_job, workers
from shared import azureml, clients
from shared.names import output_path
from shared.records import JobView, Launch, Run
from tests.activities.conftest import ONE_ROW, App
from tests.activities.stages import jobs, packed


def ready(app: App, **changes: object) -> Launch:
    return packed(app, app.drop("double/a.csv", ONE_ROW), route=app.route(**changes))


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


def test_a_datastore_that_does_not_exist_holds_the_route_before_anything_is_spent(app: App) -> None:
    launch = ready(app, datastore="nowhere")
    assert submit_job(launch.to_dict())["kind"] == "held"
    assert app.run(launch).stage == "packed"
    assert "404" in app.run(launch).held
    assert app.ledger.held(app.route(datastore="nowhere")) is not None
    assert app.ledger.held(app.route()) is None
    assert jobs(app, launch.run) == []


def test_an_identity_that_is_refused_before_the_post_holds_the_route(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = ready(app)
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    clients.credential.cache_clear()
    assert submit_job(launch.to_dict())["kind"] == "held"
    assert "gets no token" in app.run(launch).held
    assert jobs(app, launch.run) == []


def test_trouble_before_the_post_is_waited_out(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    launch = ready(app)
    monkeypatch.setattr(clients, "token", unreachable)
    assert submit_job(launch.to_dict()) == {"kind": "again", "wait": 30.0}
    monkeypatch.undo()


def unreachable(audience: str) -> str:
    raise requests.ConnectionError(audience)


def test_no_job_is_submitted_after_the_deadline(app: App) -> None:
    launch = ready(app, deadline="10m")
    app.sleep(minutes=11)
    assert submit_job(launch.to_dict())["kind"] == "failed"
    assert "deadline" in app.run(launch).why
    assert jobs(app, launch.run) == []


def test_a_look_without_a_token_counts_as_running(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    launch = ready(app)
    submit_job(launch.to_dict())
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    clients.credential.cache_clear()
    view = read_job(launch.to_dict())
    assert (view["state"], view["status"]) == ("running", "unreadable")


def test_an_endpoint_that_does_not_exist_holds_the_route(app: App) -> None:
    elsewhere = f"{app.emulator.url}/endpoints/nowhere/jobs"
    launch = ready(app, model=elsewhere)
    assert submit_job(launch.to_dict())["kind"] == "held"
    assert app.run(launch).stage == "packed"
    assert "404" in app.run(launch).held
    assert app.ledger.held(app.route()) is None
    assert app.ledger.held(app.route(model=elsewhere)) is not None


def test_a_run_that_was_turned_away_stays_so_when_it_is_taken_up_again(app: App) -> None:
    launch = ready(app, datastore="nowhere")
    submit_job(launch.to_dict())
    assert submit_job(launch.to_dict())["kind"] == "held"


def test_a_run_that_is_to_be_canceled_submits_nothing(app: App) -> None:
    launch = ready(app)
    app.ledger.cancel(launch.run)
    assert submit_job(launch.to_dict())["kind"] == "failed"
    assert app.run(launch).job_outcome == "canceled"
    assert jobs(app, launch.run) == []


def test_a_run_that_is_canceled_while_it_submits_posts_nothing(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = ready(app)
    tokens = clients.token

    def canceling(audience: str) -> str:
        app.ledger.cancel(launch.run)
        return tokens(audience)

    monkeypatch.setattr(clients, "token", canceling)
    assert submit_job(launch.to_dict())["kind"] == "failed"
    assert app.run(launch).job_outcome == "canceled"
    assert jobs(app, launch.run) == []


def test_a_wait_shows_that_the_run_lives_every_few_minutes(app: App) -> None:
    launch = ready(app, model=app.emulator.scoring_url("endless"))
    submit_job(launch.to_dict())
    begun = app.run(launch).progress_at
    app.sleep(minutes=4)
    read_job(launch.to_dict())
    assert app.run(launch).progress_at == begun
    app.sleep(minutes=2)
    read_job(launch.to_dict())
    assert app.run(launch).progress_at > begun
    stop_job({"launch": launch.to_dict(), "reason": "canceled"})


def test_a_look_at_a_job_that_has_ended_says_how(app: App) -> None:
    launch = ready(app)
    submit_job(launch.to_dict())
    app.ledger.ended(launch, app.run(launch), "timed-out", why="", studio="")
    assert read_job(launch.to_dict())["state"] == "timed-out"


def preempted(app: App, launch: Launch, monkeypatch: pytest.MonkeyPatch) -> JobView:
    """A look at a job whose nodes were taken away."""
    error = {"code": "UserError", "message": "The node was pre-empted."}
    resource = {"properties": {"status": "Failed"}, "error": error}
    monkeypatch.setattr(azureml, "get", lambda *_: resource)
    view = JobView.from_dict(read_job(launch.to_dict()))
    monkeypatch.undo()
    return view


def test_a_job_whose_nodes_were_taken_away_is_submitted_once_more(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = ready(app)
    submit_job(launch.to_dict())
    first = app.run(launch).job
    with monkeypatch.context() as patch:
        assert preempted(app, launch, patch).state == "preempted"
    assert (app.run(launch).stage, app.run(launch).post) == ("packed", 2)
    assert submit_job(launch.to_dict())["kind"] == "submitted"
    assert app.run(launch).job != first
    with monkeypatch.context() as patch:
        assert preempted(app, launch, patch).state == "failed"
    assert app.run(launch).job_outcome == "failed"


def test_a_search_never_adopts_a_job_that_was_preempted(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    launch = ready(app)
    submit_job(launch.to_dict())
    with monkeypatch.context() as patch:
        preempted(app, launch, patch)
    intent(app, launch)
    app.ledger.searching(launch)
    assert find_job(launch.to_dict())["kind"] == "failed"
    assert app.run(launch).job == ""


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


def test_a_run_knows_how_many_processes_score_its_parts(app: App) -> None:
    assert workers(app.run(ready(app))) == 1
    own = {"name": "ownfiles", "model": app.emulator.scoring_url("ownfiles")}
    assert workers(app.run(ready(app, **own))) == 2


def test_where_the_deployment_cannot_be_read_one_process_is_counted_on(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = app.run(ready(app, deployment="another"))
    assert workers(run) == 1
    monkeypatch.setenv("DROPSCORE_WORKSPACE", "")
    clients.settings.cache_clear()
    assert workers(run) == 1
