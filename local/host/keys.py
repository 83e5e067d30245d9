"""HTTP keys, as on Azure: a master key, host keys, keys of functions, and a system key for each extension's webhook.

Keys are not asked for, as with Core Tools, unless there are some: one for everything in `LOCAL_HOST_KEY`, or those of
a file, in the form in which `az functionapp keys list` and `az functionapp function keys list` show them:

    {"masterKey": "…", "functionKeys": {"default": "…"}, "systemKeys": {"durabletask_extension": "…"},
     "functions": {"page": {"default": "…"}}}
"""

import hmac
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

KEY = "LOCAL_HOST_KEY"
WEBHOOKS = "/runtime/webhooks/"
EXTENSIONS = ("durabletask_extension", "blobs_extension")


class InvalidKeysError(Exception):
    """A file holds no keys."""


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Which keys open what. Without a master key everything is open; so is a webhook without a system key."""

    master: str = ""
    host: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    system: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_environment(cls) -> "Keys":
        """The one key of `LOCAL_HOST_KEY`, or none."""
        return cls(master=os.environ.get(KEY, ""))

    @classmethod
    def from_file(cls, path: Path) -> "Keys":
        """The keys of a file; those it lacks are made and written into it, as Azure makes them at the first start.

        Raises InvalidKeysError.
        """
        try:
            content = json.loads(path.read_text("utf-8")) if path.exists() else {}
            complete = _completed(content)
        except (ValueError, TypeError, AttributeError) as problem:
            text = f"{path} holds no keys in the form of `az functionapp keys list`: {problem}"
            raise InvalidKeysError(text) from problem
        if complete != content:
            path.touch(mode=0o600)
            path.write_text(json.dumps(complete, indent=2) + "\n", "utf-8")
        return cls(
            master=complete["masterKey"],
            host=complete["functionKeys"],
            functions=complete["functions"],
            system=complete["systemKeys"],
        )

    def admits(self, level: str, function: str, request: web.Request) -> bool:
        """Whether a request may call a function of this authLevel; a master key may always."""
        if not self.master or level == "anonymous":
            return True
        allowed = [self.master]
        if level == "function":
            allowed += [*self.host.values(), *self.functions.get(function, {}).values()]
        return _is_one_of(request, allowed)

    def admits_to_webhook(self, extension: str, request: web.Request) -> bool:
        """Whether a request may use the webhook of an extension such as `durabletask`."""
        key = self.system.get(f"{extension}_extension")
        return key is None or _is_one_of(request, [key, self.master])

    def guard(self) -> Middleware:
        """Return the middleware that keeps others from the webhooks."""

        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            _, webhook, rest = request.path.partition(WEBHOOKS)
            if webhook and not self.admits_to_webhook(rest.partition("/")[0], request):
                return web.Response(status=401)
            return await handler(request)

        return guarded


def _completed(content: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **content,
        "masterKey": content.get("masterKey") or _new(),
        "functionKeys": {"default": _new()} | content.get("functionKeys", {}),
        "systemKeys": {name: _new() for name in EXTENSIONS} | content.get("systemKeys", {}),
        "functions": dict(content.get("functions", {})),
    }


def _new() -> str:
    return secrets.token_urlsafe(40)


def _is_one_of(request: web.Request, keys: Iterable[str]) -> bool:
    given = request.headers.get("x-functions-key") or request.query.get("code", "")
    return any(hmac.compare_digest(given.encode(), key.encode()) for key in keys)
