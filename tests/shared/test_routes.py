"""Routes: text in, checked values or every problem out."""

import json
import re
from pathlib import Path
from string import Template

import pytest

from shared.column_rules import Rule
from shared.errors import RouteError
from shared.names import recipe
from shared.routes import Route, Routes, parse_routes

ROOT = Path(__file__).parents[2]
MODEL = 'model = "https://e.westeurope.inference.ml.azure.com/jobs"'


def table(*lines: str, name: str = "r") -> str:
    """The TOML of one route that is complete but for what the lines add."""
    return "\n".join([f"[routes.{name}]", 'pattern = "in/*.csv"', MODEL, *lines])


def problems(text: str) -> list[str]:
    """The lines of the refusal, without its heading."""
    with pytest.raises(RouteError) as refusal:
        parse_routes(text)
    heading, *lines = str(refusal.value).splitlines()
    assert heading == "routes.toml is not usable:"
    return [line.removeprefix("  ") for line in lines]


def route(pattern: str, name: str = "r") -> Route:
    return Route(name=name, pattern=pattern, model="https://e/jobs")


def test_a_pattern_and_a_model_are_enough() -> None:
    (found,) = parse_routes(table()).routes
    assert found == route("in/*.csv").but(model="https://e.westeurope.inference.ml.azure.com/jobs")
    assert (found.predictions, found.match, found.delimiter, found.max_jobs) == (
        ("prediction",),
        "order",
        ",",
        1,
    )


def test_no_routes_at_all_are_fine() -> None:
    assert parse_routes("# nothing yet") == Routes(())


