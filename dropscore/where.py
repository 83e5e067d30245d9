"""Which app is spoken to: what was asked for, what the environment says, or the local stack of this project."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from dropscore.errors import Unreachable, Unusable

URL, KEY, AUDIENCE = "DROPSCORE_URL", "DROPSCORE_KEY", "DROPSCORE_AUDIENCE"
STACK = Path(".local/up/url.json")
START = "python3 dev.py up"


@dataclass(frozen=True, kw_only=True)
class Place:
    """An app's address without `/api`, and what opens it. The key is in no text that this makes of itself."""

    url: str
    key: str = field(default="", repr=False)
    audience: str = ""
    stack: str = ""
    # What to look at where the address is a wrong one.
    named_by: str = URL

    @property
    def loopback(self) -> bool:
        return is_loopback(urlsplit(self.url).hostname or "")


def place(asked: Mapping[str, str], environment: Mapping[str, str], folders: list[Path]) -> Place:
    """The app to speak to; options come before the environment, and that before a local stack.

    `asked` may hold url, key and audience; a stack is searched in `folders` and above. Raises Unusable for an address
    that must not be given a key, Unreachable where no app is known.
    """
    key = asked.get("key") or environment.get(KEY, "")
    audience = asked.get("audience") or environment.get(AUDIENCE, "")
    if url := asked.get("url") or environment.get(URL, ""):
        named_by = "--url" if asked.get("url") else URL
        return Place(url=checked(url), key=key.strip(), audience=audience, named_by=named_by)
    for found in stacks(folders):
        return Place(url=checked(address_in(found)), key=key.strip(), audience="", stack=str(found.parent))
    raise Unreachable(
        "no-app",
        "No app is known: DROPSCORE_URL is not set, and no local stack of this project is up.",
        f"export DROPSCORE_URL=https://NAME.azurewebsites.net and DROPSCORE_KEY, or start one here: {START}",
    )


def stacks(folders: list[Path]) -> Iterator[Path]:
    """What running local stacks have left about themselves, nearest first."""
    for folder in folders:
        for parent in (folder, *folder.parents):
            if (parent / STACK).is_file():
                yield parent / STACK


def address_in(file: Path) -> str:
    """The address a local stack has written down. Raises Unreachable where that is no loopback address."""
    try:
        url = str(json.loads(file.read_text("utf-8"))["url"])
        local = is_loopback(urlsplit(url).hostname or "")
    except (OSError, ValueError, KeyError, TypeError):
        local = False
    if not local:
        raise Unreachable("no-app", f"{file} holds no address of a local stack.", f"Start one anew: {START}")
    return url


def checked(url: str) -> str:
    """The address, without `/api`. Raises Unusable for one that would give the key away; the message never shows it."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    form = "Write it as https://NAME.azurewebsites.net, without a path; the key belongs into DROPSCORE_KEY."
    if parts.scheme not in ("https", "http") or not host:
        raise Unusable("bad-url", "The app's address is not an https address.", form)
    if parts.query or parts.fragment or parts.username or parts.password:
        raise Unusable("bad-url", "The app's address holds more than a host.", form)
    if parts.scheme == "http" and not is_loopback(host):
        raise Unusable("bad-url", f"http://{host} would show the key to everybody on the way.", form)
    path = parts.path.rstrip("/").removesuffix("/api")
    return f"{parts.scheme}://{parts.netloc}{path}"


def is_loopback(host: str) -> bool:
    """Whether an address never leaves this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
