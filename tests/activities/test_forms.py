"""The other forms of raw predictions: files of the job's own, other numbers of rows, and forms nobody knows yet."""

from typing import Any

import pytest

from activities.predictions import unpack
from activities.runs import write_results
from shared import clients, work
from shared.records import Launch, Verdict
from shared.routes import Route
from tests.activities.conftest import App
from tests.activities.stages import DATASTORE, contents, job_ended, packed, whole
from triggers.http.runs import to_be_rerun

FILES = A, B = "named/a.csv", "named/b.csv"
DATA = {A: "id,x\na,1\nb,2\n", B: "id,x\nc,3\n"}


def of_files(app: App, route: Route, *names: str) -> Launch:
    return packed(app, *[app.drop(name, DATA[name]) for name in names], route=route)


def verdicts(app: App, launch: Launch) -> dict[str, Verdict]:
    found = work.verdicts(app.run(launch), "unpack", attempt=1)
    return {verdict.blob: verdict for verdict in found}


def part_of(app: App, launch: Launch, name: str) -> str:
    [part] = {piece[0] for one in work.index(app.run(launch)) if one.blob == name for piece in one.pieces}
    return str(part)


def wrote(app: App, launch: Launch, files: dict[str, str]) -> None:
    """The job has ended and left these files of its own."""
    job_ended(app, launch, None)
    folder = app.run(launch).path.rsplit("/", 1)[0]
    container = clients.storage().get_container_client(DATASTORE)
    for name, text in files.items():
        container.upload_blob(f"{folder}/{name}", text)


def own(app: App, **changes: Any) -> Route:
    return app.named(**{"match": "files", **changes})


def test_files_of_the_jobs_own_are_matched_by_the_parts_names(app: App) -> None:
    launch = of_files(app, own(app), *FILES)
    first, second = (part_of(app, launch, name) for name in FILES)
    wrote(app, launch, {f"out/{second}": "6.0\n", f"{first}.out": "2.0\n4.0\n"})
    assert whole(unpack, launch) == {"more": False, "again": False}
    assert app.read("predictions", A) == b"id,twice\na,2.0\nb,4.0\n"
    assert app.read("predictions", B) == b"id,twice\nc,6.0\n"


def test_files_of_the_jobs_own_may_have_a_header(app: App) -> None:
    launch = of_files(app, own(app), B)
    wrote(app, launch, {"part-00001.csv": "twice\n6.0\n"})
    whole(unpack, launch)
    assert app.read("predictions", B) == b"id,twice\nc,6.0\n"


def test_another_number_of_rows_in_a_file_of_the_jobs_own_leaves_only_that_one_incomplete(app: App) -> None:
    launch = of_files(app, own(app), *FILES)
    first, second = (part_of(app, launch, name) for name in FILES)
    wrote(app, launch, {first: "2.0\n", second: "6.0\n"})
    assert whole(unpack, launch)["again"]
    found = verdicts(app, launch)
    assert (found[A].word, found[B].word) == ("", "published")
    assert "1 of 2 rows" in found[A].why
    assert app.names("predictions") == [B]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (["{a}"], "wrote no file for 1 of 2 parts"),
        (["{a}", "{b}", "{b}.copy"], "wrote two files for"),
        (["{a}", "{b}", "log.txt"], "belongs to no part"),
    ],
    ids=["missing", "double", "foreign"],
)
def test_files_that_fit_no_part_publish_nothing(app: App, files: list[str], reason: str) -> None:
    launch = of_files(app, own(app), *FILES)
    parts = {"a": part_of(app, launch, A), "b": part_of(app, launch, B)}
    wrote(app, launch, {name.format(**parts): "2.0\n4.0\n" for name in files})
    assert whole(unpack, launch)["again"]
    assert app.names("predictions") == []
    assert all(reason in found.why for found in verdicts(app, launch).values())


def other_rows(app: App, **changes: Any) -> Route:
    return app.named(**{"match": "none", "carry": (), "predictions": ("month", "sales"), **changes})


def test_other_numbers_of_rows_are_passed_through_under_the_names_of_the_route(app: App) -> None:
    launch = of_files(app, other_rows(app), *FILES)
    first, second = (part_of(app, launch, name) for name in FILES)
    raw = f"1 10.0 {second}\n1 20.0 {first}\n2 21.0 {first}\n3 22.0 {first}\n2 11.0 {second}\n"
    job_ended(app, launch, raw)
    assert whole(unpack, launch) == {"more": False, "again": False}
    assert app.read("predictions", A) == b"month,sales\n1,20.0\n2,21.0\n3,22.0\n"
    assert app.read("predictions", B) == b"month,sales\n1,10.0\n2,11.0\n"
    assert (verdicts(app, launch)[A].rows, verdicts(app, launch)[B].rows) == (3, 2)


def test_a_file_of_which_the_model_made_nothing_is_incomplete(app: App) -> None:
    launch = of_files(app, other_rows(app), *FILES)
    job_ended(app, launch, f"1 20.0 {part_of(app, launch, A)}\n")
    assert whole(unpack, launch)["again"]
    assert app.names("predictions") == [A]
    assert "no row of this file" in verdicts(app, launch)[B].why


