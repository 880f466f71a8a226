"""Bearer tokens: 256 random bits, kept only as a hash, with a scope and an end.

A hash of 256 random bits needs no salt and no slow function: there is nothing to guess.
"""

import hashlib
import hmac
from pathlib import Path

import msgspec

from gateway.errors import ConfigError, ForbiddenError, UnauthorizedError

SCOPES = ("read", "ingest", "write", "admin")
TOKEN_BYTES = 32


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`expires_ms` is Unix ms, 0 for never."""

    name: str
    sha256: str
    scope: str
    expires_ms: int = 0


class Tokens:
    """The known tokens; `admin` has every scope, any scope may read."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens

    def __len__(self) -> int:
        return len(self._tokens)

    def check(self, presented: str, scope: str, now_ms: int) -> str:
        """The name of the token presented; Unauthorized- or ForbiddenError."""
        digest = digest_of(presented)
        known = [token for token in self._tokens if hmac.compare_digest(token.sha256, digest)]
        if not known:
            raise UnauthorizedError("this token is not known")
        token = known[0]
        if token.expires_ms and token.expires_ms <= now_ms:
            raise UnauthorizedError(f"the token {token.name!r} has expired")
        if scope not in ("read", token.scope) and token.scope != "admin":
            raise ForbiddenError(f"the token {token.name!r} may {token.scope}, not {scope}")
        return token.name


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def load(path: Path) -> Tokens:
    """The tokens of a file; none where there is no file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Tokens([])
    try:
        return Tokens(msgspec.json.decode(data, type=list[Token]))
    except msgspec.DecodeError as error:
        raise ConfigError(f"{path}: {error}", "correct or delete it") from error


def dump(tokens: list[Token]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(tokens), indent=2) + b"\n"
