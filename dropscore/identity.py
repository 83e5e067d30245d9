"""What opens the app: its key, a token of whoever is signed in, or nothing."""

from functools import cached_property
from typing import Any

from requests import PreparedRequest
from requests.auth import AuthBase

from dropscore.errors import Refused, Unusable
from dropscore.where import Place


class Authority(AuthBase):
    """Puts the headers onto each request. That there is one keeps requests from looking into .netrc."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if self.place.key:
            request.headers["x-functions-key"] = self.place.key
        if self.place.audience:
            request.headers["Authorization"] = f"Bearer {self.token()}"
        return request

    def token(self) -> str:
        """The credential keeps it while it lasts. Raises Refused where nobody is signed in."""
        try:
            return str(self.credential.get_token(f"{self.place.audience.rstrip('/')}/.default").token)
        except Exception as problem:
            if isinstance(problem, Unusable):
                raise
            raise Refused(
                "not-signed-in",
                f"There is no token for {self.place.audience} ({type(problem).__name__}).",
                "Sign in with `az login`, or set DROPSCORE_KEY instead of DROPSCORE_AUDIENCE.",
            ) from None

    @cached_property
    def credential(self) -> Any:
        """Only who asks for tokens needs the library. Raises Unusable where it is missing."""
        try:
            from azure.identity import DefaultAzureCredential
        except ImportError:
            raise Unusable(
                "no-azure-identity",
                "DROPSCORE_AUDIENCE wants azure-identity, which is not installed.",
                "pip install azure-identity, or set DROPSCORE_KEY instead.",
            ) from None
        return DefaultAzureCredential()
