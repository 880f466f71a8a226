"""Who may ask: bearer tokens, needed unless the door is on loopback."""

import time

from starlette.requests import Request

from gateway.config import HttpConfig, is_loopback
from gateway.errors import ConfigError, UnauthorizedError
from gateway.tokens import Tokens


class Guard:
    """Reading is free on loopback; anything that changes something always needs its token."""

    def __init__(self, config: HttpConfig, tokens: Tokens) -> None:
        self._tokens = tokens
        self._open_reads = is_loopback(config.host) and not config.require_token
        if not self._open_reads and not len(tokens):
            raise ConfigError(
                f"HTTP on {config.host} without a token would be open to anyone",
                "run `tallystick token add NAME --scope read --dir DIR`, or bind 127.0.0.1",
            )

    def check(self, request: Request, scope: str) -> None:
        """Unauthorized- or ForbiddenError unless the request may do `scope`."""
        if scope == "read" and self._open_reads:
            return
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise UnauthorizedError("send `Authorization: Bearer TOKEN`")
        self._tokens.check(token.strip(), scope, int(time.time() * 1000))
