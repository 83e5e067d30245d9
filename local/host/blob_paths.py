"""Paths of blob triggers, such as inbox/{name}."""

import re


class BlobPath:
    """A trigger's path: a container and a pattern of names, in which a {placeholder} spans slashes."""

    def __init__(self, path: str) -> None:
        """Parse `path`, settings already resolved; raises ValueError."""
        self.container, _, pattern = path.strip("/").partition("/")
        if not self.container or "{" in self.container:
            raise ValueError(f"the blob path {path!r} must begin with the name of a container")
        parts = re.split(r"(\{\w+\})", pattern)
        expression = "".join("(.+)" if part.startswith("{") else re.escape(part) for part in parts)
        self._names = re.compile(expression or ".+", re.DOTALL)

    def matches(self, container: str, blob: str) -> bool:
        """Whether the function wants this blob."""
        return container == self.container and self._names.fullmatch(blob) is not None
