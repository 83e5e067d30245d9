"""Signature rules of the real Python worker (4.34): one function that breaks them unindexes the whole app."""

import inspect
import typing
from collections.abc import Callable
from typing import Any

import azure.functions as func
from azure.functions._thirdparty import typing_inspect

from local.host.converters import converter, is_sdk_type, sdk_type_converter


def hints(call: Callable[..., Any]) -> dict[str, Any]:
    """Return the function's annotations as the worker reads them: resolved, wherever they were written."""
    return typing.get_type_hints(call)


def signature_problem(function: func.Function) -> str | None:
    """Return why the worker, or this host, refuses the function's signature; None when both take it."""
    trigger: Any = function.get_trigger()
    call = function.get_user_function()
    if trigger.type == "orchestrationTrigger" and trigger.name != "context":
        return f"the parameter of an orchestrator must be called context, not {trigger.name}"
    try:
        annotations = hints(call)
    except NameError as unknown:
        return f"its annotations cannot be resolved: {unknown}"
    return (
        _mismatch(function, annotations)
        or _parameter_problem(trigger.type, trigger.name, annotations)
        or _return_problem(trigger.type, annotations)
    )


def _mismatch(function: func.Function, annotations: dict[str, Any]) -> str | None:
    declared = set(inspect.signature(function.get_user_function()).parameters)
    bound = {binding.name for binding in function.get_bindings()} - {"$return"}
    if "context" in declared - bound:
        if annotations.get("context", func.Context) is not func.Context:
            return 'the parameter "context" must be annotated azure.functions.Context'
        declared.remove("context")
    if declared - bound:
        return f"parameters without a binding: {_names(declared - bound)}"
    if bound - declared:
        return f"bindings without a parameter: {_names(bound - declared)}"
    return None


def _names(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _parameter_problem(kind: str, parameter: str, annotations: dict[str, Any]) -> str | None:
    if kind == "blobTrigger":
        return _blob_problem(parameter, annotations.get(parameter))
    if parameter not in annotations:
        return None
    annotation = annotations[parameter]
    if not _is_type(annotation):
        return (
            f"parameter {parameter} has the non-type annotation {annotation}; "
            "annotate a plain class such as dict or list, or nothing"
        )
    if annotation in (str, bytes) or converter(kind).check_input_type_annotation(annotation):
        return None
    return f"parameter {parameter} of a {kind} cannot be annotated {annotation}"


def _blob_problem(parameter: str, annotation: Any) -> str | None:
    if annotation in (None, func.InputStream):
        return None
    if is_sdk_type(annotation) and sdk_type_converter("blobTrigger").check_input_type_annotation(annotation):
        return None
    return (
        f"annotate parameter {parameter} with azure.functions.InputStream, which it gets in any case, or with "
        "BlobClient of azurefunctions.extensions.bindings.blob, "
        f"not {getattr(annotation, '__name__', annotation)}"
    )


def _return_problem(kind: str, annotations: dict[str, Any]) -> str | None:
    if kind != "httpTrigger" or "return" not in annotations:
        return None
    annotation = annotations["return"]
    if isinstance(annotation, type) and issubclass(annotation, func.HttpResponse | str):
        return None
    return f"an HTTP function must be annotated to return HttpResponse or str, not {annotation}"


def _is_type(annotation: Any) -> bool:
    origin = typing.get_origin(annotation)
    if origin is None:
        return isinstance(annotation, type)
    return isinstance(origin, type) and bool(typing_inspect.is_generic_type(annotation))  # type: ignore[no-untyped-call]
