"""The converters that azure.functions and its storage extension register for each binding."""

from typing import Any

import azure.functions as func
from azurefunctions.extensions.base import SdkType, get_binding_registry


def converter(binding: str) -> Any:
    """Return the library's own converter of a binding or trigger type."""
    return func.get_binding_registry().get(binding)  # type: ignore[no-untyped-call]


def sdk_type_converter(binding: str) -> Any:
    """Return the converter to storage SDK objects, or None where the app uses none."""
    return get_binding_registry().get(binding)


def is_sdk_type(annotation: Any) -> bool:
    """Whether a parameter gets an object of a storage SDK, such as BlobClient."""
    return isinstance(annotation, type) and issubclass(annotation, SdkType)
