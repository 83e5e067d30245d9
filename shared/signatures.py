"""What an MLflow model says of its inputs, as a route's columns."""

import json
from typing import Any

from shared.errors import RouteError

TYPES = {
    "double": "number",
    "float": "number",
    "long": "integer",
    "integer": "integer",
    "boolean": "boolean",
    "string": "text",
    "datetime": "datetime",
}


def inputs_of(mlmodel: bytes) -> dict[str, dict[str, Any]]:
    """The inputs of an `MLmodel` file as entries of a route's `columns`, in the model's order. Raises RouteError."""
    inputs = listed_inputs(mlmodel)
    if not all(isinstance(one, dict) for one in inputs):
        raise RouteError("its inputs are not a list of columns; name them in `send` and `columns`")
    return {name_of(one): {"type": type_of(one), "required": is_required(one)} for one in inputs}


def listed_inputs(mlmodel: bytes) -> list[Any]:
    """`signature.inputs`, which is JSON in a string of the YAML. Raises RouteError where there is none."""
    import yaml

    try:
        document = yaml.load(mlmodel, Loader=yaml.BaseLoader)  # every scalar is text, no tag is followed
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise RouteError("is not a YAML file as MLflow writes it") from None
    signature = document.get("signature") if isinstance(document, dict) else None
    text = signature.get("inputs") if isinstance(signature, dict) else None
    if not isinstance(text, str):
        raise RouteError("has no `signature` with `inputs`: log the model with a signature")
    try:
        inputs = json.loads(text)
    except (ValueError, RecursionError):
        raise RouteError("`signature.inputs` is not JSON as MLflow writes it") from None
    if not isinstance(inputs, list) or not inputs:
        raise RouteError("`signature.inputs` lists no columns")
    return inputs


def name_of(one: dict[str, Any]) -> str:
    name = one.get("name")
    if one.get("type") == "tensor":
        raise RouteError(f'its input "{name or "unnamed"}" is a tensor, and files have columns')
    if not isinstance(name, str) or not name:
        raise RouteError("an input has no name: log the model with the names of its columns")
    return name


def type_of(one: dict[str, Any]) -> str:
    kind = one.get("type")
    if not isinstance(kind, str) or kind not in TYPES:
        raise RouteError(f'its input "{one["name"]}" is of type "{kind}"; known are {", ".join(TYPES)}')
    return TYPES[kind]


def is_required(one: dict[str, Any]) -> bool:
    """Older MLflow wrote `optional`, later ones `required`."""
    return bool(one.get("required", not one.get("optional", False)))
