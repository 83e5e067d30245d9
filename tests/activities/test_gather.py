"""Slots and claims: how many runs start, what each takes, and that nothing is taken twice."""

import pytest

from activities.inbox import arrive
from activities.runs import authenticate, gather, kick, kick_arrival, write_results
from shared import clients
from shared.records import Launch, Version
from tests.activities.conftest import ONE_ROW, App

FIVE = [f"named/{name}.csv" for name in "abcde"]
SIZE = len(ONE_ROW)


def gathered(launch: Launch) -> list[str]:
    """The files of a run that has authenticated and gathered, or gathers now."""
    assert authenticate(launch.to_dict())
    gather(launch.to_dict())
    return [version.blob for version in clients.ledger().sealed(launch.run)]


def left(app: App, route: str) -> list[str]:
    return [version.blob for version in app.ledger.waiting(route)]


def test_an_arrival_is_claimed_once_however_many_runs_look_for_it(app: App) -> None:
    route = app.route(max_jobs=3)
    app.set_routes(route)
    app.wait("double/a.csv")
    launches = [launch for _ in range(3) for launch in kick_arrival(route)]
    assert [gathered(launch) for launch in launches] == [["double/a.csv"], [], []]
    assert arrive("double/a.csv") is None


def test_where_raw_predictions_name_no_file_a_run_takes_one(app: App) -> None:
    launch = app.begun(app.route(), "double/a.csv", "double/b.csv")
    assert sorted([*gathered(launch), *left(app, "double")]) == ["double/a.csv", "double/b.csv"]
    assert len(left(app, "double")) == 1


def test_gathering_again_finds_the_same_claims(app: App) -> None:
    launch = app.begun(app.route(), "double/a.csv", "double/b.csv")
    first = gather(launch.to_dict()), app.ledger.sealed(launch.run)
    assert (gather(launch.to_dict()), app.ledger.sealed(launch.run)) == first


def test_where_they_do_a_run_takes_everything_that_waits(app: App) -> None:
    launch = app.begun(app.named(), *FIVE)
    assert sorted(gathered(launch)) == FIVE
    assert left(app, "named") == []
    assert app.run(launch).files == 5


def test_a_run_takes_the_oldest_within_the_number_of_files(app: App) -> None:
    launch = app.begun(app.named(max_files=3), *FIVE)
    oldest = left(app, "named")[:3]
    assert gathered(launch) == oldest
    assert len(left(app, "named")) == 2


@pytest.mark.parametrize(("size", "taken"), [(3 * SIZE, 3), (4 * SIZE - 1, 3), (SIZE - 1, 1)])
def test_a_run_takes_as_much_as_its_size_allows_but_at_least_one_file(
    app: App, size: int, taken: int
) -> None:
    launch = app.begun(app.named(max_run_size=f"{size}B"), *FIVE)
    assert len(gathered(launch)) == taken


@pytest.mark.parametrize(
    ("limits", "runs"),
    [
        ({}, 1),
        ({"max_files": 2}, 3),
        ({"max_run_size": f"{2 * SIZE}B"}, 3),
        ({"max_files": 2, "max_run_size": f"{SIZE}B"}, 5),
        ({"max_files": 1, "max_jobs": 2}, 2),
    ],
    ids=["no limit", "files", "size", "the narrower one", "slots"],
)
def test_as_many_runs_start_as_the_waiting_files_fill(app: App, limits: dict[str, object], runs: int) -> None:
    route = app.named(**{"max_jobs": 9, **limits})
    app.set_routes(route)
    app.wait(*FIVE)
    assert len(kick(route)) == runs
    assert len(kick(route)) == min(runs, route.max_jobs - runs)


def test_where_a_file_needs_a_job_of_its_own_each_starts_a_run(app: App) -> None:
    route = app.route(max_jobs=9)
    app.set_routes(route)
    app.wait("double/a.csv", "double/b.csv")
    assert len(kick(route)) == 2


def test_nothing_that_waits_starts_nothing(app: App) -> None:
    app.set_routes(app.named())
    assert kick(app.named()) == []


def test_what_a_run_was_offered_in_vain_starts_no_other(app: App) -> None:
    app.set_routes(app.named())
    [first] = app.wait("named/a.csv")
    assert kick(app.named(), {first.key}) == []
    app.wait("named/b.csv")
    assert len(kick(app.named(), {first.key})) == 1


def test_a_held_route_starts_nothing(app: App) -> None:
    app.set_routes(app.named())
    app.wait("named/a.csv")
    app.ledger.hold(app.named(), "403")
    assert kick(app.named()) == []
    assert kick_arrival(app.named()) == []


def test_a_scheduled_route_starts_nothing_on_arrival(app: App) -> None:
    route = app.route(schedule="0 0 0 1 1 *")
    app.set_routes(route)
    app.drop("double/a.csv", ONE_ROW)
    assert arrive("double/a.csv") == route
    assert kick_arrival(route) == []
    assert kick(route) == []


def test_a_stale_marker_does_not_keep_a_run_from_the_next_file(app: App) -> None:
    app.set_routes(app.route())
    app.wait("double/a.csv", "double/b.csv")
    [first, second] = app.ledger.waiting("double")
    app.ledger.claim("R", first)
    [launch] = kick(app.route())
    assert gathered(launch) == [second.blob]
    assert left(app, "double") == [first.blob]


def test_files_that_were_claimed_before_gathering_broke_off_get_their_word(app: App) -> None:
    launch = app.begun(app.named(), "named/a.csv", "named/b.csv")
    for marked in app.ledger.plan(launch.run, lambda: app.ledger.waiting("named")):
        app.ledger.claim(launch.run, marked)
    app.ledger.failed(launch, "gather", "storage was away")
    assert write_results(launch.to_dict()) == {"failed": 2}
    assert {word.why for word in app.ledger.results(app.run(launch))} == {"gather: storage was away"}


def asked(app: App, *versions: Version, force: bool = False) -> Launch:
    """A run that somebody asked for, which brings its plan and takes no slot."""
    launch = Launch(run="R9", launch=1, route="named", force=force)
    app.ledger.bring_plan("R9", list(versions))
    app.ledger.open(launch, app.named())
    return launch


def test_a_run_that_was_asked_for_says_which_files_it_leaves_out_and_why(app: App) -> None:
    app.set_routes(app.named())
    [taken, wanted] = app.wait("named/a.csv", "named/b.csv")
    app.ledger.claim("R1", taken)
    launch = asked(app, taken, wanted)
    assert gathered(launch) == ["named/b.csv"]
    assert app.run(launch).left_out == "named/a.csv: run R1 is scoring it"
