"""How models and environments are named: NAME:VERSION in the workspace, a whole address in a registry."""

import re

_ID = re.compile(
    r"(?:^azureml:|/(?:models|environments)/)(?P<name>[^:/@]+)(?::|/versions/)(?P<version>[^:/]+)$"
)
_LATEST = re.compile(r"(?:azureml:)?(?P<name>[^:/@]+)@latest")
_IN_A_REGISTRY = "azureml://registries/"


def reference(text: str | None) -> str | None:
    """NAME:VERSION of what is given as azureml:NAME:VERSION or by its ARM id; None for anything else.

    An address in a registry stays as it is.
    """
    if text and text.startswith(_IN_A_REGISTRY):
        return text
    match = _ID.search(text or "")
    return match and f"{match['name']}:{match['version']}"


def latest_of(text: str) -> str | None:
    """NAME of what is given as NAME@latest; None for anything else."""
    match = _LATEST.fullmatch(text)
    return match and match["name"]


def asset_id(reference: str | None) -> str | None:
    """What the SDK takes for a reference."""
    if reference is None or reference.startswith(_IN_A_REGISTRY):
        return reference
    return f"azureml:{reference}"
