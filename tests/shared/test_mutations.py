"""1 000 seeded faults in raw predictions, and 1 000 jobs without any: a row gets its own prediction or none.

What a form can see, and what it cannot:

    row, key       Everything but a changed value: each row says which it is, so that order means nothing and rows that
                   are missing, double, foreign or numbered otherwise are known one by one.
    file           Rows that are missing, double or too many, by each part's count, and rows of another part. Not that
                   two rows of one part have changed places.
    order, files   Rows that are missing, double or too many, by the count. Not that two have changed places.
    none           Nothing: the model makes rows of its own, and their number is only reported.

Where rows have no names, swapping two is undetectable, so that with `order` a job holds one file, whole, and nothing of
another file can get into its predictions; with `files` a part is one whole file. The last tests hold routes to that.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from shared.errors import StageFailed
from shared.raw_extents import extents_of
from shared.raw_files import files_of_parts
from shared.raw_keys import KeyIndex, Strays, rows_by_key
from shared.raw_predictions import Tally, predicted
from tests.shared.raw_text import cut, lines, parsed, route, written

SEEN = {
    "row": ("drop", "double", "add", "swap", "truncate", "foreign", "other", "lead"),
    "key": ("drop", "double", "add", "swap", "truncate", "lead", "stray"),
    "file": ("drop", "double", "add", "truncate", "foreign", "other"),
    "files": ("drop", "double", "add", "truncate", "foreign", "missing"),
    "order": ("drop", "double", "add", "truncate"),
}
SEEDS = 200
Found = list[str | None]


@dataclass(frozen=True)
class Line:
    """A row of raw predictions: the part that it names, what leads it, its value."""

    part: str
    lead: str
    value: str

    def text(self, match: str) -> bytes:
        match match:
            case "row":
                return lines([[self.lead, self.value, self.part]], ",")[0]
            case "key":
                return lines([[self.lead, self.value]], " ")[0]
            case _:
                return written(match, [[self.value]], self.part)[0]


@dataclass
class Job:
    """A seeded job: the values of each part's rows, all different, and the lines in which it writes them."""

    match: str
    values: dict[str, list[str]]
    lines: list[Line]
    chance: random.Random
    strays: Strays = field(default_factory=Strays)

    def key(self, part: str, row: int) -> str:
        return f"{part[:-4]} {row}"

    @property
    def parts(self) -> list[str]:
        return list(self.values)


def job(match: str, seed: int) -> Job:
    chance = random.Random(f"{match} {seed}")
    parts = [f"part-{number:05d}.csv" for number in range(1, 2 if match == "order" else chance.randint(3, 6))]
    made = Job(match, {}, [], chance)
    odd = ["", " b", ",c", '"', "é"] + ["\nd"] * (match != "order")
    for part in parts:
        rows = range(chance.randint(2, 30))
        made.values[part] = [
            f"{part[5:10]}.{row}{chance.choice(odd * chance.randint(0, 1) or [''])}" for row in rows
        ]
    made.lines = list(interleaved(made))
    return made


def interleaved(made: Job) -> Iterator[Line]:
    """The rows in order in each part, the parts side by side; rows that have names of their own in any order."""
    named = {
        part: [
            Line(part, made.key(part, row) if made.match == "key" else str(row), value)
            for row, value in enumerate(values)
        ]
        for part, values in made.values.items()
    }
    if made.match in ("row", "key") and made.chance.random() < 0.5:
        for rows in named.values():
            made.chance.shuffle(rows)
    while named:
        part = made.chance.choice(sorted(named))
        for _ in range(made.chance.randint(1, 9)):
            if named[part]:
                yield named[part].pop(0)
        if not named[part]:
            del named[part]


def mutated(made: Job, change: str) -> bytes:
    """The job's raw predictions with one fault in them."""
    rows, chance = list(made.lines), made.chance
    at = chance.randrange(len(rows))
    line = rows[at]
    match change:
        case "drop":
            del rows[at]
        case "double":
            rows.insert(chance.randint(0, len(rows)), line)
        case "add":
            rows.insert(at, Line(line.part, line.lead, "made up"))
        case "stray":
            rows.insert(at, Line(line.part, "of no row", "made up"))
        case "swap":
            other = chance.randrange(len(rows))
            rows[at], rows[other] = rows[other], line
        case "foreign":
            rows[at] = Line(chance.choice(["part-00099.csv", "other.csv", ""]), line.lead, line.value)
        case "other":
            others = [part for part in made.parts if part != line.part]
            rows[at] = Line(chance.choice(others), line.lead, line.value)
        case "lead":
            rows[at] = Line(line.part, another_lead(made, line), line.value)
    raw = b"".join(one.text(made.match) for one in rows)
    return raw[: chance.randrange(len(raw) - 1)] if change == "truncate" else raw


def another_lead(made: Job, line: Line) -> str:
    """Another row's, or no row's."""
    known = [str(row) for row in range(40)] if made.match == "row" else [one.lead for one in made.lines]
    return made.chance.choice([lead for lead in [*known, *known, "x", "-1", "99999"] if lead != line.lead])


def unpacked(made: Job, raw: bytes, tally: Tally) -> dict[str, Found | None]:
    """The values of each part's rows as unpack finds them; None for a part that is refused."""
    try:
        pieces = pieces_of_parts(made, raw)
    except StageFailed:
        return dict.fromkeys(made.values)
    return {part: values_of(made, part, pieces.get(part, b""), tally) for part in made.values}


