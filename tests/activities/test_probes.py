"""A checkup's probes are nobody's files, and their events a sign that events come."""

from activities.inbox import find_missed_files, versions_below
from activities.runs import dropped
from shared.names import PROBES, is_probe, new_probe, usable
from tests.activities.conftest import ONE_ROW, App


def test_no_route_takes_a_probe_whatever_its_pattern(app: App) -> None:
    everything = app.route(pattern="**")
    app.set_routes(everything)
    probe = new_probe(app.now(), ".csv")
    app.drop(probe, ONE_ROW)
    app.sleep(minutes=2)
    assert dropped(probe) == []
    assert find_missed_files("sweep-1") == 0
    assert list(versions_below("", everything)) == []
    assert not [name for name in app.names("ledger") if name.startswith(("waiting/", "versions/"))]


def test_the_event_of_a_probe_is_noted(app: App) -> None:
    probe = new_probe(app.now(), ".csv")
    assert app.ledger.arrivals().probe == ""
    dropped(probe)
    assert app.ledger.arrivals().probe == probe


def test_files_that_no_event_had_announced_are_noted_and_what_was_heard_stays(app: App) -> None:
    app.set_routes(app.route())
    probe = new_probe(app.now(), ".csv")
    dropped(probe)
    for name in ("double/a.csv", "double/b.csv"):
        app.drop(name, ONE_ROW)
    app.sleep(minutes=2)
    assert find_missed_files("sweep-1") == 2
    seen = app.ledger.arrivals()
    assert (seen.probe, seen.missed) == (probe, 2)
    assert seen.missed_at > seen.heard_at


def test_only_names_of_just_this_form_are_probes(app: App) -> None:
    assert is_probe(new_probe(app.now()))
    assert is_probe(new_probe(app.now(), ".csv"))
    others = (
        f"{PROBES}/clinic.csv",
        f"x/{new_probe(app.now())}",
        f"{new_probe(app.now())}.csv.gz",
        f"{PROBES}/",
    )
    assert not any(map(is_probe, others))
    assert usable(f"{PROBES}/clinic.csv")