def test_a_file_alone_in_its_job_need_not_be_named(app: App) -> None:
    launch = of_files(app, other_rows(app, max_files=1), A)
    job_ended(app, launch, "1 20.0\n2 21.0\n3 22.0\n")
    whole(unpack, launch)
    assert app.read("predictions", A) == b"month,sales\n1,20.0\n2,21.0\n3,22.0\n"


def test_a_file_keeps_one_part_where_no_row_belongs_to_another(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "BYTES_AT_ONCE", 5)
    launch = of_files(app, other_rows(app), *FILES)
    assert sorted(len(rows) for rows in contents(app, launch).values()) == [1, 2]
    assert app.run(launch).parts == 2


def unknown(app: App, **changes: Any) -> Route:
    return app.named(**{"match": "auto", **changes})


RAW = {
    "order": ("2.0\n4.0\n", {}),
    "file": ("2.0 part-00001.csv\n4.0 part-00001.csv\n", {}),
    "row": ("1,4.0,part-00001.csv\n0,2.0,part-00001.csv\n", {}),
    "none": (
        "1 a part-00001.csv\n2 b part-00001.csv\n3 c part-00001.csv\n",
        {"predictions": ("n", "letter")},
    ),
    "key": ("b 4.0\na 2.0\n", {}),
}


def failed(app: App, raw: str, **changes: Any) -> Launch:
    """A closed run of a file whose form of raw predictions nobody knew."""
    launch = of_files(app, unknown(app, **changes), A)
    job_ended(app, launch, raw)
    assert whole(unpack, launch) == {"more": False, "again": False}
    assert app.names("predictions") == []
    assert write_results(launch.to_dict()) == {"failed": 1}
    app.ledger.closed(launch, "failed")
    return launch


@pytest.mark.parametrize("match", ["order", "file", "row", "none"])
def test_a_form_that_nobody_knows_fails_with_a_proposal(app: App, match: str) -> None:
    raw, _ = RAW[match]
    launch = failed(app, raw, predictions=("n", "letter") if match == "none" else ("twice",))
    [word] = app.ledger.results(app.run(launch))
    assert f'set match = "{match}"' in word.why
    assert "nothing is scored again" in word.why


def rerun(app: App, launch: Launch, route: Route) -> Launch:
    """The launch that goes on with a closed run, by the route now in force."""
    app.set_routes(route)
    [planned] = to_be_rerun(launch.run)
    again = planned.launch
    assert (again.run, again.launch) == (launch.run, 2)
    return again


@pytest.mark.parametrize("match", ["order", "file", "row"])
def test_a_rerun_with_the_right_form_publishes_without_a_second_job(app: App, match: str) -> None:
    raw, _ = RAW[match]
    again = rerun(app, failed(app, raw), app.named(match=match))
    assert whole(unpack, again) == {"more": False, "again": False}
    assert app.read("predictions", A) == b"id,twice\na,2.0\nb,4.0\n"
    assert write_results(again.to_dict()) == {"published": 1}
    assert (app.run(again).job, app.run(again).attempt) == ("j1", 1)


@pytest.mark.parametrize("carry", [(), ("id",)], ids=["nothing carried", "a column carried"])
def test_a_rerun_with_another_number_of_rows_publishes_them(app: App, carry: tuple[str, ...]) -> None:
    raw, changes = RAW["none"]
    route = app.named(match="none", carry=(), **changes)
    again = rerun(app, failed(app, raw, carry=carry, **changes), route)
    assert whole(unpack, again) == {"more": False, "again": False}
    assert app.read("predictions", A) == b"n,letter\n1,a\n2,b\n3,c\n"


def test_a_rerun_with_a_key_says_what_it_takes_and_scores_nothing_again(app: App) -> None:
    """Pack keeps the keys, and only where the route names one."""
    raw, _ = RAW["key"]
    route = app.named(match="key", key="id", send=("id", "x"))
    again = rerun(app, failed(app, raw, send=("id", "x")), route)
    assert whole(unpack, again) == {"more": False, "again": False}
    assert "packed without a key" in verdicts(app, again)[A].why
    assert app.names("predictions") == []


def test_a_rerun_with_files_of_the_jobs_own_publishes_them(app: App) -> None:
    launch = of_files(app, unknown(app), A)
    wrote(app, launch, {"part-00001.csv": "2.0\n4.0\n"})
    whole(unpack, launch)
    write_results(launch.to_dict())
    app.ledger.closed(launch, "failed")
    again = rerun(app, launch, own(app))
    assert whole(unpack, again) == {"more": False, "again": False}
    assert app.read("predictions", A) == b"id,twice\na,2.0\nb,4.0\n"


def test_a_rerun_while_the_form_is_still_unknown_scores_nothing_again(app: App) -> None:
    raw, _ = RAW["order"]
    again = rerun(app, failed(app, raw), unknown(app))
    assert whole(unpack, again) == {"more": False, "again": False}
    assert write_results(again.to_dict()) == {"failed": 1}
    assert app.names("predictions") == []
