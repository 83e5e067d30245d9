"""Pipeline components: steps that are commands over named inputs, read from the specs of registered components."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from .reading import InvalidBody, one_of, required
from .resources import Resource

DATA_TYPES = {"uri_file": "UriFile", "uri_folder": "UriFolder"}
MODEL_TYPES = ("custom_model", "mlflow_model")
LITERAL_TYPES = ("string", "integer", "number", "boolean")
_BINDING = re.compile(
    r"\$\{\{\s*parent\.(?:jobs\.(?P<step>\w+)\.)?(?P<side>inputs|outputs)\.(?P<name>\w+)\s*\}\}"
)
_REFUSED_MEMBERS = ("distribution", "identity", "queue_settings")

Find = Callable[[object, str], Resource]


@dataclass(frozen=True, kw_only=True)
class Port:
    """An input of a component: data (`uri_file`, `uri_folder`), a registered model, or a literal.

    `default` is None where there is none.
    """

    kind: str
    default: str | None = None
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Binding:
    """Where a step's input comes from: an input of the pipeline, an output of another step, or a constant."""

    value: str | None = None
    uri: str | None = None
    pipeline_input: str | None = None
    step: str | None = None
    output: str | None = None


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command component: a shell command over inputs and outputs, run in a copy of its code (an ARM id)."""

    command: str
    code: str | None
    inputs: dict[str, Port]
    outputs: dict[str, str]
    environment_variables: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class CommandStep:
    """A command in its place. `outputs` names those that are outputs of the pipeline, by their names there."""

    name: str
    command: Command
    compute: str | None = None
    inputs: dict[str, Binding] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A pipeline component: its inputs and outputs, and its steps, each after those it needs."""

    inputs: dict[str, Port]
    outputs: dict[str, str]
    steps: tuple[CommandStep, ...]

    def source_of(self, output: str) -> CommandStep | None:
        """The step that writes an output of the pipeline."""
        return next((step for step in self.steps if output in step.outputs.values()), None)


def read_command(spec: Mapping[str, Any]) -> Command:
    """Raises InvalidBody."""
    for name in _REFUSED_MEMBERS:
        if spec.get(name):
            raise InvalidBody(f"componentSpec.{name} is not emulated; leave it out")
    code = spec.get("code")
    return Command(
        command=required(dict(spec), "command", "componentSpec"),
        code=str(code).removeprefix("azureml:") if code else None,
        inputs=_inputs(spec),
        outputs=_outputs(spec),
        environment_variables={
            str(key): str(value) for key, value in (spec.get("environment_variables") or {}).items()
        },
    )


def read_pipeline(spec: Mapping[str, Any], find: Find) -> Pipeline:
    """Read a spec; `find` gives the component that an ARM id names. Raises InvalidBody."""
    if spec.get("type") != "pipeline":
        raise InvalidBody(
            f"a component of the type {spec.get('type')!r} cannot be deployed; give one of the type pipeline"
        )
    jobs = spec.get("jobs") or {}
    steps = {name: _step(name, job, find) for name, job in jobs.items()}
    if not steps:
        raise InvalidBody("componentSpec.jobs holds no step")
    pipeline = Pipeline(inputs=_inputs(spec), outputs=_outputs(spec), steps=_ordered(steps))
    for step in pipeline.steps:
        _check_bindings(step, pipeline, steps)
    for output in pipeline.outputs:
        if pipeline.source_of(output) is None:
            raise InvalidBody(f"no step writes the output {output}; bind one of its outputs to it")
    return pipeline


def _step(name: str, job: Mapping[str, Any], find: Find) -> CommandStep:
    where = f"componentSpec.jobs.{name}"
    one_of(job.get("type"), ("command",), f"{where}.type")
    component = find(job.get("componentId"), f"{where}.componentId")
    spec = component.properties["componentSpec"]
    one_of(spec.get("type"), ("command",), f"the type of {component.path}")
    return CommandStep(
        name=name,
        command=read_command(spec),
        compute=str(job["computeId"]) if job.get("computeId") else None,
        inputs={key: _input_binding(given, f"{where}.inputs.{key}") for key, given in _given(job, "inputs")},
        outputs={
            key: _output_binding(given, f"{where}.outputs.{key}")
            for key, given in _given(job, "outputs")
            if (given.get("value") if isinstance(given, dict) else given) is not None
        },
    )


