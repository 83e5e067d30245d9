"""Route templates of HTTP triggers, as ASP.NET writes them, turned into aiohttp paths."""

import re

CONSTRAINTS = {
    "int": r"-?\d+",
    "long": r"-?\d+",
    "alpha": r"[A-Za-z]+",
    "bool": r"(?i:true|false)",
    "guid": r"[0-9A-Fa-f]{8}-?(?:[0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}",
}
PLACEHOLDER = re.compile(r"\{(?P<star>\*{0,2})(?P<name>\w+)(?::(?P<constraint>[^}?]+))?(?P<optional>\?)?\}")


def precedence(template: str) -> list[int]:
    """Return what orders templates as ASP.NET does: fixed segments before constrained, free and catch-all ones."""
    return [_weight(segment) for segment in template.strip("/").split("/")]


def _weight(segment: str) -> int:
    placeholder = PLACEHOLDER.search(segment)
    if placeholder is None:
        return 0
    if placeholder["star"]:
        return 3
    return 1 if placeholder["constraint"] else 2


def paths(prefix: str, template: str) -> list[str]:
    """Return an ASP.NET route template as aiohttp paths; an optional last segment makes two of it."""
    template = template.strip("/")
    whole = "/".join(filter(None, ["", prefix, PLACEHOLDER.sub(_pattern, template)]))
    found = [f"/{whole}"]
    if PLACEHOLDER.search(template) and template.endswith("?}"):
        shorter = template.rpartition("/")[0]
        found += paths(prefix, shorter)
    return found


def _pattern(placeholder: re.Match[str]) -> str:
    name, constraint = placeholder["name"], placeholder["constraint"]
    if placeholder["star"]:
        return f"{{{name}:(?s:.*)}}"
    if constraint is None:
        return f"{{{name}}}"
    if constraint not in CONSTRAINTS:
        known = ", ".join(CONSTRAINTS)
        raise ValueError(f"the local host does not know the route constraint {constraint!r}, only {known}")
    return f"{{{name}:{CONSTRAINTS[constraint]}}}"
