"""Input of every bad kind gets a decided answer, writes nothing outside its place and harms no neighbour."""

import gzip
import json
import re
import secrets
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from activities.inbox import arrive, find_missed_files
from local.host.state import reading
from local.stack import ROOT
from shared import clients, work
from shared.ledger import Ledger
from shared.names import errors_name
from shared.records import Launch, Run, Verdict
from shared.routes import Route
from tests.activities.conftest import ONE_ROW, App
from tests.activities.stages import contents, packed
from tests.e2e.drops import Drops, doubled, numbers
from tests.faults.input_app import (
    Answer,
    OnceOnly,
    anything,
    ask,
    everything,
    run_of_what_waits,
    scored,
    use_sas,
)
from tests.faults.input_bodies import (
    AMBIGUOUS,
    BODIES,
    BROKEN,
    CREATED,
    FORMULAS,
    IGNORED,
    INBOX,
    NO_BLOBS,
    OUTSIDE,
    REFUSED,
    UNANSWERED,
)
from tests.faults.input_disk import narrow, records, words
from tests.faults.input_files import ARCHIVES, CONTROL, LONGEST, MIB, NAMES, UNUSABLE, bomb
from tests.simulation.world import simulated

pytest_plugins = ["tests.faults.input_fixtures"]

ENDS_A_LINE = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def numbered(names: list[str], cell: str = "{}") -> dict[str, str]:
    """A file under each name, with a row like no other's."""
    return {name: f"id,x\nr{number},{cell.format(number)}\n" for number, name in enumerate(names)}


def test_a_file_of_any_name_gets_its_own_predictions_and_is_kept_whole(app: App) -> None:
    files = numbered(NAMES)
    run, found = scored(app, anything(app, after="archive"), files)
    assert {name: word.word for name, word in found.items()} == dict.fromkeys(files, "published")
    assert run.not_moved == {}
    assert everything("predictions") == {
        ("predictions", name): f"id,twice\nr{number},{2.0 * number}\n".encode()
        for number, name in enumerate(files)
    }
    assert sorted(everything("archive").values()) == sorted(data.encode() for data in files.values())
    assert not everything("inbox", "rejected", "config", "work")
    assert all(re.fullmatch(r"[\w./-]+", name) for name in app.names("ledger"))


def test_a_bad_file_of_any_name_lies_beside_its_own_reason(app: App) -> None:
    files = numbered(NAMES, "no number {}")
    _, found = scored(app, anything(app), files)
    assert {name: word.word for name, word in found.items()} == dict.fromkeys(files, "rejected")
    left = everything("rejected")
    for name, data in files.items():
        assert left.pop(("rejected", name)) == data.encode()
        assert left.pop(("rejected", f"{name}.why.txt")).decode().startswith(f"{name} was not scored.\n")
    assert not left
    assert not everything("inbox", "predictions", "archive", "config")


@pytest.mark.parametrize("rows", [2, 0], ids=["good", "bad"])
def test_control_characters_in_names_are_names_like_others(rows: int) -> None:
    with simulated() as world:
        names = [f"shared/a{character}b.csv" for character in CONTROL]
        for name in names:
            world.drop_rows(name, rows)
            world.announce(name)
        world.come_to_rest()
        assert words(world) == dict.fromkeys(names, "published" if rows else "rejected")
        notes = {f"{name}.why.txt" for name in names if not rows}
        assert set(world.disk.container("rejected")) == {*notes, *(names if notes else [])}


@pytest.mark.parametrize("rows", [1, 0], ids=["good", "bad"])
@pytest.mark.parametrize("route", ["shared", "single"])
def test_a_name_that_leaves_no_room_for_an_end_keeps_its_word_and_its_place(route: str, rows: int) -> None:
    with narrow() as world:
        name = f"{route}/{'n' * (LONGEST - len(route) - 5)}.csv"
        world.drop_rows(name, rows)
        world.announce(name)
        world.drop_rows("shared/a.csv", 1)
        world.announce("shared/a.csv")
        world.come_to_rest()
        assert words(world) == {name: "published" if rows else "rejected", "shared/a.csv": "published"}
        assert name in world.disk.container("inbox")
        left = [run["not_moved"] for run in records(world) if run["not_moved"]]
        stays = route == "shared" and rows
        assert left == ([] if stays else [{name: "HttpResponseError"}])


