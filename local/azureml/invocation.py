"""The body of an invoke, read strictly: keys in any case, unknown ones refused, overrides checked."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .addresses import DatastorePath, Places
from .components import DATA_TYPES, Pipeline, Port
from .deployments import Deployment, PipelineDeployment
from .invocation_data import led_back, read_inputs, read_outputs
from .jobs import JobInput, JobOutput
from .reading import InvalidBody, members, required, string
from .settings import MEMBERS, Settings
from .workspace import path_of

_PROPERTIES = (
    *MEMBERS,
    *("dataset", "description", "inputData", "name", "outputData", "outputDataset", "partitionKeys"),
    *("properties", "tags", "interactionEndpoints", "output", "provisioningState", "status"),
)
_REFUSED_PROPERTIES = ("dataset", "partitionKeys")
# Clients write literals as JSON values or as texts.
_LITERALS = {
    "string": (str, int, float),
    "integer": (int, str),
    "number": (int, float, str),
    "boolean": (bool, str),
}


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


def read_invocation(
    document: object, deployment: Deployment | PipelineDeployment, places: Places
) -> Invocation:
    """Read the body of an invoke. Raises InvalidBody.

    tags, description and compute.target are taken and not used, nor is the experiment's name by a model deployment: its
    documentation has it for pipelines alone.
    """
    properties = members(
        members(document, ("properties",), "the body").get("properties"), _PROPERTIES, "properties"
    )
    for name in _REFUSED_PROPERTIES:
        if properties.get(name) is not None:
            raise InvalidBody(f"properties.{name} is not emulated; use inputData and outputData")
    inputs, outputs = read_inputs(properties, places), read_outputs(properties, places)
    if isinstance(deployment, PipelineDeployment):
        return _of_pipeline(properties, inputs, outputs, deployment)
    return _of_model(properties, inputs, outputs, deployment, places)


def _of_model(
    properties: dict[str, Any],
    inputs: dict[str, JobInput],
    outputs: dict[str, JobOutput],
    deployment: Deployment,
    places: Places,
) -> Invocation:
    _check_model_data(inputs, outputs)
    settings = deployment.settings.overridden(properties, counted="compute")
    given = next(iter(outputs.values()), None) or _older_output(properties, settings, places)
    return Invocation(
        inputs=inputs,
        outputs={"score": given} if given else {},
        # The name of the file that the caller has placed wins over others.
        settings=replace(settings, output_file_name=posixpath.basename(given.place.path))
        if given
        else settings,
        display_name=string(properties, "name"),
        experiment=None,
    )


def _of_pipeline(
    properties: dict[str, Any],
    inputs: dict[str, JobInput],
    outputs: dict[str, JobOutput],
    deployment: PipelineDeployment,
) -> Invocation:
    for name in (*MEMBERS, "outputDataset"):
        if properties.get(name) is not None:
            raise InvalidBody(f"{name} is for model deployments; {deployment.name} is a pipeline component")
    _check_pipeline_data(inputs, outputs, deployment.pipeline)
    placed = {
        name: replace(output, step=_writer(deployment.pipeline, name)) for name, output in outputs.items()
    }
    return Invocation(
        inputs=inputs,
        outputs=placed,
        settings=deployment.settings,
        display_name=string(properties, "name"),
        experiment=_experiment(properties),
    )


def _check_model_data(inputs: dict[str, JobInput], outputs: dict[str, JobOutput]) -> None:
    """A model deployment takes one data input and one file as its output."""
    if len(inputs) != 1 or len(outputs) > 1:
        raise InvalidBody(
            "inputData and outputData must hold exactly one entry: "
            "a model deployment takes one input, one output"
        )
    if any(one.kind == "Literal" for one in inputs.values()):
        raise InvalidBody("a model deployment takes no Literal; it is for pipeline components")
    if any(output.kind != "UriFile" for output in outputs.values()):
        raise InvalidBody("the output of a model deployment is a file; use UriFile")


def _check_pipeline_data(
    inputs: dict[str, JobInput], outputs: dict[str, JobOutput], pipeline: Pipeline
) -> None:
    """A pipeline takes the inputs and outputs that its component names, of the types it says."""
    _refuse_unknown(inputs, pipeline.inputs, "input")
    _refuse_unknown(outputs, pipeline.outputs, "output")
    for name, port in pipeline.inputs.items():
        if name in inputs:
            _check_input(name, inputs[name], port)
        elif port.default is None and not port.optional:
            raise InvalidBody(f"inputData.{name} is missing; the component has no default for it")
    for name, output in outputs.items():
        if output.kind != DATA_TYPES[pipeline.outputs[name]]:
            raise InvalidBody(f"outputData.{name} must be of the type {pipeline.outputs[name]}")


def _refuse_unknown(given: Mapping[str, object], known: Mapping[str, object], what: str) -> None:
    for name in given:
        if name not in known:
            raise InvalidBody(f"the component has no {what} {name}; it has {', '.join(known) or 'none'}")


def _check_input(name: str, given: JobInput, port: Port) -> None:
    if port.kind in DATA_TYPES:
        if given.kind != DATA_TYPES[port.kind]:
            raise InvalidBody(f"inputData.{name} must be of the type {DATA_TYPES[port.kind]}")
        return
    if (
        given.kind != "Literal"
        or not isinstance(given.value, _LITERALS[port.kind])
        or (isinstance(given.value, bool) and port.kind != "boolean")
    ):
        raise InvalidBody(f"inputData.{name} must be a Literal whose value is of the type {port.kind}")


def _writer(pipeline: Pipeline, output: str) -> str | None:
    step = pipeline.source_of(output)
    return step.name if step else None


def _older_output(properties: dict[str, Any], settings: Settings, places: Places) -> JobOutput | None:
    """The output in the form of older clients: a folder of a datastore and, elsewhere, the file's name."""
    given = properties.get("outputDataset")
    if given is None:
        return None
    data = members(given, ("datastoreId", "path"), "outputDataset")
    path = path_of(required(data, "datastoreId", "outputDataset")) or ""
    folder = (string(data, "path") or "").strip("/")
    place = DatastorePath(path.rpartition("/")[2], posixpath.join(folder, settings.output_file_name))
    return JobOutput(kind="UriFile", place=place, address=led_back(places.of, place), uri=place.arm_id)


def _experiment(properties: dict[str, Any]) -> str | None:
    given = properties.get("properties") or {}
    if not isinstance(given, dict):
        raise InvalidBody("properties.properties is not an object")
    return next((str(value) for key, value in given.items() if key.lower() == "experimentname"), None)
