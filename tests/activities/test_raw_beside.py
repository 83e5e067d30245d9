"""The raw predictions beside the others, as the job wrote them, where the route wants them."""

from typing import Any

import pytest

from activities.predictions import unpack
from activities.publishing import put_beside
from shared import blob_io, clients, work
from shared.records import Launch
from tests.activities.conftest import App
from tests.activities.stages import DATASTORE, job_ended, packed, whole

NAME, RAW = "named/a.csv", "named/a.csv.raw"
DATA = "id,x\na,1\nb,2\n"


def unpacked(app: App, raw: str, data: str = DATA, **changes: Any) -> Launch:
    route = app.named(**{"max_files": 1, "also_raw": True, **changes})
    launch = packed(app, app.drop(NAME, data), route=route)
    job_ended(app, launch, raw)
    whole(unpack, launch)
    return launch


@pytest.mark.parametrize(
    ("raw", "changes"),
    [
        ("2.0\n4.0\n", {"match": "order"}),
        ("2.0 part-00001.csv\n4.0 part-00001.csv\n", {"match": "file"}),
        ("1,4.0,part-00001.csv\n0,2.0,part-00001.csv\n", {"match": "row"}),
        ("b 4.0\na 2.0\n", {"match": "key", "key": "id", "send": ("id", "x")}),
        ("1.0\n2.0\n3.0\n", {"match": "none", "carry": ()}),
    ],
    ids=["order", "file", "row", "key", "none"],
)
def test_raw_predictions_lie_beside_the_others_as_they_were_written(
    app: App, raw: str, changes: dict[str, Any]
) -> None:
    unpacked(app, raw, **changes)
    assert app.names("predictions") == [NAME, RAW]
    assert app.read("predictions", RAW).decode() == raw


def test_large_ones_lie_beside_the_others_too(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blob_io, "BLOCK", 16)
    raw = "".join(f"{2 * row}.0\n" for row in range(20))
    unpacked(app, raw, "id,x\n" + "".join(f"r{row},{row}\n" for row in range(20)), match="order")
    assert app.read("predictions", RAW).decode() == raw


def test_they_do_not_where_the_route_does_not_say_so(app: App) -> None:
    unpacked(app, "2.0\n4.0\n", match="order", also_raw=False)
    assert app.names("predictions") == [NAME]


def test_they_do_not_where_nothing_was_published(app: App) -> None:
    unpacked(app, "2.0\n", match="order")
    assert app.names("predictions") == []


def test_files_of_the_jobs_own_lie_beside_theirs(app: App) -> None:
    names = ("named/a.csv", "named/b.csv")
    route = app.named(match="files", also_raw=True)
    launch = packed(app, *[app.drop(name, f"id,x\n{name},1\n") for name in names], route=route)
    job_ended(app, launch, None)
    folder = app.run(launch).path.rsplit("/", 1)[0]
    container = clients.storage().get_container_client(DATASTORE)
    texts = {}
    for number, verdict in enumerate(work.index(app.run(launch))):
        texts[verdict.blob] = f"twice\n{number}.0\n"
        container.upload_blob(f"{folder}/{verdict.pieces[0][0]}", texts[verdict.blob])
    whole(unpack, launch)
    assert {name: app.read("predictions", f"{name}.raw").decode() for name in names} == texts


@pytest.mark.parametrize(("match", "carry"), [("file", ("id",)), ("none", ())])
def test_of_a_shared_job_each_file_gets_the_rows_of_its_own(
    app: App, match: str, carry: tuple[str, ...]
) -> None:
    names = ("named/a.csv", "named/b.csv")
    versions = [app.drop(name, f"id,x\n{name},{at}\n") for at, name in enumerate(names)]
    launch = packed(app, *versions, route=app.named(match=match, carry=carry, also_raw=True))
    parts = {verdict.blob: verdict.pieces[0][0] for verdict in work.index(app.run(launch))}
    job_ended(app, launch, f"2.0 {parts[names[1]]}\n0.0 {parts[names[0]]}\n")
    whole(unpack, launch)
    raw = {name: app.read("predictions", f"{name}.raw").decode() for name in names}
    assert raw == {name: f"{2.0 * at} {parts[name]}\n" for at, name in enumerate(names)}


def test_a_newer_version_replaces_them(app: App) -> None:
    unpacked(app, "2.0\n4.0\n", match="order")
    unpacked(app, "6.0\n", "id,x\nc,3\n", match="order")
    assert app.read("predictions", RAW) == b"6.0\n"


def test_they_go_with_the_predictions_they_belonged_to(app: App) -> None:
    unpacked(app, "2.0\n4.0\n", match="order")
    unpacked(app, "6.0\n", "id,x\nc,3\n", match="order", also_raw=False)
    assert app.names("predictions") == [NAME]


def test_those_of_an_older_version_are_never_put_beside_newer_predictions(app: App) -> None:
    route = app.named(max_files=1, also_raw=True, match="order")
    older = packed(app, app.drop(NAME, DATA), route=route)
    version = app.ledger.sealed(older.run)[0]
    unpacked(app, "6.0\n", "id,x\nc,3\n", match="order")
    put_beside(app.run(older), version, RAW, [b"old"])
    assert app.read("predictions", RAW) == b"6.0\n"


def test_somebodys_own_blob_under_their_name_stays(app: App) -> None:
    app.container("predictions").upload_blob(RAW, b"theirs")
    unpacked(app, "2.0\n4.0\n", match="order")
    assert app.read("predictions", RAW) == b"theirs"
    assert app.read("predictions", NAME) == b"id,twice\na,2.0\nb,4.0\n"