def test_text_that_is_not_toml_is_refused_with_the_line() -> None:
    with pytest.raises(RouteError, match=r"routes.toml is not TOML: .*at line 2"):
        parse_routes("[routes.a]\npattern = bare\n")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('colour = "red"', "colour: is not a key of a route; known are after, also_raw, bad_rows, "),
        ('name = "other"', "name: is not a key of a route"),
        ('send = "age"', "send: must be a list of column names"),
        ('send = ["age", ""]', "send: must be a list of column names"),
        ("carry = [1]", "carry: must be a list of column names"),
        ('columns = ["age"]', 'columns: must be a table such as { bmi = "number" }'),
        ("columns = { age = 1 }", 'columns.age: must be a type such as "number", or a table such as'),
        ('columns = { age = "days" }', 'columns.age: must be one of "text", "number", "integer", '),
        ('columns = { age = { type = "number", min = "0" } }', "columns.age.min: must be a number"),
        ("columns = { day = { type = 'date', min = 12:00:00 } }", "columns.day.min: must be a date such as"),
        ('also_raw = "yes"', "also_raw: must be true or false"),
        ("bad_rows_at_most = true", "bad_rows_at_most: must be a number"),
        ("bad_rows_at_most = 0", "bad_rows_at_most: must be a share of the rows, above 0 and at most 1"),
        ("bad_rows_at_most = 5", "bad_rows_at_most: must be a share of the rows, above 0 and at most 1"),
        ('bad_rows = "drop"', 'bad_rows: must be one of "reject", "set-aside"'),
        ('column_order = "sent"', 'column_order: must be one of "any", "as-sent"'),
        ('column_order = "as-sent"', "column_order: name the columns, in their order, in `send`"),
        (
            'encoding = "latin-1"',
            'encoding: must be one of "utf-8", "windows-1252", "iso-8859-1", "iso-8859-15"',
        ),
        ('decimal = ";"', 'decimal: must be one of ".", ","'),
        ("datastore = 7", "datastore: must be text in quotes"),
        ('max_jobs = "2"', "max_jobs: must be a whole number"),
        ("max_jobs = true", "max_jobs: must be a whole number"),
        ("max_jobs = 1.5", "max_jobs: must be a whole number"),
        ("max_jobs = 0", "max_jobs: must be between 1 and 100"),
        ("max_jobs = 101", "max_jobs: must be between 1 and 100"),
        ('match = "name"', 'match: must be one of "order", "file", "row", "key", "files", "none", "auto"'),
        ('match = "key"', 'key: match = "key" needs the name of the column that the raw predictions repeat'),
        ('key = "id"', 'key: only match = "key" has one, this route says "order"'),
        ('key = "id"\nmatch = "row"', 'key: only match = "key" has one, this route says "row"'),
        ('key = "id"\nmatch = "key"\nsend = ["age"]', 'key: "id" is not among `send`; the model must get it'),
        ('part_size = "64MB"', 'part_size: with match = "order" a file stays in one part; leave it out'),
        ('part_size = "64MB"\nmatch = "files"', 'part_size: with match = "files" a file stays in one part'),
        ('part_size = "1KB"\nmatch = "row"', "part_size: must be between 1MB and 256MB"),
        ('part_size = "big"\nmatch = "row"', 'part_size: "big" is not a size'),
        ('match = "none"\ncarry = ["id"]', 'carry: with match = "none" no prediction belongs to a row'),
        ("raw_delimiter = '\"'", "raw_delimiter: must be one character"),
        ('raw_delimiter = "::"', 'raw_delimiter: must be one character, such as "," or " "'),
        ('notify = "http://hooks.example"', "notify: must be an https address (http only for this machine)"),
        ('notify = "https://me:s3cret@hooks.example"', "notify: must be an https address"),
        ('after = "delete"', 'after: must be one of "keep", "archive"'),
        ('send = ["age", "age"]', "send: names a column twice"),
        ('carry = ["id", "id"]', "carry: names a column twice"),
        ('predictions = ["p", "p"]', "predictions: names a column twice"),
        ("predictions = []", "predictions: name at least one predicted column"),
        ('carry = ["prediction"]', 'predictions: "prediction" is a carried column too; give the prediction'),
        ('delimiter = ""', 'delimiter: must be one character, such as "," or ";"'),
        ('delimiter = ", "', "delimiter: must be one character"),
        ("delimiter = '\"'", "delimiter: is the `quote`, too; it must be another character"),
        ('delimiter = "e"', "delimiter: must be one character"),
        ('delimiter = "§"', "delimiter: must be one character"),
        ('delimiter = "\\u0000"', "delimiter: must be one character"),
        ("quote = \"''\"", 'quote: must be one character, such as \'"\', or "" where files have no quotes'),
        ('quote = " "', "quote: must be one character"),
        ('quote = "x"', "quote: must be one character"),
        (
            'decimal = ","',
            "decimal: name the columns that hold numbers in `columns`; only their cells are rewritten",
        ),
        (
            'decimal = ","\nquote = ""\ncolumns = { a = "number" }',
            "decimal: is the `delimiter`, too, and without a ",
        ),
        (
            'carry = ["id"]\ncolumns = { id = { required = false } }',
            "columns.id.required: a carried column must be",
        ),
        (
            "columns = { a = { unique = true }, b = { unique = true } }",
            "columns: only one column can be `unique`, not a and b; the key is unique anyway",
        ),
        (
            'match = "key"\nkey = "id"\ncolumns = { id = { missing = true } }',
            "columns.id.missing: the key is in every file, never empty and unique",
        ),
        (
            "columns = { a = { unique = true, required = false } }",
            "columns.a.required: a unique column must be in every file",
        ),
        ('deadline = ""', 'deadline: "" is not a duration'),
        ('delimiter = "\\n"', "delimiter: must be one character"),
        ('deadline = "soon"', 'deadline: "soon" is not a duration'),
        ('part_timeout = "5"', 'part_timeout: "5" is not a duration'),
        ('max_size = "1 TB"', 'max_size: "1 TB" is not a size'),
        ('schedule = "0 6 * * *"', 'schedule: "0 6 * * *" is not NCRONTAB'),
    ],
)
def test_each_problem_names_its_route_and_key(line: str, problem: str) -> None:
    (found,) = problems(table(line))
    assert found.startswith(f"[routes.r] {problem}")


@pytest.mark.parametrize("mark", '"+-./_a7é\n')
def test_what_numbers_parts_names_and_quoted_cells_hold_does_not_part_raw_predictions(mark: str) -> None:
    assert problems(table(f"raw_delimiter = {json.dumps(mark)}")) == [
        '[routes.r] raw_delimiter: must be one character, such as "," or " ", that no number and no name of a part '
        "holds"
    ]


@pytest.mark.parametrize("mark", " ,;\t|:~\x01")
def test_other_marks_part_raw_predictions(mark: str) -> None:
    (found,) = parse_routes(table(f"raw_delimiter = {json.dumps(mark)}")).routes
    assert found.raw_delimiter == mark


@pytest.mark.parametrize("model", ["http://e.example/jobs", "e.example/jobs", "ftp://e.example"])
def test_a_model_is_an_https_address(model: str) -> None:
    text = table().replace(MODEL, f'model = "{model}"')
    assert problems(text) == [
        "[routes.r] model: must be the endpoint's https scoring URL (http only for this machine)"
    ]
    assert parse_routes(text.replace(model, "http://127.0.0.1:8080/jobs")).named("r")


