"""The sweep's patience: which runs are taken up, ended or left alone, when held routes are tried again."""

import pytest
from azure.durable_functions import OrchestrationRuntimeStatus as Status

from activities.jobs import submit_job
from activities.parts import pack
from activities.runs import authenticate, gather, kick
from activities.sweeps import LAUNCHES, LAUNCHES_OF_A_PAID_RUN, begin_sweep, end_sweep, start_waiting
from shared import clients
from shared.errors import Fenced
from shared.ledger_slots import FIRST_HOLD
from shared.records import Launch, Verdict
from shared.routes import Route
from tests.activities.conftest import ONE_ROW, App
from tests.activities.durable_client import Client, called
from tests.activities.stages import jobs


def swept(client: Client) -> int:
    started: int = called(start_waiting, "sweep-1", client)
    return started


def showing(launch: Launch, status: Status | None) -> Client:
    """A client that shows one orchestration, or none."""
    return Client(**({launch.instance_id: status} if status else {}))


@pytest.fixture
def slotted(app: App) -> Launch:
    """A run of a waiting file that has got its slot and no record."""
    app.set_routes(app.route())
    app.wait("double/a.csv")
    [launch] = kick(app.route())
    return launch


@pytest.fixture
def begun(slotted: Launch) -> Launch:
    """A run of a waiting file that has its record."""
    assert authenticate(slotted.to_dict())
    return slotted


@pytest.mark.parametrize("status", [None, Status.Failed])
def test_a_run_is_given_half_a_minute(app: App, begun: Launch, status: Status | None) -> None:
    app.sleep(seconds=25)
    assert swept(showing(begun, status)) == 0


@pytest.mark.parametrize(
    "status", [None, Status.Failed, Status.Terminated, Status.Completed, Status.Canceled]
)
def test_a_run_whose_orchestration_is_gone_is_taken_up(
    app: App, begun: Launch, status: Status | None
) -> None:
    app.sleep(seconds=35)
    client = showing(begun, status)
    assert swept(client) == 1
    assert list(client.started) == [f"{begun.run}-2"]
    with pytest.raises(Fenced):
        gather(begun.to_dict())


@pytest.mark.parametrize(("minutes", "ended"), [(29, False), (31, True)])
def test_an_orchestration_that_does_nothing_for_half_an_hour_is_ended(
    app: App, begun: Launch, minutes: float, ended: bool
) -> None:
    app.sleep(minutes=minutes)
    client = showing(begun, Status.Running)
    assert swept(client) == 0
    assert client.terminated == ([begun.instance_id] if ended else [])


def test_a_run_whose_orchestration_was_ended_is_taken_up_by_the_next_sweep(app: App, begun: Launch) -> None:
    app.sleep(minutes=31)
    swept(showing(begun, Status.Running))
    client = showing(begun, Status.Terminated)
    assert swept(client) == 1
    assert list(client.started) == [f"{begun.run}-2"]


def test_a_run_whose_orchestration_no_host_takes_is_taken_up_all_the_same(app: App, begun: Launch) -> None:
    """As after a return to an older version, which leaves the newer version's orchestrations alone for good."""
    app.sleep(minutes=61)
    client = showing(begun, Status.Running)
    assert swept(client) == 1
    assert (client.terminated, list(client.started)) == ([], [f"{begun.run}-2"])


def test_a_run_that_shows_that_it_lives_is_left_alone(app: App, begun: Launch) -> None:
    app.sleep(minutes=20)
    app.ledger.progressing(begun)
    app.sleep(minutes=20)
    client = showing(begun, Status.Running)
    assert swept(client) == 0
    assert client.terminated == []


@pytest.mark.parametrize(("minutes", "started"), [(4, 0), (6, 1)])
def test_an_orchestration_stuck_in_pending_is_given_five_minutes(
    app: App, begun: Launch, minutes: float, started: int
) -> None:
    app.sleep(minutes=minutes)
    client = showing(begun, Status.Pending)
    assert swept(client) == started
    assert list(client.started) == [f"{begun.run}-2"][:started]


