"""The body of an invoke, read strictly: keys in any case, unknown ones refused, overrides checked."""

import posixpath
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from .addresses import AddressError, DatastorePath, Places, datastore_path
from .jobs import JobInput, JobOutput
from .reading import InvalidBody, members, one_of, required, string
from .settings import MEMBERS, Settings
from .workspace import path_of

_PROPERTIES = (
    *MEMBERS,
    *("dataset", "description", "inputData", "name", "outputData", "outputDataset", "partitionKeys"),
    *("properties", "tags", "interactionEndpoints", "output", "provisioningState", "status"),
)
_REFUSED_PROPERTIES = ("dataset", "partitionKeys")
_INPUT_MODES = ("ReadOnlyMount", "Download")
_OUTPUT_MODES = ("ReadWriteMount", "Upload", "rw_mount")


Asked = TypeVar("Asked")
Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """What a caller asked for; `settings` are the deployment's with the caller's overrides.

    `outputs` holds those that the caller has placed; the others go to their default places.
    """

    inputs: dict[str, JobInput]
    outputs: dict[str, JobOutput]
    settings: Settings
    display_name: str | None
    experiment: str | None


def read_invocation(document: object, settings: Settings, places: Places) -> Invocation:
    """Read the body of an invoke of a model deployment with `settings`.

    Raises InvalidBody. tags, description and compute.target are taken and not used.
    """
    properties = _properties(document)
    inputs, outputs = _inputs(properties, places), _outputs(properties, places)
    _check_model_invocation(inputs, outputs)
    settings = settings.overridden(properties, counted="compute")
    given = next(iter(outputs.values()), None) or _older_output(properties, settings, places)
    outputs = {"score": given} if given else {}
    return Invocation(
        inputs=inputs,
        outputs=outputs,
        settings=_named_by(outputs, settings),
        display_name=string(properties, "name"),
        experiment=_experiment(properties),
    )


def _properties(document: object) -> dict[str, Any]:
    properties = members(
        members(document, ("properties",), "the body").get("properties"), _PROPERTIES, "properties"
    )
    for name in _REFUSED_PROPERTIES:
        if properties.get(name) is not None:
            raise InvalidBody(f"properties.{name} is not emulated; use inputData and outputData")
    return properties


def _inputs(properties: dict[str, Any], places: Places) -> dict[str, JobInput]:
    given = properties.get("inputData") or {}
    return {name: _input(name, data, places) for name, data in _named(given, "inputData")}


def _input(name: str, given: object, places: Places) -> JobInput:
    where = f"inputData.{name}"
    if re.fullmatch(r"\w+", name, re.ASCII) is None:
        raise InvalidBody(
            f"the input name {name!r} has other characters than letters, digits and underscores"
        )
    data = members(given, ("jobInputType", "uri", "value", "mode", "description"), where)
    kind = one_of(data.get("jobInputType"), ("UriFile", "UriFolder", "Literal"), f"{where}.jobInputType")
    if kind == "Literal":
        return JobInput(kind=kind, value=_literal(data, where), description=string(data, "description"))
    uri = required(data, "uri", where)
    return JobInput(
        kind=kind,
        uri=uri,
        mode=one_of(data.get("mode") or "ReadOnlyMount", _INPUT_MODES, f"{where}.mode"),
        description=string(data, "description"),
        address=_checked(places.find, uri),
    )


def _outputs(properties: dict[str, Any], places: Places) -> dict[str, JobOutput]:
    given = properties.get("outputData") or {}
    return {name: _output(name, data, places) for name, data in _named(given, "outputData")}


def _output(name: str, given: object, places: Places) -> JobOutput:
    where = f"outputData.{name}"
    data = members(given, ("jobOutputType", "uri", "mode", "description"), where)
    kind = one_of(data.get("jobOutputType"), ("UriFile", "UriFolder"), f"{where}.jobOutputType")
    uri = required(data, "uri", where)
    place = _checked(datastore_path, uri)
    if place is None or not place.path or (kind == "UriFile" and uri.endswith("/")):
        raise InvalidBody(f"{where}.uri {uri} is not a path in a datastore; give azureml://datastores/…")
    mode = one_of(data.get("mode") or "ReadWriteMount", _OUTPUT_MODES, f"{where}.mode")
    return JobOutput(
        kind=kind,
        place=place,
        address=_checked(places.of, place),
        uri=uri,
        mode=mode,
        description=string(data, "description"),
    )


def _check_model_invocation(inputs: dict[str, JobInput], outputs: dict[str, JobOutput]) -> None:
    """A model deployment takes one data input and one file as its output."""
    if len(inputs) != 1 or len(outputs) > 1:
        raise InvalidBody(
            "inputData and outputData must hold exactly one entry: "
            "a model deployment takes one input, one output"
        )
    if any(one.kind == "Literal" for one in inputs.values()):
        raise InvalidBody("a model deployment takes no Literal; 'Literal' is for pipeline components")
    if any(output.kind != "UriFile" for output in outputs.values()):
        raise InvalidBody("the output of a model deployment is a file; use UriFile")


def _older_output(properties: dict[str, Any], settings: Settings, places: Places) -> JobOutput | None:
    """The output in the form of older clients: a folder of a datastore and, elsewhere, the file's name."""
    given = properties.get("outputDataset")
    if given is None:
        return None
    data = members(given, ("datastoreId", "path"), "outputDataset")
    path = path_of(required(data, "datastoreId", "outputDataset")) or ""
    folder = (string(data, "path") or "").strip("/")
    place = DatastorePath(path.rpartition("/")[2], posixpath.join(folder, settings.output_file_name))
    address = _checked(places.of, place)
    return JobOutput(kind="UriFile", place=place, address=address, uri=place.arm_id)


def _named_by(outputs: dict[str, JobOutput], settings: Settings) -> Settings:
    """The settings, the file's name that of the output the caller placed, which wins over others."""
    names = [posixpath.basename(output.place.path) for output in outputs.values()]
    return replace(settings, output_file_name=names[0]) if names else settings


def _checked(find: Callable[[Asked], Found], asked: Asked) -> Found:
    """What an address leads to. Raises InvalidBody where the service would not take it."""
    try:
        return find(asked)
    except AddressError as error:
        raise InvalidBody(str(error)) from None


def _experiment(properties: dict[str, Any]) -> str | None:
    given = properties.get("properties") or {}
    if not isinstance(given, dict):
        raise InvalidBody("properties.properties is not an object")
    return next((str(value) for key, value in given.items() if key.lower() == "experimentname"), None)


def _literal(data: dict[str, Any], where: str) -> str | int | float | bool:
    value = data.get("value")
    if not isinstance(value, str | int | float | bool):
        raise InvalidBody(f"{where}.value is {value!r}; give a string, a number or a boolean")
    return value


def _named(document: object, where: str) -> Iterable[tuple[str, object]]:
    if not isinstance(document, dict):
        raise InvalidBody(f"{where} is not an object")
    return document.items()
