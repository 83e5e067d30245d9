"""YAML of components: commands, and pipelines of them."""

from pathlib import Path
from typing import Any

from .components import MODEL_TYPES
from .yaml_assets import code_id, environment_id
from .yaml_reading import DeploymentError, Reading, described, is_reference, required


def read_component(reading: Reading, file: Path, document: dict[str, Any]) -> None:
    """A component under a name of its own."""
    component_id(reading, file, document)


def component_id(reading: Reading, file: Path, component: object, own: str = "") -> str:
    """The ARM id of a component, which is named, described in its place, or in a file of its own.

    `own` is the name of one that has none.
    """
    if is_reference(component):
        return reading.registered(file, "components", str(component))
    file, document = described(file, component)
    kinds = {"command": _command, "pipeline": _pipeline}
    kind = document.get("type", "pipeline" if "jobs" in document else "command")
    if kind not in kinds:
        raise DeploymentError(f"{file}: components of the type {kind!r} are not emulated; use a command")
    name = str(required(file, {"name": own} | document, "name"))
    spec = {"type": kind, "name": name} | kinds[kind](reading, file, document, name)
    spec |= {side: document.get(side) or {} for side in ("inputs", "outputs")}
    return reading.add_version("components", name, {"componentSpec": spec}, str(document.get("version", 1)))


def _command(reading: Reading, file: Path, document: dict[str, Any], name: str) -> dict[str, Any]:
    environment = required(file, document, "environment")
    spec = {
        "command": required(file, document, "command"),
        "environment": environment_id(reading, file, environment, name),
        "environment_variables": document.get("environment_variables") or {},
        "distribution": document.get("distribution"),
    }
    code = document.get("code")
    return spec | ({"code": code_id(reading, file, str(code), name)} if code else {})


def _pipeline(reading: Reading, file: Path, document: dict[str, Any], name: str) -> dict[str, Any]:
    jobs = required(file, document, "jobs").items()
    return {"jobs": {step: _step(reading, file, job, f"{name}-{step}") for step, job in jobs}}


def _step(reading: Reading, file: Path, job: dict[str, Any], own: str) -> dict[str, Any]:
    inputs = {name: _bound(reading, file, given) for name, given in (job.get("inputs") or {}).items()}
    outputs = {name: {"value": _value(given)} for name, given in (job.get("outputs") or {}).items()}
    return {
        "type": job.get("type", "command"),
        "componentId": component_id(reading, file, required(file, job, "component"), own),
        "computeId": job.get("compute"),
        "inputs": inputs,
        "outputs": outputs,
    }


def _bound(reading: Reading, file: Path, given: object) -> dict[str, Any]:
    """An input of a step as its spec has it: a value, an address, or a registered model."""
    path = str(given.get("path")) if isinstance(given, dict) else ""
    if isinstance(given, dict) and given.get("type") in MODEL_TYPES and is_reference(path):
        return {"uri": reading.registered(file, "models", path)}
    if "://" in path:
        return {"uri": path}
    return {"value": _value(given)}


def _value(given: object) -> object:
    return given.get("path") if isinstance(given, dict) else given
