"""The inputs and outputs of an invoke: addresses in every form, and literals."""

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from .addresses import AddressError, Places, datastore_path
from .jobs import JobInput, JobOutput
from .reading import InvalidBody, members, one_of, required, string

_INPUT_MODES = ("ReadOnlyMount", "Download")
_OUTPUT_MODES = ("ReadWriteMount", "Upload", "rw_mount")

Asked = TypeVar("Asked")
Found = TypeVar("Found")


def read_inputs(properties: dict[str, Any], places: Places) -> dict[str, JobInput]:
    """The entries of inputData. Raises InvalidBody."""
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
        address=led_back(places.find, uri),
    )


def read_outputs(properties: dict[str, Any], places: Places) -> dict[str, JobOutput]:
    """The entries of outputData, which lie in datastores. Raises InvalidBody."""
    given = properties.get("outputData") or {}
    return {name: _output(name, data, places) for name, data in _named(given, "outputData")}


def _output(name: str, given: object, places: Places) -> JobOutput:
    where = f"outputData.{name}"
    data = members(given, ("jobOutputType", "uri", "mode", "description"), where)
    kind = one_of(data.get("jobOutputType"), ("UriFile", "UriFolder"), f"{where}.jobOutputType")
    uri = required(data, "uri", where)
    place = led_back(datastore_path, uri)
    if place is None or not place.path or (kind == "UriFile" and uri.endswith("/")):
        raise InvalidBody(f"{where}.uri {uri} is not a path in a datastore; give azureml://datastores/…")
    mode = one_of(data.get("mode") or "ReadWriteMount", _OUTPUT_MODES, f"{where}.mode")
    return JobOutput(
        kind=kind,
        place=place,
        address=led_back(places.of, place),
        uri=uri,
        mode=mode,
        description=string(data, "description"),
    )


def led_back(find: Callable[[Asked], Found], asked: Asked) -> Found:
    """What an address leads to. Raises InvalidBody where the service would not take it."""
    try:
        return find(asked)
    except AddressError as error:
        raise InvalidBody(str(error)) from None


def _literal(data: dict[str, Any], where: str) -> str | int | float | bool:
    value = data.get("value")
    if not isinstance(value, str | int | float | bool):
        raise InvalidBody(f"{where}.value is {value!r}; give a string, a number or a boolean")
    return value


def _named(document: object, where: str) -> Iterable[tuple[str, object]]:
    if not isinstance(document, dict):
        raise InvalidBody(f"{where} is not an object")
    return document.items()