@pytest.mark.parametrize(
    "name", ['""', "Upper", '"with space"', "9lives", '"-dash"', "under_score", "a" * 41]
)
def test_a_route_name_is_short_and_lower_case(name: str) -> None:
    (found,) = problems(table(name=name))
    assert "name: use a lower-case letter, then letters, digits and dashes, at most 40" in found


def test_all_problems_of_all_routes_are_reported_together() -> None:
    text = "\n".join(
        [
            'title = "mine"',
            table("max_jobs = 0", 'after = "burn"', name="a"),
            '[routes.b]\ncolour = "red"',
            "[routes]\nc = 3",
        ]
    ).replace("[routes]\nc = 3", "")
    found = problems(text + '\n[route.d]\npattern = "x"')
    assert [problem.split(":")[0] for problem in found] == [
        "title",
        "route",
        "[routes.a] after",
        "[routes.a] max_jobs",
        "[routes.b] pattern",
        "[routes.b] model",
        "[routes.b] colour",
    ]


def test_a_route_that_is_not_a_table_is_refused() -> None:
    assert problems("[routes]\na = 3") == ["[routes.a] must be a table of keys"]


@pytest.mark.parametrize("text", ["routes = 3", 'routes = ["a"]', "[[routes]]\npattern = 'x'"])
def test_routes_that_are_not_tables_are_refused(text: str) -> None:
    with pytest.raises(RouteError):
        parse_routes(text)


def test_a_model_that_cannot_be_parsed_is_refused() -> None:
    with pytest.raises(RouteError):
        parse_routes(table().replace(MODEL, 'model = "https://[e/jobs"'))


def test_a_workspace_is_a_whole_resource_id() -> None:
    assert problems(table('workspace = "my-workspace"'))[0].startswith("[routes.r] workspace: ")


@pytest.mark.parametrize(
    ("pattern", "taken", "left"),
    [
        (
            "in/*.csv",
            ["in/a.csv", "in/.csv", "in/a b.csv", "in/a\nb.csv"],
            ["in/x/a.csv", "in/a.CSV", "xin/a.csv"],
        ),
        ("**.csv", ["a.csv", "x/y/a.csv", "x\n/a.csv"], ["a.txt", "a.csv.gz"]),
        ("in/**/*.csv", ["in/x/a.csv", "in/x/y/a.csv"], ["in/a.csv", "out/x/a.csv"]),
        ("in/?.csv", ["in/a.csv", "in/é.csv"], ["in/ab.csv", "in/.csv", "in//.csv"]),
        ("in/a+(b)[c].csv", ["in/a+(b)[c].csv"], ["in/aab.csv", "in/a+(b)c.csv"]),
        ("***.csv", ["a.csv", "x/a.csv"], ["a.txt"]),
        ("**", ["anything/at all", ""], []),
    ],
)
def test_stars_and_question_marks_stay_within_a_folder_and_double_stars_do_not(
    pattern: str, taken: list[str], left: list[str]
) -> None:
    assert [name for name in taken + left if route(pattern).takes(name)] == taken


def test_the_first_route_that_fits_takes_the_name() -> None:
    routes = Routes((route("in/special-*.csv", "first"), route("in/**", "second")))
    assert [
        found and found.name for found in map(routes.of, ["in/special-1.csv", "in/x.csv", "out/x.csv"])
    ] == [
        "first",
        "second",
        None,
    ]


def test_routes_are_found_by_name() -> None:
    routes = Routes((route("a", "first"), route("b", "second")))
    assert routes.named("second") == route("b", "second")
    assert routes.named("third") is None


def test_routes_keep_the_order_of_the_file() -> None:
    names = ["z", "a", "m"]
    parsed = parse_routes("\n".join(table(name=name) for name in names))
    assert [found.name for found in parsed.routes] == names


MATRIX = {
    "order": (False, False, False),
    "file": (True, False, True),
    "row": (True, True, True),
    "key": (True, False, True),
    "files": (True, False, False),
    "none": (True, False, False),
    "auto": (False, False, False),
}


@pytest.mark.parametrize(("match", "allows"), MATRIX.items())
def test_what_the_raw_predictions_say_decides_what_may_be_shared(
    match: str, allows: tuple[bool, bool, bool]
) -> None:
    found = route("x").but(match=match)
    assert (found.shares_jobs, found.shares_parts, found.cuts_files) == allows
    alone = found.but(max_files=1)
    assert (alone.shares_jobs, alone.shares_parts, alone.cuts_files) == (False, False, allows[2])


