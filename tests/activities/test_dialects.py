"""Files as people's tools write them: archives, other encodings, separators and decimals, packed and published."""

import gzip
from functools import partial
from typing import Any

import pytest

from activities.predictions import unpack
from shared import packing, work
from shared.csv_blocks import read_blocks
from shared.records import Launch, Verdict
from tests.activities.conftest import App
from tests.activities.stages import contents, job_ended, packed, twice, whole

DATA = "id,x\n" + "".join(f"r{row},{row}\n" for row in range(200))
PREDICTIONS = "id,twice\n" + "".join(f"r{row},{2 * row}.0\n" for row in range(200))
LARGE = DATA + "".join(f"s{row},{row}\n" for row in range(20_000))


def scored(app: App, name: str, data: bytes, **changes: Any) -> Launch:
    """A run of one file whose job has scored what it was given, unpacked."""
    route = app.named(**{"match": "row", "pattern": "named/**", **changes})
    launch = packed(app, app.drop(name, data), route=route)
    job_ended(app, launch, "".join(twice(app, launch, "row")))
    whole(unpack, launch)
    return launch


def packed_one(app: App, name: str, data: bytes, **changes: Any) -> tuple[Verdict, Launch]:
    route = app.named(**{"match": "row", "pattern": "named/**", **changes})
    launch = packed(app, app.drop(name, data), route=route)
    [found] = work.index(app.run(launch))
    return found, launch


@pytest.mark.parametrize("match", ["row", "file"])
@pytest.mark.parametrize("name", ["named/a.csv.gz", "named/A.CSV.GZ"])
def test_predictions_of_an_archive_are_called_as_the_file_in_it(app: App, match: str, name: str) -> None:
    route = app.named(match=match, pattern="named/**")
    launch = packed(app, app.drop(name, gzip.compress(DATA.encode())), route=route)
    job_ended(app, launch, "".join(twice(app, launch, match)))
    whole(unpack, launch)
    assert app.names("predictions") == [name[:-3]]
    assert app.read("predictions", name[:-3]).decode() == PREDICTIONS


def test_an_archive_of_several_members_is_one_file(app: App) -> None:
    cut = 500
    data = gzip.compress(DATA[:cut].encode()) + gzip.compress(DATA[cut:].encode())
    scored(app, "named/a.csv.gz", data)
    assert app.read("predictions", "named/a.csv").decode() == PREDICTIONS


def test_an_archive_is_read_in_one_call_and_becomes_many_parts(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "BYTES_AT_ONCE", 100)
    monkeypatch.setattr(packing, "read_blocks", partial(read_blocks, size=50_000))
    launch = scored(app, "named/a.csv.gz", gzip.compress(LARGE.encode()), part_size="30KB")
    assert work.found(app.run(launch), "pack", 1) is None
    assert app.run(launch).parts > 2
    expected = PREDICTIONS + "".join(f"s{row},{2 * row}.0\n" for row in range(20_000))
    assert app.read("predictions", "named/a.csv").decode() == expected


def test_the_same_archive_is_unchanged(app: App) -> None:
    scored(app, "named/a.csv.gz", gzip.compress(DATA.encode(), mtime=0))
    found, _ = packed_one(app, "named/a.csv.gz", gzip.compress(DATA.encode(), mtime=0))
    assert (found.word, found.where.endswith("named/a.csv")) == ("unchanged", True)


def test_an_archive_never_replaces_the_predictions_of_the_plain_file(app: App) -> None:
    scored(app, "named/a.csv", DATA.encode())
    launch = scored(app, "named/a.csv.gz", gzip.compress(b"id,x\nother,1\n"))
    [found] = work.verdicts(app.run(launch), "unpack")
    assert (found.word, "predictions of another file" in found.why) == ("failed", True)
    assert app.read("predictions", "named/a.csv").decode() == PREDICTIONS