def _given(job: Mapping[str, Any], side: str) -> list[tuple[str, Any]]:
    return list((job.get(side) or {}).items())


def _input_binding(given: object, where: str) -> Binding:
    """What `{"value": "${{parent.inputs.x}}"}`, `{"value": "3"}` and `{"uri": "…"}` say."""
    document = given if isinstance(given, dict) else {"value": given}
    if document.get("uri"):
        return Binding(uri=str(document["uri"]))
    value = document.get("value")
    match = _BINDING.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        if isinstance(value, str) and "${{" in value:
            raise InvalidBody(f"{where} is {value!r}; bind it to parent.inputs.… or parent.jobs.….outputs.…")
        return Binding(value=str(value))
    if match["step"]:
        return Binding(step=match["step"], output=match["name"])
    return Binding(pipeline_input=match["name"])


def _output_binding(given: object, where: str) -> str:
    """The output of the pipeline that an output of a step is."""
    value = given.get("value") if isinstance(given, dict) else given
    match = _BINDING.fullmatch(value) if isinstance(value, str) else None
    if match is None or match["step"] or match["side"] != "outputs":
        raise InvalidBody(f"{where} is {value!r}; bind it to ${{{{parent.outputs.…}}}}, or leave it out")
    return match["name"]


def _ordered(steps: dict[str, CommandStep]) -> tuple[CommandStep, ...]:
    """Every step after those it needs."""
    needs = {
        name: [binding.step for binding in step.inputs.values() if binding.step in steps]
        for name, step in steps.items()
    }
    try:
        return tuple(steps[name] for name in TopologicalSorter(needs).static_order())
    except CycleError:
        raise InvalidBody("the steps of componentSpec.jobs need each other in a circle") from None


def _check_bindings(step: CommandStep, pipeline: Pipeline, steps: dict[str, CommandStep]) -> None:
    for name, binding in step.inputs.items():
        if name not in step.command.inputs:
            raise InvalidBody(f"the component of the step {step.name} has no input {name}")
        if binding.pipeline_input and binding.pipeline_input not in pipeline.inputs:
            raise InvalidBody(f"the pipeline has no input {binding.pipeline_input}")
        other = steps.get(binding.step or "")
        if binding.step and (other is None or binding.output not in other.command.outputs):
            raise InvalidBody(f"there is no output {binding.output} of a step {binding.step}")
    for name, port in step.command.inputs.items():
        if port.kind in MODEL_TYPES and name in step.inputs and not step.inputs[name].uri:
            raise InvalidBody(f"the input {name} of the step {step.name} must name a registered model")
        if name not in step.inputs and port.default is None and not port.optional:
            raise InvalidBody(f"the step {step.name} lacks its input {name}")
    for name, output in step.outputs.items():
        if pipeline.outputs.get(output) != step.command.outputs.get(name, ""):
            raise InvalidBody(f"the output {name} of the step {step.name} is not of the type of {output}")


def _inputs(spec: Mapping[str, Any]) -> dict[str, Port]:
    return {name: _port(name, given) for name, given in (spec.get("inputs") or {}).items()}


def _port(name: str, given: Mapping[str, Any]) -> Port:
    kind = one_of(
        given.get("type"), (*DATA_TYPES, *MODEL_TYPES, *LITERAL_TYPES), f"componentSpec.inputs.{name}.type"
    )
    default = given.get("default")
    optional = str(given.get("optional", False)).lower() == "true"
    return Port(kind=kind, default=None if default is None else str(default), optional=optional)


def _outputs(spec: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: one_of(given.get("type"), DATA_TYPES, f"componentSpec.outputs.{name}.type")
        for name, given in (spec.get("outputs") or {}).items()
    }
