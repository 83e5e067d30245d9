"""Under which name a file is dropped, and which file of the inbox somebody means."""

import re
from pathlib import Path

from dropscore.api import Api, Document, path_of
from dropscore.errors import NotFound, Unusable

PATTERNS = re.compile(r"[*?]")


def folder_of(pattern: str) -> str:
    """`diabetes/*.csv` -> `diabetes/`: the folder that all names of a route begin with."""
    fixed = PATTERNS.split(pattern)[0]
    return fixed[: fixed.rfind("/") + 1]


def as_folder(text: str) -> str:
    """A folder of the inbox, with `/` at its end, "" for its top. Raises Unusable for what is no name there."""
    folder = text.strip("/")
    if any(part in ("", ".", "..") for part in folder.split("/")) and folder:
        raise Unusable(
            "bad-name",
            f'"{text}" is no name in the inbox.',
            "Names have no empty parts, and neither . nor ..",
        )
    return f"{folder}/" if folder else ""


def target_folder(api: Api, to: str | None, route: str | None) -> str:
    """The folder of the inbox that files are dropped into. Raises Unusable where nothing says which."""
    if to is not None:
        return as_folder(to)
    routes: list[Document] = api.get("routes")["routes"]
    if route:
        return folder_of(route_named(routes, route)["pattern"])
    if len(routes) == 1:
        return folder_of(routes[0]["pattern"])
    if not routes:
        raise Unusable("no-routes", "The app has no routes.", "Write one: `dropscore routes set routes.toml`")
    choices = ", ".join(f"--route {one['name']} ({one['pattern']})" for one in routes)
    raise Unusable("which-route", "Several routes take files.", f"Say which: {choices}; or --to FOLDER/")


def route_named(routes: list[Document], name: str) -> Document:
    for one in routes:
        if one["name"] == name:
            return one
    known = ", ".join(one["name"] for one in routes) or "none"
    raise NotFound("no-such-route", f'There is no route "{name}".', f"There are: {known}.")


def targets(files: tuple[Path, ...], folder: str) -> dict[str, Path]:
    """Names in the inbox, and the local file of each. Raises Unusable where two files would be one."""
    found: dict[str, Path] = {}
    for file in files:
        name = folder + usable(file.name)
        if name in found and found[name].resolve() != file.resolve():
            raise Unusable(
                "same-name",
                f"{found[name]} and {file} would both be {name}: nothing was dropped.",
                "Rename one of them, or drop them into different folders with --to.",
            )
        found[name] = file
    return found


def usable(name: str) -> str:
    """A local name that the inbox can have, too. Raises Unusable where it cannot."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise Unusable("bad-name", f"The name {name!a} is not UTF-8: rename the file.") from None
    return name


def known_file(api: Api, name: str) -> Document:
    """What is known of a file. A name without a folder is looked for in the folders of all routes.

    Raises NotFound, and Unusable where several files have that name.
    """
    name = as_folder(name.removeprefix("./")).removesuffix("/")
    try:
        return api.get(f"files/{path_of(name)}")
    except NotFound as problem:
        if "/" in name or problem.code != "no-such-file":
            raise
        found = elsewhere(api, name)
        if not found:
            hint = "Names are those of the inbox, with their folder, such as diabetes/clinic.csv."
            raise NotFound(problem.code, problem.message, hint, problem.status) from None
    if len(found) > 1:
        shown = ", ".join(one["file"] for one in found)
        raise Unusable("which-file", f"Several files are called {name}.", f"Say which: {shown}")
    return found[0]


def elsewhere(api: Api, name: str) -> list[Document]:
    """The files of that name in the routes' folders."""
    folders = dict.fromkeys(folder_of(one["pattern"]) for one in api.get("routes")["routes"])
    found = []
    for folder in filter(None, folders):
        try:
            found.append(api.get(f"files/{path_of(folder + name)}"))
        except NotFound:
            continue
    return found
