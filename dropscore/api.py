"""HTTP, as the app speaks it: JSON both ways, problem+json for what is wrong."""

import json
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import requests

from dropscore.errors import NotNow, NotUnderstood, Problem, Refused, Unreachable, problem_of
from dropscore.identity import Authority
from dropscore.plain import plain
from dropscore.where import START, Place

CONNECT, READ, UPLOAD = 10, 60, 300
TRIES = 4
LONGEST_PAUSE = 30.0
PASSING = frozenset({429, 502, 503, 504})
PIECE = 1 << 16


class Document(dict[str, Any]):
    """A JSON object of the app."""

    def __missing__(self, key: str) -> Any:
        raise NotUnderstood(
            "not-understood",
            f'The app\'s answer has no "{key}": the app and this command line are of different versions.',
            "Install the command line that belongs to the app: pip install ./dropscore",
        )


class Api:
    """One app. Only GETs are repeated: a second POST might do a thing twice."""

    def __init__(self, place: Place, sleep: Callable[[float], None], *, hasty: bool = False) -> None:
        self.place, self.sleep = place, sleep
        # Who presses Tab waits for nothing.
        self.tries, self.timeout = (1, (1, 2)) if hasty else (TRIES, (CONNECT, READ))
        self.session = requests.Session()
        # Nothing of this machine's proxies or .netrc comes between us and a local stack.
        self.session.trust_env = not place.loopback
        self.session.auth = Authority(place)

    def get(self, path: str, **query: object) -> Document:
        return self.document(self.answer("GET", path, params=asked(query)))

    def post(self, path: str, body: object = None) -> Document:
        return self.document(self.answer("POST", path, json={} if body is None else body))

    def patch(self, path: str, body: object) -> Document:
        return self.document(self.answer("PATCH", path, json=body))

    def send(self, method: str, path: str, data: Any, headers: dict[str, str]) -> Document:
        """A body that is not JSON: bytes, or an open file, which is not read at once."""
        return self.document(
            self.answer(method, path, data=data, headers=headers, timeout=(CONNECT, UPLOAD)),
        )

    def text(self, path: str) -> tuple[str, str]:
        """A text and its ETag."""
        answer = self.answer("GET", path)
        return answer.content.decode("utf-8", "replace"), answer.headers.get("ETag", "")

    def pieces(self, path: str) -> Iterator[bytes]:
        """A body, piece by piece. Raises Unreachable where it breaks off."""
        with self.answer("GET", path, stream=True) as answer:
            try:
                yield from answer.iter_content(PIECE)
            except requests.RequestException as problem:
                raise self.unreachable(problem) from None

    def health(self) -> Document:
        """A stale app's health, too: its 503 is the answer, not a failure."""
        answer = self.once("GET", "health", {})
        if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE and "heartbeat_at" in answer.text:
            return self.document(answer)
        return self.document(self.accepted(answer))

    def checkup(self) -> Document:
        """What was found, also where that is not good: a 503 with findings is the answer. It takes its time."""
        answer = self.once("GET", "health/deep", {"timeout": (CONNECT, READ)})
        if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE and '"checks"' in answer.text:
            return self.document(answer)
        return self.document(self.accepted(answer))

    def answer(self, method: str, path: str, **options: Any) -> requests.Response:
        """The app's answer. Raises the Problem that it is where it is none; GETs are tried again for a while."""
        tries = self.tries if method == "GET" else 1
        for attempt in range(1, tries + 1):
            try:
                answer = self.once(method, path, options)
            except Unreachable:
                if attempt == tries:
                    raise
                self.sleep(2.0 ** (attempt - 2))
                continue
            if answer.status_code not in PASSING or attempt == tries:
                break
            self.sleep(pause(answer, attempt))
        return self.accepted(answer)

    def once(self, method: str, path: str, options: dict[str, Any]) -> requests.Response:
        """One request. A redirect is an answer like others: the key goes to nobody but this app."""
        url = f"{self.place.url}/api/{path}"
        settings = {"timeout": self.timeout, "allow_redirects": False, **options}
        try:
            return self.session.request(method, url, **settings)
        except requests.RequestException as problem:
            raise self.unreachable(problem) from None

    def accepted(self, answer: requests.Response) -> requests.Response:
        if HTTPStatus(200) <= answer.status_code < HTTPStatus(300):
            return answer
        raise self.problem(answer)

    def problem(self, answer: requests.Response) -> Problem:
        """What an answer that is none says, in its own words where it has some."""
        status = answer.status_code
        if answer.is_redirect:
            return Unreachable(
                "redirected",
                f"{self.place.url} leads elsewhere, to {host_of(answer.headers['Location'])}.",
                f"Set {self.place.named_by} to the app's own address; the key is not sent on.",
                status,
            )
        told = told_by(answer)
        code, detail = str(told.get("type") or f"http-{status}"), str(told.get("detail") or "")
        if status == HTTPStatus.UNAUTHORIZED:
            return Refused("no-key", detail or self.without_key(), self.key_hint(), status)
        if status == HTTPStatus.TOO_MANY_REQUESTS and not detail:
            return NotNow(code, f"{self.place.url} is asked too often.", "Try again in a minute.", status)
        if status == HTTPStatus.NOT_FOUND and not (detail and told.get("type")):
            message = (
                f"{self.place.url} answers 404 in no form of dropscore's: it is none, or of another version."
            )
            return NotUnderstood("not-understood", message, self.address_hint(), status)
        hint = "" if detail else f"{self.address_hint()} `dropscore health` says how the app is."
        details = [str(one) for one in told.get("problems") or ()]
        return problem_of(status)(
            code, detail or f"{self.place.url} answers {status}.", hint, status, details
        )

    def document(self, answer: requests.Response) -> Document:
        """The object of an answer. Raises NotUnderstood where it is none."""
        try:
            found = json.loads(answer.content, object_pairs_hook=Document)
        except ValueError:
            found = None
        if isinstance(found, Document):
            return found
        raise NotUnderstood(
            "not-understood", "The answer is not dropscore's.", self.address_hint(), answer.status_code
        )

    def address_hint(self) -> str:
        return f"Look whether {self.place.named_by} is right."

    def without_key(self) -> str:
        if self.place.key or self.place.audience:
            return f"{self.place.url} does not accept the {'key' if self.place.key else 'token'}."
        return f"{self.place.url} wants a key."

    def key_hint(self) -> str:
        if self.place.stack:
            return "export DROPSCORE_KEY=…, the key that `dev.py up --key` was started with."
        return (
            "export DROPSCORE_KEY=…, a function key of the app (az functionapp keys list), "
            "or DROPSCORE_AUDIENCE=… to sign in as yourself."
        )

    def unreachable(self, problem: requests.RequestException) -> Unreachable:
        """Without the exception's own words: they hold addresses in forms that nobody asked for."""
        kind = "takes too long" if isinstance(problem, requests.Timeout) else "does not answer"
        if isinstance(problem, requests.exceptions.SSLError):
            kind = "has a certificate that this machine does not trust"
        if self.place.stack:
            message = f"The local stack at {self.place.url} {kind}."
            return Unreachable("unreachable", message, f"Start it in the project's folder: {START}")
        return Unreachable("unreachable", f"{self.place.url} {kind}.", self.address_hint())


def asked(query: dict[str, object]) -> dict[str, str]:
    """The parts of a query that were asked for."""
    return {key: str(value) for key, value in query.items() if value not in (None, "")}


def told_by(answer: requests.Response) -> dict[str, Any]:
    """The problem+json of an answer; {} where it holds none."""
    try:
        found = json.loads(answer.content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def pause(answer: requests.Response, attempt: int) -> float:
    """Seconds until a GET is tried again: what the app says, within bounds."""
    wanted = answer.headers.get("Retry-After", "")
    return min(float(wanted), LONGEST_PAUSE) if wanted.isdecimal() else 2.0 ** (attempt - 2)


def host_of(location: str) -> str:
    """Where a redirect leads, without what may stand behind the host."""
    return plain("/".join(location.split("?")[0].split("/")[:3]))


def path_of(name: str) -> str:
    """A file's name, as it stands in an address."""
    return quote(name, safe="/")
