"""Files of all sizes in one run, whatever the limits: what is published is right, and in the end all of it is."""

from functools import partial
from random import Random
from typing import Any

import pytest

from activities.parts import pack
from activities.predictions import unpack
from activities.runs import write_results
from shared import blob_io, packing, work
from shared.csv_blocks import read_blocks
from shared.records import Launch
from shared.routes import Route
from tests.activities.conftest import App
from tests.activities.stages import job_ended, packed, twice, whole


def limit(random: Random, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "FILES_AT_ONCE", random.choice([1, 2, 5]))
    monkeypatch.setattr(work, "BYTES_AT_ONCE", random.choice([60, 200, 1000, 10_000]))
    monkeypatch.setattr(work, "ROWS_AT_ONCE", random.choice([1, 10, 1000]))
    monkeypatch.setattr(packing, "SHARED_AT_MOST", random.choice([0, 80, 1000]))
    monkeypatch.setattr(packing, "read_blocks", partial(read_blocks, size=random.choice([1, 50, 4096])))
    monkeypatch.setattr(blob_io, "BLOCK", random.choice([40, 4096]))
    monkeypatch.setattr(blob_io, "SLICE", random.choice([7, 300, 100_000]))


def any_route(app: App, random: Random) -> Route:
    match = random.choice(["row", "file", "key"])
    key = {"key": "id", "send": ("id", "x")} if match == "key" else {}
    carry = random.choice([("id",), ("id", "note")])
    size = random.choice(["1B", "60B", "500B"])
    return app.named(**{"match": match, "carry": carry, "part_size": size, **key})


def any_files(random: Random, route: Route) -> tuple[dict[str, str], dict[str, str]]:
    """Files by their names, and the predictions that are theirs."""
    files, predictions = {}, {}
    for number in range(random.randint(1, 6)):
        rows = [
            (f"f{number}r{row}", random.choice(["", '"a, b"', '"one\n""two"""']), random.randint(0, 99))
            for row in range(random.choice([1, 3, 30]))
        ]
        name = f"named/{number}.csv"
        order = random.choice([(0, 1, 2), (2, 1, 0)])
        lines = [("id", "note", "x"), *rows]
        files[name] = "".join(",".join(str(line[at]) for at in order) + "\n" for line in lines)
        columns = [("id", "note").index(column) for column in route.carry]
        of_row = [[*(str(row[at]) for at in columns), f"{2.0 * row[2]}"] for row in rows]
        predictions[name] = "".join(f"{','.join(cells)}\n" for cells in [[*route.carry, "twice"], *of_row])
    return files, predictions


def any_order(random: Random, lines: list[str], match: str) -> list[str]:
    """The raw predictions as several nodes may leave them; some of them twice, where rows say which they are."""
    if match == "row":
        lines = lines + random.sample(lines, len(lines) // 5)
    if match == "file":
        # The rows of a part stay in their order.
        rank = {part: random.random() for part in {line.split()[-1] for line in lines}}
        return sorted(lines, key=lambda line: rank[line.split()[-1]])
    return random.sample(lines, len(lines))


def unpacked(app: App, random: Random, launch: Launch, match: str, lost: float) -> dict[str, Any]:
    """The answer of unpack after a job that has lost this share of the rows."""
    lines = [line for line in twice(app, launch, match) if random.random() >= lost]
    job_ended(app, launch, "".join(any_order(random, lines, match)))
    answer: dict[str, Any] = whole(unpack, launch)
    return answer


def published(app: App) -> dict[str, str]:
    return {name: app.read("predictions", name).decode() for name in app.names("predictions")}


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.full) for n in range(1, 60))])
def test_what_is_published_is_right_and_in_the_end_all_is(
    app: App, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    random = Random(seed)
    limit(random, monkeypatch)
    route = any_route(app, random)
    files, predictions = any_files(random, route)
    launch = packed(app, *[app.drop(name, data) for name, data in files.items()], route=route)
    lost = random.choice([0, 0.02, 0.2])
    answer = unpacked(app, random, launch, route.match, lost)
    first = published(app)
    assert first.items() <= predictions.items()
    assert lost or first == predictions
    if answer["again"]:
        whole(pack, launch)
        unpacked(app, random, launch, route.match, 0)
    words = write_results(launch.to_dict())
    assert published(app).items() <= predictions.items()
    assert words.get("published", 0) == len(published(app))
    # A file alone in its job is not scored again.
    assert len(published(app)) == len(files) or len(files) == 1
