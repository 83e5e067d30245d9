"""Whoever a route tells of its runs: remembers which notices it has accepted, and is not always ready."""

from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests

from tests.simulation.azureml import response

HOOK = "https://told.example/hook"
READY_AGAIN = 3


@dataclass
class Receiver:
    """The service behind one address; every third POST meets it unready."""

    asked: int = 0
    accepted: Counter[str] = field(default_factory=Counter)

    def is_meant(self, request: requests.PreparedRequest) -> bool:
        return urlsplit(request.url or "").hostname == urlsplit(HOOK).hostname

    def answer(self, request: requests.PreparedRequest) -> requests.Response:
        self.asked += 1
        if self.asked % READY_AGAIN == 0:
            return response(request, 503, {}, {"Retry-After": "7"})
        self.accepted[str(request.headers["webhook-id"])] += 1
        return response(request, 202, {})