def test_a_run_stuck_in_pending_without_a_record_is_closed_and_its_file_taken_by_another(
    app: App, slotted: Launch
) -> None:
    app.sleep(minutes=6)
    client = showing(slotted, Status.Pending)
    assert swept(client) == 1
    assert app.run(slotted).outcome == "empty"
    [started] = client.started.values()
    assert started["run"] != slotted.run
    assert not authenticate(slotted.to_dict())


def test_a_run_that_got_a_slot_and_never_began_is_started(app: App, slotted: Launch) -> None:
    app.sleep(minutes=1)
    client = Client()
    assert swept(client) == 1
    assert list(client.started) == [slotted.instance_id]


def test_a_run_that_ended_without_a_record_leaves_its_slot_to_another(app: App, slotted: Launch) -> None:
    app.sleep(minutes=1)
    client = showing(slotted, Status.Completed)
    assert swept(client) == 1
    [started] = client.started.values()
    assert started["run"] != slotted.run


def spent(app: App, launches: int) -> None:
    """So many launches in a row have ended, and no more than these were made."""
    for number in range(1, launches + 1):
        app.sleep(minutes=31)
        assert swept(Client()) == (number < launches)


def test_each_launch_is_given_twice_as_long_as_the_one_before(app: App, begun: Launch) -> None:
    for seconds in (30, 60, 120):
        app.sleep(seconds=seconds - 10)
        assert swept(Client()) == 0
        app.sleep(seconds=15)
        assert swept(Client()) == 1


def searching(app: App, launch: Launch) -> None:
    """A packed run one of whose POSTs had no usable answer."""
    gather(launch.to_dict())
    pack(launch.to_dict())
    assert submit_job(launch.to_dict())["kind"] == "submitted"
    app.ledger.change(launch, lambda run: run.but(stage="searching", job="", job_id=""))


def test_a_run_that_may_be_paid_for_is_given_more_launches(app: App, begun: Launch) -> None:
    searching(app, begun)
    spent(app, LAUNCHES_OF_A_PAID_RUN)
    assert (app.run(begun).stage, app.run(begun).outcome) == ("closed", "failed")


