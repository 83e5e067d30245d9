"""Indexes an app as the real Python worker does, and refuses what that one or this host cannot run."""

import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import azure.functions as func
from azurefunctions.extensions.bindings.blob.utils import get_connection_string

from local.host.blob_paths import BlobPath
from local.host.converters import is_sdk_type
from local.host.route_templates import paths
from local.host.schedules import Schedule
from local.host.settings import MissingSettingError, resolve
from local.host.signatures import hints, signature_problem

SUPPORTED_TRIGGERS = ("activityTrigger", "blobTrigger", "httpTrigger", "orchestrationTrigger", "timerTrigger")
ONLY_HERE = "the local host does not"
RESOLVED_FIELDS = ("path", "schedule", "route")


class IndexingError(Exception):
    """The app cannot be indexed; the message lists every reason, and says whether it is one for Azure, too."""

    def __init__(self, problems: Sequence[str]) -> None:
        lines = "".join(f"\n  - {problem}" for problem in problems)
        heading = "The app cannot be indexed; on Azure not one of its functions would be:"
        if all(ONLY_HERE in problem for problem in problems):
            heading = "The local host cannot run this app; Azure may:"
        super().__init__(f"{heading}{lines}")
        self.problems = list(problems)


@dataclass(frozen=True, kw_only=True)
class IndexedFunction:
    """One function of the app: what triggers it, and how to call it. `spec` has its settings resolved."""

    name: str
    kind: str
    call: Callable[..., Any]
    parameter: str
    annotation: Any
    client_parameters: tuple[str, ...]
    wants_context: bool
    spec: Mapping[str, Any]

    @property
    def is_async(self) -> bool:
        """Whether a call returns a coroutine."""
        return inspect.iscoroutinefunction(self.call)

    @property
    def binds_content(self) -> bool:
        """Whether it takes the content of a blob rather than a client of the storage SDK."""
        return self.kind == "blobTrigger" and not is_sdk_type(self.annotation)

    @property
    def durable_name(self) -> str:
        """The name orchestrations use: that given to the decorator, else the function's."""
        return str(self.spec.get("orchestration") or self.spec.get("activity") or self.name)


def index(app_dir: Path) -> list[IndexedFunction]:
    """Import `app_dir/function_app.py` and return its functions, without those that an app setting disables.

    Raises IndexingError with every problem.
    """
    try:
        functions = _app(_import(app_dir / "function_app.py")).get_functions()
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        text = f"function_app.py: {type(error).__name__}: {error} ({where.filename}:{where.lineno})"
        raise IndexingError([text]) from error
    problems = [problem for function in functions for problem in _problems(function)]
    if problems:
        raise IndexingError(problems)
    return [_indexed(function) for function in functions if not _is_disabled(function)]


def _is_disabled(function: func.Function) -> bool:
    setting = os.environ.get(f"AzureWebJobs.{function.get_function_name()}.Disabled", "")
    return setting.lower() in ("1", "true")


def _import(path: Path) -> ModuleType:
    if not path.exists():
        raise FileNotFoundError(f"{path.resolve()} does not exist; give the directory that holds it")
    sys.path.insert(0, str(path.resolve().parent))
    spec = importlib.util.spec_from_file_location("function_app", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.resolve()} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules["function_app"] = module
    spec.loader.exec_module(module)
    return module


def _app(module: ModuleType) -> func.FunctionRegister:
    apps = {id(value): value for value in vars(module).values() if isinstance(value, func.FunctionRegister)}
    if len(apps) != 1:
        raise ValueError(f"it must define exactly one app object at its top level, it has {len(apps)}")
    return next(iter(apps.values()))


def _problems(function: func.Function) -> Iterator[str]:
    name = function.get_function_name()
    reasons = [_unsupported(binding) for binding in function.get_bindings()]
    unsupported = [reason for reason in reasons if reason]
    for reason in unsupported:
        yield f"{ONLY_HERE} support {reason}; function {name} uses it"
    if unsupported:
        return
    signature = signature_problem(function)
    if signature:
        yield f"function {name}: {signature}"
    try:
        _check_trigger(function)
    except (MissingSettingError, ValueError) as problem:
        yield f"function {name}: {problem}"


def _check_trigger(function: func.Function) -> None:
    trigger: Any = function.get_trigger()
    spec = _resolved(trigger.get_dict_repr())
    match trigger.type:
        case "blobTrigger":
            BlobPath(spec["path"])
            get_connection_string(spec["connection"])
        case "httpTrigger":
            paths("", spec["route"])
        case "timerTrigger":
            Schedule(spec["schedule"])


def _unsupported(binding: Any) -> str | None:
    if binding.type.endswith("Trigger"):
        return None if binding.type in SUPPORTED_TRIGGERS else f"the trigger {binding.type}"
    if binding.type == "durableClient" or (binding.type == "http" and binding.name == "$return"):
        return None
    direction = "input" if binding.direction == 0 else "output"
    return f"the {direction} binding {binding.type}"


def _indexed(function: func.Function) -> IndexedFunction:
    trigger: Any = function.get_trigger()
    call = function.get_user_function()
    names = [binding.name for binding in function.get_bindings()]
    return IndexedFunction(
        name=str(function.get_function_name()),
        kind=trigger.type,
        call=call,
        parameter=trigger.name,
        annotation=hints(call).get(trigger.name),
        client_parameters=tuple(
            binding.name for binding in function.get_bindings() if binding.type == "durableClient"
        ),
        wants_context="context" in inspect.signature(call).parameters and "context" not in names,
        spec=_resolved(trigger.get_dict_repr()),
    )


def _resolved(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: resolve(value) if key in RESOLVED_FIELDS and isinstance(value, str) else value
        for key, value in spec.items()
    }
