"""The body of an invoke, read strictly: keys in any case, unknown ones refused, overrides checked."""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from .addresses import AddressError, check_input, datastore_address
from .deployments import Settings
from .jobs import JobInput, JobOutput

_PROPERTIES = (
    *("compute", "dataset", "description", "errorThreshold", "inputData", "loggingLevel"),
    *("maxConcurrencyPerInstance", "miniBatchSize", "name", "outputData", "outputDataset", "outputFileName"),
    *("partitionKeys", "properties", "retrySettings", "tags"),
    *("interactionEndpoints", "output", "provisioningState", "status"),
)
_COMPUTE = ("target", "instanceCount", "instanceType", "isLocal", "location", "properties")
_REFUSED_PROPERTIES = ("dataset", "outputDataset", "partitionKeys")
_INPUT_KINDS = ("UriFile", "UriFolder")
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.IGNORECASE)


class InvalidInvocation(ValueError):
    """A body the service answers with 400; the message says which member, and what is expected."""


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """What a caller asked for; `settings` are the deployment's with the caller's overrides."""

    input: JobInput
    output: JobOutput | None
    settings: Settings
    display_name: str | None


def read_invocation(document: object, settings: Settings) -> Invocation:
    """Read the body of an invoke of a deployment with `settings`.

    Raises InvalidInvocation. tags, description, properties and compute.target are taken and not used.
    """
    properties = _members(
        _members(document, ("properties",), "the body").get("properties"), _PROPERTIES, "properties"
    )
    for name in _REFUSED_PROPERTIES:
        if properties.get(name.lower()) is not None:
            raise InvalidInvocation(f"properties.{name} is not emulated; use inputData and outputData")
    try:
        source, output = _read_input(properties), _read_output(properties)
    except AddressError as error:
        raise InvalidInvocation(str(error)) from None
    return Invocation(
        input=source,
        output=output,
        settings=replace(settings, **_overrides(properties, output)),
        display_name=_string(properties, "name"),
    )


def iso_duration(seconds: float) -> str:
    """Seconds in ISO 8601, as in PT30S or PT1H5M."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    parts = [f"{value:g}{unit}" for value, unit in ((hours, "H"), (minutes, "M"), (rest, "S")) if value]
    return "PT" + "".join(parts or ["0S"])


def _read_input(properties: dict[str, Any]) -> JobInput:
    name, given = _only_one(properties.get("inputdata"), "inputData")
    if re.fullmatch(r"\w+", name, re.ASCII) is None:
        raise InvalidInvocation(
            f"the input name {name!r} has other characters than letters, digits and underscores"
        )
    where = f"inputData.{name}"
    data = _members(given, ("jobInputType", "uri", "value", "mode", "description"), where)
    kind = _one_of(data.get("jobinputtype"), _INPUT_KINDS, f"{where}.jobInputType")
    uri = _uri(data, where)
    check_input(uri)
    mode = _string(data, "mode") or "ReadOnlyMount"
    return JobInput(name=name, kind=kind, uri=uri, mode=mode, description=_string(data, "description"))


def _read_output(properties: dict[str, Any]) -> JobOutput | None:
    if not properties.get("outputdata"):
        return None
    name, given = _only_one(properties["outputdata"], "outputData")
    where = f"outputData.{name}"
    data = _members(given, ("jobOutputType", "uri", "mode", "description"), where)
    _one_of(data.get("joboutputtype"), ("UriFile",), f"{where}.jobOutputType")
    uri = _uri(data, where)
    if datastore_address(uri) is None or uri.endswith("/"):
        raise InvalidInvocation(
            f"{where}.uri {uri} is not a file in a datastore; give azureml://datastores/…"
        )
    mode = _string(data, "mode") or "ReadWriteMount"
    return JobOutput(uri=uri, mode=mode, description=_string(data, "description"))


def _overrides(properties: dict[str, Any], output: JobOutput | None) -> dict[str, Any]:
    """The settings the caller gives, by their names in Settings; the output's file name wins over others."""
    compute = _members(properties.get("compute") or {}, _COMPUTE, "compute")
    retry = _members(properties.get("retrysettings") or {}, ("maxRetries", "timeout"), "retrySettings")
    given = {
        "instance_count": _integer(compute, "instanceCount", 1),
        "max_concurrency_per_instance": _integer(properties, "maxConcurrencyPerInstance", 1),
        "mini_batch_size": _integer(properties, "miniBatchSize", 1),
        "error_threshold": _integer(properties, "errorThreshold", -1),
        "max_retries": _integer(retry, "maxRetries", 0),
        "timeout": _seconds(retry.get("timeout")),
        "logging_level": _string(properties, "loggingLevel"),
        "output_file_name": posixpath.basename(output.uri)
        if output
        else _string(properties, "outputFileName"),
    }
    return {name: value for name, value in given.items() if value is not None}


def _members(document: object, known: Iterable[str], where: str) -> dict[str, Any]:
    """An object's members by their names in lower case; unknown ones are refused, as ARM's parser does."""
    if not isinstance(document, dict):
        raise InvalidInvocation(f"{where} is not an object")
    lowered = {name.lower() for name in known}
    for name in document:
        if name.lower() not in lowered:
            raise InvalidInvocation(f"Could not find member '{name}' on {where}")
    return {name.lower(): value for name, value in document.items()}


def _only_one(document: object, where: str) -> tuple[str, object]:
    if not isinstance(document, dict) or len(document) != 1:
        raise InvalidInvocation(
            f"{where} must hold exactly one entry: a model deployment takes one input, one output"
        )
    name, given = next(iter(document.items()))
    return str(name), given


def _one_of(value: object, choices: tuple[str, ...], where: str) -> str:
    for choice in choices:
        if isinstance(value, str) and value.lower() == choice.lower():
            return choice
    raise InvalidInvocation(
        f"{where} {value!r} is not supported for a model deployment; use {' or '.join(choices)}"
    )


def _string(document: dict[str, Any], name: str) -> str | None:
    value = document.get(name.lower())
    if not isinstance(value, str | None):
        raise InvalidInvocation(f"{name} is {value!r}, not a string")
    return value


def _uri(document: dict[str, Any], where: str) -> str:
    uri = _string(document, "uri")
    if not uri:
        raise InvalidInvocation(f"{where}.uri is missing")
    return uri


def _integer(document: dict[str, Any], name: str, least: int) -> int | None:
    value = document.get(name.lower())
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidInvocation(f"{name} is {value!r}; it must be a whole number of at least {least}")
    return value


def _seconds(value: object) -> float | None:
    if value is None:
        return None
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups()) if match else (0.0,) * 4
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if total <= 0:
        raise InvalidInvocation(
            f"retrySettings.timeout is {value!r}; it must be an ISO 8601 duration such as PT5M"
        )
    return total
