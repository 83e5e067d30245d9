"""Tokens: issued as App Service's managed identity endpoint does, checked as the service's front doors do."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from aiohttp import web

_LIFETIME = 3600
TENANT = "00000000-0000-0000-0000-00000000007e"
_CLIENT = "00000000-0000-0000-0000-00000000c11e"
PRINCIPAL = "00000000-0000-0000-0000-00000000001d"


class TokenDenied(Exception):
    """A token that opens nothing here; the message says why."""


class Tokens:
    """Issues and checks HS256 JSON Web Tokens.

    The key follows from the identity header's secret, so that tokens outlive a restart as real ones do.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._key = hashlib.sha256(secret.encode()).digest()

    def issue(self, audience: str, lifetime: int = _LIFETIME) -> str:
        """A token for `audience` that lasts `lifetime` seconds."""
        issued = int(time.time())
        claims = {"aud": audience, "iat": issued, "nbf": issued, "exp": issued + lifetime}
        claims |= {"iss": f"https://sts.windows.net/{TENANT}/", "tid": TENANT, "oid": PRINCIPAL}
        signed = f"{_encode({'alg': 'HS256', 'typ': 'JWT'})}.{_encode(claims)}"
        return f"{signed}.{self._sign(signed)}"

    def check(self, authorization: str | None, *audiences: str) -> None:
        """Raise TokenDenied unless an Authorization header holds a live token for one of `audiences`."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise TokenDenied("no bearer token")
        claims = self._claims(token)
        if claims["exp"] <= time.time():
            raise TokenDenied("the token has expired")
        if claims["aud"].rstrip("/") not in audiences:
            raise TokenDenied(f"the token is for {claims['aud']}, not for {' or '.join(audiences)}")

    def sign(self, text: str) -> str:
        """A signature that opens what `text` names, for links without a token."""
        return self._sign(text)

    def is_secret(self, header: str | None) -> bool:
        """Whether `header` is the identity header's secret."""
        return hmac.compare_digest((header or "").encode(), self._secret.encode())

    def _claims(self, token: str) -> dict[str, Any]:
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._sign(signed).encode(), signature.encode()):
            raise TokenDenied("the token is not signed by this tenant")
        payload = signed.partition(".")[2]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return claims

    def _sign(self, signed: str) -> str:
        return _base64url(hmac.new(self._key, signed.encode(), hashlib.sha256).digest())


def routes(tokens: Tokens) -> list[web.RouteDef]:
    """The managed identity endpoint (IDENTITY_ENDPOINT), version 2019-08-01."""

    async def token(request: web.Request) -> web.Response:
        if not tokens.is_secret(request.headers.get("X-IDENTITY-HEADER")):
            return web.json_response({"statusCode": 401, "message": "X-IDENTITY-HEADER is wrong"}, status=401)
        resource = request.query.get("resource")
        if not resource or request.query.get("api-version") != "2019-08-01":
            return web.json_response(
                {"statusCode": 400, "message": "resource or api-version is missing"}, status=400
            )
        return web.json_response(
            {
                "access_token": tokens.issue(resource),
                "expires_on": str(int(time.time()) + _LIFETIME),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": request.query.get("client_id", _CLIENT),
            }
        )

    return [web.get("/msi/token", token)]


def _encode(document: dict[str, Any]) -> str:
    return _base64url(json.dumps(document).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