@pytest.mark.parametrize(
    ("data", "limit", "reason"),
    [
        (gzip.compress(DATA.encode())[:-9], "1MB", "incomplete"),
        (gzip.compress(LARGE.encode()), "150KB", "holds more than 150,000 bytes"),
        (DATA.encode(), "1MB", "this is no gzip"),
        (gzip.compress(b""), "1MB", "The file is empty."),
        (gzip.compress(DATA.encode() + b"last\n"), "1MB", "Line 202 has 1 field"),
    ],
    ids=["truncated", "too much", "no archive", "empty", "bad row"],
)
def test_an_archive_that_cannot_be_used_is_rejected_and_leaves_no_part(
    app: App, data: bytes, limit: str, reason: str
) -> None:
    found, launch = packed_one(app, "named/a.csv.gz", data, max_size=limit, part_size="100B")
    assert (found.word, reason in found.why) == ("rejected", True)
    assert contents(app, launch) == {}


SEMICOLONS = {
    "delimiter": ";",
    "encoding": "windows-1252",
    "decimal": ",",
    "send": ("größe", "x"),
    "carry": ("name", "x"),
    "columns": {"x": {"type": "number", "max": 100}, "größe": "text"},
}


def test_a_spreadsheet_with_decimal_commas_is_sent_as_the_model_wants_it(app: App) -> None:
    data = 'name;größe;x\r\n"Müller; Söhne";1,80;1,5\r\n"a ""b""";klein, fein;-2\r\n'.encode("cp1252")
    launch = scored(app, "named/a.csv", data, **SEMICOLONS)
    [[part, rows]] = contents(app, launch).items()
    assert rows == [{"größe": "1,80", "x": "1.5"}, {"größe": "klein, fein", "x": "-2"}]
    sent = app.read("work", f"{launch.run}/1/parts/{part}").decode()
    assert sent == 'größe,x\n"1,80",1.5\n"klein, fein",-2\n'
    assert app.read("predictions", "named/a.csv").decode() == (
        'name,x,twice\n"Müller; Söhne","1,5",3.0\n"a ""b""",-2,-4.0\n'
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("name;größe;x\na;b;1.5\n".encode("cp1252"), 'Line 2, column "x"'),
        ("name;größe;x\na;b;100,5\n".encode("cp1252"), 'Line 2, column "x"'),
        ("name,größe,x\na,b,1\n".encode("cp1252"), "set the route's `delimiter`"),
        ("name;größe;x\na;b;1\n".encode(), "set its `encoding`"),
    ],
    ids=["a point", "over the bound", "commas", "UTF-8"],
)
def test_a_file_of_another_dialect_is_rejected(app: App, data: bytes, reason: str) -> None:
    found, _ = packed_one(app, "named/a.csv", data, **SEMICOLONS)
    assert (found.word, reason in found.why) == ("rejected", True)


def test_a_file_without_quotes_is_sent_with_them_where_they_are_needed(app: App) -> None:
    data = b'id\tx\na "b", c\t1\n'
    launch = scored(app, "named/a.csv", data, delimiter="\t", quote="", send=("x", "id"))
    [rows] = contents(app, launch).values()
    assert rows == [{"x": "1", "id": 'a "b", c'}]
    assert app.read("predictions", "named/a.csv") == b'id,twice\n"a ""b"", c",2.0\n'


def test_a_portion_of_too_many_parts_does_not_take_the_next_ones_names(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small archive may hold more parts than its portion has numbers for."""
    monkeypatch.setattr(work, "FILES_AT_ONCE", 1)
    monkeypatch.setattr(packing, "PARTS_A_PORTION", 3)
    monkeypatch.setattr(packing, "read_blocks", partial(read_blocks, size=50_000))
    versions = [
        app.drop("named/a.csv.gz", gzip.compress(LARGE.encode())),
        app.drop("named/b.csv", "id,x\na,1\n"),
    ]
    launch = packed(app, *versions, route=app.named(match="row", part_size="1KB", pattern="named/**"))
    assert [verdict.word for verdict in work.index(app.run(launch))] == ["failed", ""]
    assert list(contents(app, launch).values()) == [[{"x": "1"}]]