def test_the_job_of_a_run_that_is_given_up_is_found_and_canceled(
    app: App, begun: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    searching(app, begun)
    canceled: list[str] = []
    monkeypatch.setattr("activities.jobs.cancel", lambda job, job_id: canceled.append(job))
    spent(app, LAUNCHES_OF_A_PAID_RUN)
    assert canceled == jobs(app, begun.run)
    assert len(canceled) == 1


def test_where_nobody_can_look_for_the_job_of_a_run_that_is_given_up_a_person_must(
    app: App, begun: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    searching(app, begun)
    monkeypatch.setenv("DROPSCORE_WORKSPACE", "")
    clients.settings.cache_clear()
    spent(app, LAUNCHES_OF_A_PAID_RUN)
    assert app.run(begun).why.startswith("submission-unknown")


def test_a_run_that_no_launch_can_finish_is_closed_and_its_route_goes_on(app: App, begun: Launch) -> None:
    gather(begun.to_dict())
    spent(app, LAUNCHES)
    assert (app.run(begun).stage, app.run(begun).outcome) == ("closed", "failed")
    assert [word.word for word in app.ledger.results(app.run(begun))] == ["failed"]
    assert list(app.ledger.held_slots(app.route())) == []


def test_files_that_wait_for_a_free_slot_are_started(app: App) -> None:
    app.set_routes(app.route(), app.named())
    app.wait("double/a.csv", "named/b.csv")
    client = Client()
    assert swept(client) == 2
    assert {started["route"] for started in client.started.values()} == {"double", "named"}


def held(app: App, route: Route, times: int = 1) -> None:
    """A route with a waiting file that was turned away so many times in a row."""
    app.set_routes(route)
    app.wait("double/a.csv")
    for time in range(times):
        app.ledger.lift(route)
        assert app.ledger.hold(route, f"refusal {time}")


def test_a_held_route_is_tried_again_once_its_endpoint_answers(app: App) -> None:
    held(app, app.route())
    assert swept(Client()) == 1
    assert app.ledger.held(app.route()) is None


@pytest.mark.parametrize("model", ["{emulator}/nowhere", "http://127.0.0.1:9/jobs"], ids=["404", "nobody"])
def test_a_held_route_whose_endpoint_does_not_answer_stays_held(app: App, model: str) -> None:
    route = app.route(model=model.format(emulator=app.emulator.url))
    held(app, route)
    assert swept(Client()) == 0
    assert app.ledger.held(route) is not None


def test_a_held_route_is_not_probed_without_tokens(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    held(app, app.route())
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    clients.credential.cache_clear()
    assert swept(Client()) == 0
    assert app.ledger.held(app.route()) is not None


def test_a_held_route_is_tried_again_when_its_time_is_over_whatever_the_endpoint_answers(app: App) -> None:
    route = app.route(model=f"{app.emulator.url}/nowhere")
    held(app, route)
    app.sleep(seconds=FIRST_HOLD.total_seconds() - 5)
    assert swept(Client()) == 0
    app.sleep(seconds=10)
    assert swept(Client()) == 1


def test_after_a_second_refusal_only_time_lifts_the_hold(app: App) -> None:
    held(app, app.route(), times=2)
    assert swept(Client()) == 0
    app.sleep(seconds=2 * FIRST_HOLD.total_seconds() + 5)
    assert swept(Client()) == 1


def test_one_sweep_is_at_work_at_a_time(app: App) -> None:
    assert begin_sweep("sweep-1")
    assert not begin_sweep("sweep-2")
    end_sweep("sweep-1")
    assert begin_sweep("sweep-2")


@pytest.fixture
def ended_long_ago(app: App) -> Launch:
    """A run that has published, kept its parts, and closed half a year ago; its file is gone."""
    version = app.drop("double/a.csv", ONE_ROW)
    launch = app.opened(version)
    app.ledger.resulted(
        launch, app.ledger.fenced(launch), [Verdict(version=version.key, blob=version.blob, word="published")]
    )
    app.ledger.closed(launch, "succeeded")
    app.container("inbox").delete_blob(version.blob)
    app.sleep(days=180)
    return launch


def cleared(sweep: str) -> None:
    assert begin_sweep(sweep)
    end_sweep(sweep)


def test_what_ended_long_ago_is_cleared(app: App, ended_long_ago: Launch) -> None:
    cleared("sweep-1")
    assert app.ledger.run(ended_long_ago.run) is None
    assert app.names("ledger", "versions/") == []
    assert app.names("work", f"{ended_long_ago.run}/") == []


def test_a_file_that_still_lies_in_the_inbox_keeps_its_records(app: App, ended_long_ago: Launch) -> None:
    version = app.drop("double/a.csv", ONE_ROW)
    launch = app.opened(version)
    app.ledger.closed(launch, "succeeded")
    app.sleep(days=180)
    cleared("sweep-1")
    assert app.ledger.version(version) is not None
    assert app.ledger.run(launch.run) is not None
    assert app.ledger.run(ended_long_ago.run) is None


def test_old_records_are_cleared_once_an_hour(app: App, ended_long_ago: Launch) -> None:
    app.ledger.begin_sweep("sweep-0")
    app.ledger.end_sweep("sweep-0", purged_at=app.ledger.now())
    app.sleep(minutes=59)
    cleared("sweep-1")
    assert app.ledger.run(ended_long_ago.run) is not None
    app.sleep(minutes=2)
    cleared("sweep-2")
    assert app.ledger.run(ended_long_ago.run) is None