def pieces_of_parts(made: Job, raw: bytes) -> dict[str, bytes]:
    """Which bytes belong to which part. Raises StageFailed where that cannot be told of all."""
    chunks = cut(raw, [made.chance.randint(1, 200)])
    match made.match:
        case "order":
            return {made.parts[0]: raw}
        case "key":
            index = KeyIndex.of(
                {
                    number: lambda part=part: [  # type: ignore[misc]
                        b"".join(lines(([made.key(part, row)] for row in range(len(made.values[part]))), ","))
                    ]
                    for number, part in enumerate(made.values)
                }
            )
            found: dict[str, bytes] = {}
            for number, more in rows_by_key(chunks, index, route("key"), made.strays):
                found[made.parts[number]] = found.get(made.parts[number], b"") + more
            return found
        case _:
            extents = extents_of(chunks, made.match)
            if set(extents) - set(made.values):
                raise StageFailed("rows of a part that is not of this job")
            return {
                part: b"".join(raw[first:after] for first, after in stretches)
                for part, stretches in extents.items()
            }


def values_of(made: Job, part: str, raw: bytes, tally: Tally) -> Found | None:
    sizes = [made.chance.randint(1, 200)]
    rows = len(made.values[part])
    own = Tally()
    try:
        found = [
            row for batch in predicted(cut(raw, sizes), route(made.match), part, rows, own) for row in batch
        ]
    except StageFailed:
        return None
    tally.doubled += own.doubled
    return [None if row is None else parsed([row])[0][0] for row in found]


def right_or_none(made: Job, found: dict[str, Found | None]) -> bool:
    return all(
        values is None
        or all(value in (None, expected) for value, expected in zip(values, made.values[part], strict=True))
        for part, values in found.items()
    )


def complete(made: Job, found: dict[str, Found | None]) -> bool:
    return found == made.values


@pytest.mark.parametrize("match", ["row", "key", "file", "order"])
def test_every_fault_is_found_or_does_no_harm(match: str) -> None:
    """Only what a form repairs by its names gives all predictions: rows in another order, and equal ones twice."""
    for seed in range(SEEDS):
        made = job(match, seed)
        change = SEEN[match][seed % len(SEEN[match])]
        tally = Tally()
        found = unpacked(made, mutated(made, change), tally)
        case = f"{match} {seed} {change}"
        assert right_or_none(made, found), case
        repaired = change in ("swap", "stray") or (change == "double" and match in ("row", "key"))
        assert complete(made, found) == repaired, case
        assert tally.doubled == (change == "double" and repaired), case
        assert made.strays.count == 1 if change == "stray" else made.strays.count <= (change == "lead"), case


def test_every_fault_in_files_of_their_own_is_found() -> None:
    for seed in range(SEEDS):
        made = job("files", seed)
        change = SEEN["files"][seed % len(SEEN["files"])]
        case = f"{seed} {change}"
        part = made.chance.choice(made.parts)
        names = {f"out/{one}" for one in made.parts}
        if change in ("foreign", "missing"):
            names = names | {"out/part-00099.csv"} if change == "foreign" else names - {f"out/{part}"}
            with pytest.raises(StageFailed):
                files_of_parts(names, made.parts)
            continue
        assert set(files_of_parts(names, made.parts)) == set(made.parts)
        made.lines = [Line(part, "", value) for value in made.values[part]]
        assert values_of(made, part, mutated(made, change), Tally()) is None, case


@pytest.mark.parametrize("match", SEEN)
def test_jobs_without_a_fault_give_every_row_its_value(match: str) -> None:
    for seed in range(SEEDS):
        made = job(match, seed)
        tally = Tally()
        if match == "files":
            raw = {
                part: b"".join(line.text(match) for line in made.lines if line.part == part)
                for part in made.values
            }
            found = {part: values_of(made, part, raw[part], tally) for part in made.values}
        else:
            found = unpacked(made, b"".join(line.text(match) for line in made.lines), tally)
        assert complete(made, found), f"{match} {seed}"
        assert tally == Tally()


def test_swapped_rows_without_names_of_their_own_are_not_seen() -> None:
    """Why they need a script that keeps the order, and why `order` takes one file a job."""
    made = job("order", 1)
    rows = [line.text("order") for line in made.lines]
    rows[0], rows[1] = rows[1], rows[0]
    found = unpacked(made, b"".join(rows), Tally())
    assert not complete(made, found)
    assert sorted(map(str, found[made.parts[0]] or [])) == sorted(made.values[made.parts[0]])


def test_swapped_rows_of_two_parts_stay_with_their_parts() -> None:
    """Where rows name their part, no value gets into another part, whatever its place."""
    for seed in range(50):
        made = job("file", seed)
        found = unpacked(made, mutated(made, "swap"), Tally())
        for part, values in found.items():
            assert sorted(map(str, values or [])) == sorted(made.values[part])


@pytest.mark.parametrize(
    ("match", "files_in_a_job", "files_in_a_part", "parts_of_a_file"),
    [
        ("row", True, True, True),
        ("key", True, False, True),
        ("file", True, False, True),
        ("files", True, False, False),
        ("none", True, False, False),
        ("order", False, False, False),
        ("auto", False, False, False),
    ],
)
def test_a_form_shares_only_what_it_can_tell_apart(
    match: str, files_in_a_job: bool, files_in_a_part: bool, parts_of_a_file: bool
) -> None:
    asked = route(match)
    assert asked.shares_jobs == files_in_a_job
    assert asked.shares_parts == files_in_a_part
    assert asked.cuts_files == parts_of_a_file
