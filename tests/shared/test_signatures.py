"""Signatures: what an MLmodel says of its inputs becomes `send` and `columns`, where the route says nothing else."""

import json
from typing import Any

import pytest

from shared.column_rules import Rule
from shared.errors import RouteError
from shared.routes import Route, parse_routes
from shared.signatures import inputs_of

MLMODEL = """\
artifact_path: model
flavors:
  python_function:
    env:
      conda: conda.yaml
    loader_module: mlflow.sklearn
mlflow_version: 3.17.2
signature:
  inputs: '[{"type": "double", "name": "age", "required": true}, {"type": "long", "name":
    "visits", "required": true}, {"type": "string", "name": "city", "required": false}]'
  outputs: '[{"type": "double", "name": "risk", "required": true}]'
  params: null
utc_time_created: '2026-03-01 10:00:00.000000'
"""


def mlmodel(inputs: Any) -> bytes:
    """An MLmodel whose signature has these inputs."""
    text = inputs if isinstance(inputs, str) else json.dumps(inputs)
    return f"signature:\n  inputs: {json.dumps(text)}\n".encode()


def route(*lines: str, content: bytes = MLMODEL.encode()) -> Route:
    (found,) = parse_routes(text(*lines), {"m/MLmodel": content}.__getitem__).routes
    return found


def text(*lines: str, signature: str = "m/MLmodel") -> str:
    model = 'model = "https://e/jobs"'
    return "\n".join(["[routes.r]", 'pattern = "*"', model, f"signature = {json.dumps(signature)}", *lines])


def problem(*lines: str, content: bytes = MLMODEL.encode()) -> str:
    with pytest.raises(RouteError) as refused:
        route(*lines, content=content)
    heading, line = str(refused.value).splitlines()
    assert heading == "routes.toml is not usable:"
    return line.removeprefix("  [routes.r] ")


def test_the_inputs_are_sent_and_checked() -> None:
    found = route()
    assert found.send == ("age", "visits", "city")
    assert found.rules == {
        "age": Rule("number"),
        "visits": Rule("integer"),
        "city": Rule("text", required=False, missing=True),
    }
    assert Route.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_what_the_route_says_itself_counts() -> None:
    found = route(
        'send = ["visits", "age"]', "columns.age = { type = 'number', max = 120 }", 'columns.id = "text"'
    )
    assert found.send == ("visits", "age")
    assert found.rules == {
        "age": Rule("number", max=120),
        "visits": Rule("integer"),
        "id": Rule("text", missing=True),
    }


def test_rules_that_need_the_signature_see_it() -> None:
    assert route('column_order = "as-sent"', 'match = "key"', 'key = "visits"').unique == ("visits",)
    assert problem('match = "key"', 'key = "id"').startswith('key: "id" is not among `send`')


def test_a_required_input_must_be_sent() -> None:
    assert problem('send = ["age"]') == 'signature: the model requires "visits", which `send` does not name'


def test_every_type_of_column_has_a_rule() -> None:
    kinds = ("double", "float", "long", "integer", "boolean", "string", "datetime")
    found = inputs_of(mlmodel([{"type": kind, "name": kind} for kind in kinds]))
    assert [entry["type"] for entry in found.values()] == [
        *("number", "number", "integer", "integer", "boolean", "text", "datetime")
    ]


def test_what_older_mlflow_calls_optional_is_not_required() -> None:
    inputs = [
        {"type": "long", "name": "a", "optional": True},
        {"type": "long", "name": "b", "optional": False},
    ]
    assert [entry["required"] for entry in inputs_of(mlmodel(inputs)).values()] == [False, True]


TENSOR = {"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 10]}}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (mlmodel([{**TENSOR, "name": "pixels"}]), 'its input "pixels" is a tensor, and files have columns'),
        (mlmodel([TENSOR]), 'its input "unnamed" is a tensor, and files have columns'),
        (mlmodel([{"type": "double"}]), "an input has no name: log the model with the names of its columns"),
        (
            mlmodel([{"type": "double", "name": ""}]),
            "an input has no name: log the model with the names of its",
        ),
        (
            mlmodel([{"type": "binary", "name": "x"}]),
            'its input "x" is of type "binary"; known are double, float',
        ),
        (
            mlmodel([{"type": ["double"], "name": "x"}]),
            'its input "x" is of type "[\'double\']"; known are double',
        ),
        (mlmodel(["age"]), "its inputs are not a list of columns; name them in `send` and `columns`"),
        (mlmodel([]), "`signature.inputs` lists no columns"),
        (mlmodel({"age": "double"}), "`signature.inputs` lists no columns"),
        (mlmodel("[" * 10_000), "`signature.inputs` is not JSON as MLflow writes it"),
        (mlmodel("age: double"), "`signature.inputs` is not JSON as MLflow writes it"),
        (b"flavors: {}\n", "has no `signature` with `inputs`: log the model with a signature"),
        (b"signature: null\n", "has no `signature` with `inputs`: log the model with a signature"),
        (b"signature:\n  inputs: [1]\n", "has no `signature` with `inputs`: log the model with a signature"),
        (b"", "has no `signature` with `inputs`: log the model with a signature"),
        (b"a: [", "is not a YAML file as MLflow writes it"),
        (
            b"!!python/object/apply:os.abort []",
            "has no `signature` with `inputs`: log the model with a signature",
        ),
        (b"a: !!timestamp x", "has no `signature` with `inputs`: log the model with a signature"),
        (b"? [a]\n: b", "is not a YAML file as MLflow writes it"),
        (b"\xff\xfe\xfd", "is not a YAML file as MLflow writes it"),
        (b"[" * 1000, "is not a YAML file as MLflow writes it"),
    ],
)
def test_a_signature_that_cannot_be_used_is_a_problem_of_its_route(content: bytes, told: str) -> None:
    assert problem(content=content).startswith(f"signature: {told}")


@pytest.mark.parametrize("path", ["/etc/passwd", "../secret", "a/../../b", "a\\b", "a//b", "a/", ".."])
def test_a_signature_lies_beside_the_routes(path: str) -> None:
    with pytest.raises(RouteError, match="signature: must be a path beside the routes, such as "):
        parse_routes(text(signature=path), lambda _: MLMODEL.encode())


def test_a_signature_where_there_are_no_files_is_refused() -> None:
    with pytest.raises(RouteError, match='signature: there is no "m/MLmodel" beside the routes'):
        parse_routes(text())