def test_a_route_may_use_every_key() -> None:
    (found,) = parse_routes(
        table(
            'send = ["id", "age", "day"]',
            'key = "id"',
            'match = "key"',
            'raw_delimiter = "\\t"',
            'delimiter = ";"',
            'quote = "\'"',
            'encoding = "windows-1252"',
            'decimal = ","',
            'column_order = "as-sent"',
            'bad_rows = "set-aside"',
            "bad_rows_at_most = 1",
            'part_size = "1MB"',
            "also_raw = true",
            "max_files = 1",
            'columns.age = { type = "number", min = 0, max = 80.5, missing = true, required = false }',
            'columns.day = { type = "date", min = 2024-01-01 }',
            'columns.sex = { allowed = ["m", "f"] }',
            'columns.note = "text"',
        )
    ).routes
    assert found.rules == {
        "age": Rule("number", required=False, missing=True, min=0, max=80.5),
        "day": Rule("date", min="2024-01-01"),
        "sex": Rule("text", allowed=("m", "f")),
        "note": Rule("text", missing=True),
        "id": Rule("text", unique=True),
    }
    assert found.unique == ("id",)
    assert Route.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_a_key_keeps_what_its_column_must_hold() -> None:
    keyed = route("x").but(match="key", key="id", columns={"id": {"type": "integer", "min": 1}})
    assert keyed.rules == {"id": Rule("integer", min=1, unique=True)}


def test_the_usual_options_leave_a_route_its_recipe() -> None:
    plain = route("x").but(send=("a",), carry=("b",), columns={"a": "number"})
    assert plain.scoring() == ["https://e/jobs", "", ("a",), ("b",), ("prediction",), "order", ","]
    assert plain.but(columns={}, max_files=1, schedule="0 0 6 * * *").scoring() == plain.scoring()


@pytest.mark.parametrize(
    "changes",
    [
        {"quote": "'"},
        {"encoding": "windows-1252"},
        {"decimal": ","},
        {"match": "key", "key": "a"},
        {"raw_delimiter": ","},
        {"bad_rows": "set-aside"},
        {"bad_rows": "set-aside", "columns": {"a": {"type": "number", "min": 1}}},
        {"also_raw": True},
    ],
    ids=str,
)
def test_what_changes_predictions_changes_the_recipe(changes: dict[str, object]) -> None:
    plain = route("x").but(columns={"a": "number"})
    others = [plain, plain.but(bad_rows="set-aside")] if "columns" in changes else [plain]
    recipes = [recipe(other.scoring()) for other in (*others, plain.but(**changes))]
    assert len(set(recipes)) == len(recipes)


def test_the_short_and_the_long_form_of_a_rule_make_one_recipe() -> None:
    short = route("x").but(bad_rows="set-aside", columns={"a": "number", "b": "text"})
    long = short.but(columns={"b": {"type": "text"}, "a": {"type": "number", "missing": False}})
    assert recipe(short.scoring()) == recipe(long.scoring())


def test_a_route_survives_the_way_through_json() -> None:
    whole = Route(
        name="r",
        pattern="in/*.csv",
        model="https://e/jobs",
        send=("a", "b"),
        carry=("id",),
        columns={"a": "number"},
        predictions=("low", "high"),
        schedule="0 0 6 * * *",
        max_jobs=3,
    )
    assert Route.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole


def test_the_record_of_a_run_keeps_no_address_that_is_told() -> None:
    told = route("x").but(notify="https://hooks.example/s3cret")
    assert Route.from_dict(told.frozen()) == route("x")


def test_a_route_written_by_newer_code_can_be_read() -> None:
    assert Route.from_dict({**route("x").to_dict(), "from_the_future": [1]}) == route("x")


def test_the_packaged_routes_parse() -> None:
    assert parse_routes((ROOT / "routes.toml").read_text("utf-8")) == Routes(())


def test_the_sample_in_the_packaged_routes_parses_once_it_is_uncommented() -> None:
    text = (ROOT / "routes.toml").read_text("utf-8")
    (found,) = parse_routes(re.sub(r"^# ?(?=\[routes|\w+ +=)", "", text, flags=re.MULTILINE)).routes
    assert found.name == "diabetes"
    assert found.columns == {"bmi": "number"}
    assert (found.carry, found.schedule) == (("patient",), "0 0 6 * * *")


def test_the_local_routes_parse() -> None:
    text = (ROOT / "local" / "routes.toml").read_text("utf-8")
    routes = parse_routes(Template(text).substitute(AZUREML="http://127.0.0.1:8080"))
    found = routes.of("diabetes/clinic-north.csv")
    assert found is not None
    assert set(found.columns) == set(found.send)
    assert {route.name for route in routes.routes} == {
        path.parent.name.replace("_", "-") for path in (ROOT / "models").glob("*/endpoint.yml")
    }