def test_no_name_breaks_a_line_of_the_log(app: App, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    broken = [name for name in NAMES if ENDS_A_LINE.search(name)]
    app.set_routes(app.route())
    assert not any(map(arrive, broken))
    scored(app, anything(app), numbered(broken))
    said = [one.getMessage() for one in caplog.records if one.name.startswith(("activities", "shared"))]
    assert len(said) > 2 * len(broken)
    assert [line for line in said if ENDS_A_LINE.search(line)] == []


def test_a_file_that_is_named_like_a_list_of_bad_rows_is_published_whole_or_told_why(app: App) -> None:
    route = anything(app, bad_rows="set-aside", bad_rows_at_most=0.5)
    files = {"a.csv": "id,x\na,1\nb,bad\n", errors_name("a.csv"): "id,x\nc,3\n"}
    _, found = scored(app, route, files)
    assert found["a.csv"].word == "published"
    assert app.read("predictions", "a.csv") == b"id,twice\na,2.0\n"
    other, left = found[errors_name("a.csv")], app.read("predictions", errors_name("a.csv"))
    if other.word == "published":
        assert left == b"id,twice\nc,6.0\n"
    else:
        assert "not ours" in other.why
        assert left == b"line,column,reason\n3,x,is not a number\n"


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_name_in_an_event_leads_out_of_the_inbox(
    app: App, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    use_sas(monkeypatch)
    app.set_routes(anything(app))
    ledger = clients.settings().ledger
    assert clients.ledger().store.read("owner.json")
    assert arrive(name.format(ledger)) is None


def test_a_file_that_nobody_can_ask_for_stays_where_it_is_and_harms_no_neighbour(app: App) -> None:
    route = anything(app, after="archive")
    app.set_routes(route)
    for name in UNUSABLE:
        app.drop(name, "id,x\nu,bad\n")
        assert arrive(name) is None
    app.drop("a.csv", "id,x\na,bad\n")
    app.drop("good.csv", "id,x\ng,4\n")
    app.sleep(minutes=2)
    assert find_missed_files("sweep") == 2
    _, found = run_of_what_waits(app, route)
    assert {name: word.word for name, word in found.items()} == {"a.csv": "rejected", "good.csv": "published"}
    assert set(app.names("inbox")) == {name.replace("\\", "/") for name in UNUSABLE}
    assert app.names("rejected") == ["a.csv", "a.csv.why.txt"]


def test_formula_cells_are_carried_byte_for_byte(app: App) -> None:
    rows = "".join(f"{cell},{number}\n" for number, cell in enumerate(FORMULAS))
    _, found = scored(app, anything(app), {"f.csv": f"id,x\n{rows}"})
    assert found["f.csv"].word == "published"
    expected = "".join(f"{cell},{2.0 * number}\n" for number, cell in enumerate(FORMULAS))
    assert app.read("predictions", "f.csv").decode() == f"id,twice\n{expected}"


def test_formula_cells_reach_the_model_byte_for_byte(app: App) -> None:
    rows = "".join(f"{cell},{number}\n" for number, cell in enumerate(FORMULAS))
    route = anything(app, send=("id", "x"), carry=())
    launch = packed(app, app.drop("f.csv", f"id,x\n{rows}"), route=route)
    [part] = contents(app, launch)
    assert app.read("work", f"{launch.run}/1/parts/{part}").decode() == f"id,x\n{rows}"


def test_archives_that_are_none_get_a_verdict_and_harm_no_neighbour(app: App) -> None:
    files = {name: data for name, (data, _) in ARCHIVES.items()}
    _, found = scored(app, anything(app), {**files, "good.csv": "id,x\ng,4\n"})
    for name, (_, reason) in ARCHIVES.items():
        assert found[name].word == "rejected"
        assert reason in found[name].why
    assert everything("predictions") == {("predictions", "good.csv"): b"id,twice\ng,8.0\n"}


@pytest.fixture
def asked(app: App) -> App:
    """An app with one file that may be asked for."""
    app.set_routes(app.route())
    app.drop("double/a.csv", ONE_ROW)
    return app


def nothing_began(app: App, answer: Answer) -> bool:
    """Whether a start left nothing behind, and the next is answered as if it had never been."""
    left = [*answer.started, *app.names("ledger", "runs/"), *app.names("ledger", "open/")]
    return not left and ask({"route": "double", "blobs": ["double/a.csv"]}).status == 202


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_that_is_no_start_is_refused_and_starts_nothing(asked: App, kind: str) -> None:
    answer = ask(BODIES[kind])
    assert (answer.status, answer.code) == (400, "bad-body")
    assert nothing_began(asked, answer)


@pytest.mark.parametrize("kind", UNANSWERED)
def test_a_body_that_is_nested_deeply_is_refused(asked: App, kind: str) -> None:
    assert ask(UNANSWERED[kind]).code == "bad-body"


def test_a_body_that_says_two_things_is_refused(asked: App) -> None:
    assert ask(AMBIGUOUS).code == "bad-body"


def test_too_much_is_refused_before_anything_is_looked_at(asked: App) -> None:
    start = {"route": "double", "blobs": ["double/a.csv"]}
    many = ask({**start, "blobs": [f"double/{number}.csv" for number in range(10_000)]})
    assert (many.status, many.code) == (413, "too-many-blobs")
    large = ask({**start, "note": "n" * 1_000_000})
    assert (large.status, large.code) == (413, "body-too-large")
    assert nothing_began(asked, large)


@pytest.mark.parametrize("name", NO_BLOBS, ids=ascii)
def test_a_name_that_is_no_blob_of_the_inbox_is_not_found(asked: App, name: str) -> None:
    answer = ask({"route": "double", "blobs": ["double/a.csv", name]})
    assert (answer.status, answer.code) == (404, "no-such-blob")
    assert nothing_began(asked, answer)


def test_a_name_that_is_too_long_for_an_address_is_not_found(asked: App) -> None:
    assert ask({"route": "double", "blobs": ["n" * 20_000]}).code == "no-such-blob"


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_name_in_a_start_leads_out_of_the_inbox(
    asked: App, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    use_sas(monkeypatch)
    asked.set_routes(asked.route())
    ledger = clients.settings().ledger
    assert ask({"route": "double", "blobs": [name.format(ledger)]}).code == "no-such-blob"


def test_no_file_is_asked_for_by_two_names(asked: App) -> None:
    assert ask({"route": "double", "blobs": [r"double\a.csv"]}).code == "no-such-blob"


def test_an_idempotency_key_of_any_bytes_names_a_run(asked: App) -> None:
    start = {"route": "double", "blobs": ["double/a.csv"]}
    assert ask(start, Idempotency_Key=b"\xe9".decode("utf-8", "surrogateescape")).status == 202


def test_one_key_names_other_runs_for_other_files(app: App) -> None:
    app.set_routes(app.named())
    for name in ("a\nb", "a", "b"):
        app.drop(name, ONE_ROW)
    first = ask({"route": "named", "blobs": ["a\nb"]}, Idempotency_Key="k")
    second = ask({"route": "named", "blobs": ["a", "b"]}, Idempotency_Key="k")
    assert first.runs != second.runs


def test_of_two_starts_with_one_key_at_once_one_starts_the_run(
    asked: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = {"route": "double", "blobs": ["double/a.csv"]}
    client, opened = OnceOnly(), Ledger.begin
    inner: list[Answer | None] = []

    def open_slowly(ledger: Ledger, launch: Launch, route: Route) -> Run | None:
        if not inner:
            inner.append(None)
            inner[0] = ask(start, client, Idempotency_Key="k")
        return opened(ledger, launch, route)

    monkeypatch.setattr(Ledger, "begin", open_slowly)
    outer = ask(start, client, Idempotency_Key="k")
    assert inner[0]
    assert outer.runs == inner[0].runs


def packed_apart(app: App, route: Route, bombs: int) -> tuple[int, list[Verdict]]:
    """By how many bytes archives of 1 GiB let the memory of a process grow, and what it found out about them."""
    usual = app.opened(app.drop("usual.csv.gz", gzip.compress(b"id,x\n" + b"a,1\n" * 500_000)), route=route)
    versions = [app.drop(f"{number}.csv.gz", bomb(1024 * MIB)) for number in range(bombs)]
    launch = app.opened(*versions, route=route)
    command = [
        sys.executable,
        "-m",
        "tests.faults.input_bomb",
        *(json.dumps(one.to_dict()) for one in (usual, launch)),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout), work.index(app.run(launch))


@pytest.mark.parametrize(
    ("max_size", "bombs"),
    [
        ("8MB", 1),
        pytest.param("500MB", 1, marks=pytest.mark.full),
        pytest.param("64MB", 8, marks=pytest.mark.full),
    ],
)
def test_a_gzip_bomb_is_refused_in_flat_memory(app: App, max_size: str, bombs: int) -> None:
    grown, found = packed_apart(app, anything(app, max_size=max_size), bombs)
    assert [verdict.word for verdict in found] == ["rejected"] * bombs
    assert all("The archive holds more than" in verdict.why for verdict in found)
    assert grown < 32 * MIB * bombs


def delivered(drops: Drops, body: bytes, kind: str = "Notification") -> requests.Response:
    """What the host answers to one delivery of Event Grid."""
    url = f"{drops.stack.host_url}/runtime/webhooks/blobs?functionName=Host.Functions.blob_dropped"
    return requests.post(url, data=body, headers={"aeg-event-type": kind}, timeout=30)


def created(name: str, **fields: Any) -> bytes:
    """The delivery of one event about a blob of the inbox."""
    return json.dumps([{"eventType": CREATED, "subject": INBOX + name, **fields}]).encode()


def runs(drops: Drops) -> set[str]:
    return {item.key.split("/")[1] for item in drops.ledger.store.listed("runs/")}


def neighbour_is_scored(drops: Drops) -> bool:
    name = f"named/{secrets.token_hex(8)}.csv"
    drops.closed(drops.drop(name, numbers(1)))
    return drops.predictions(name) == doubled(1)


def test_deliveries_that_are_no_events_are_answered_and_start_nothing(strained: Drops) -> None:
    before = runs(strained)
    assert {kind: delivered(strained, body).status_code for kind, body in IGNORED.items()} == dict.fromkeys(
        IGNORED, 202
    )
    assert {kind: delivered(strained, body).status_code for kind, body in REFUSED.items()} == dict.fromkeys(
        REFUSED, 400
    )
    assert delivered(strained, b"[]", "Nonsense").status_code == 400
    assert neighbour_is_scored(strained)
    assert len(runs(strained) - before) == 1


@pytest.mark.parametrize("kind", BROKEN)
def test_deliveries_that_cannot_be_read_are_refused(strained: Drops, kind: str) -> None:
    assert delivered(strained, BROKEN[kind]).status_code == 400


@pytest.mark.parametrize("body", [b"[]", b"[{}]", b'[{"data": {}}]', b'{"data": 1}'])
def test_a_validation_without_its_code_is_refused(strained: Drops, body: bytes) -> None:
    assert delivered(strained, body, "SubscriptionValidation").status_code == 400


def test_an_event_is_only_a_name_whatever_else_it_says(strained: Drops) -> None:
    """Its address, account and ETag are nobody's: only what stands in the inbox is looked at."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.settimeout(0.2)
        elsewhere = f"http://127.0.0.1:{stranger.getsockname()[1]}/inbox/named/said.csv?sig=x#y"
        before = runs(strained)
        told = {"url": elsewhere, "eTag": "0xBAD", "contentLength": -1, "api": {}, "sequencer": 10**400}
        for subject in ("named/said.csv", "named/never.csv", "named/said.csv?sig=x", "named/said.csv#y"):
            assert (
                delivered(strained, created(subject, topic="/somebody/elses", data=told)).status_code == 202
            )
        assert neighbour_is_scored(strained)
        assert len(runs(strained) - before) == 1
        with pytest.raises(TimeoutError):
            stranger.accept()


@pytest.mark.full
def test_an_event_with_a_name_that_no_blob_can_have_is_passed_over(strained: Drops) -> None:
    assert delivered(strained, created("double/../../ledger/owner.json")).status_code == 202
    assert delivered(strained, created(f"double/{'n' * 70_000}.csv")).status_code == 202
    assert neighbour_is_scored(strained)
    with reading(strained.stack.state / "host") as database:
        assert database.execute("select blob from poison").fetchall() == []
    assert strained.ledger.store.read("owner.json")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_method_is_no_start(strained: Drops, method: str) -> None:
    answer = requests.request(method, f"{strained.stack.host_url}/api/runs", timeout=30)
    assert answer.status_code == 404, "as Functions answers (azure-functions-host#10098)"


def started(drops: Drops, count: int, name: str, **headers: str) -> list[requests.Response]:
    """What as many starts at once, all of one file, are answered."""
    url, body = f"{drops.stack.host_url}/api/runs", {"route": "named", "blobs": [name]}

    def start(_: int) -> requests.Response:
        return requests.post(url, json=body, headers=headers, timeout=120)

    with ThreadPoolExecutor(50) as threads:
        return list(threads.map(start, range(count)))


def answered(answers: list[requests.Response]) -> list[str]:
    return [answer.json()["runs"][0]["run"] for answer in answers if answer.status_code == 202]


@pytest.mark.parametrize("count", [30, pytest.param(1000, marks=pytest.mark.full)])
def test_starts_at_once_with_one_key_are_one_run(strained: Drops, count: int) -> None:
    name = f"asked/{count}.csv"
    version, before = strained.drop(name, numbers(2)), set(strained.jobs())
    answers = started(strained, count, name, **{"Idempotency-Key": f"{count} at once"})
    # 500: it met the first one between its plan and its record, as another test has it one after the other.
    assert {answer.status_code for answer in answers} == {202}
    [run] = set(answered(answers))
    closed, word = strained.closed(version)
    assert (closed.run, word.word) == (run, "published")
    assert set(strained.jobs()) - before == {closed.job}


@pytest.mark.parametrize("count", [6, pytest.param(50, marks=pytest.mark.full)])
def test_starts_at_once_without_a_key_are_runs_of_their_own(strained: Drops, count: int) -> None:
    version, before = strained.drop(f"asked/often {count}.csv", numbers(2)), set(strained.jobs())
    asked = answered(started(strained, count, version.blob))
    assert len(set(asked)) == count
    assert set(asked) <= runs(strained)
    closed, word = strained.closed(version)
    assert word.word == "published"
    assert set(strained.jobs()) - before == {closed.job}
