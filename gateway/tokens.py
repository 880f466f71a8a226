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
    """`expires_ms` is Unix ms, 0 for never. `checksum` is over the rest, for damage to show."""

    name: str
    sha256: str
    scope: str
    expires_ms: int = 0
    checksum: str = ""

    def summed(self) -> "Token":
        fields = f"{self.name}\n{self.sha256}\n{self.scope}\n{self.expires_ms}"
        return msgspec.structs.replace(self, checksum=digest_of(fields))


class Tokens:
    """The known tokens; `admin` has every scope, any scope may read."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens

    def __len__(self) -> int:
        return len(self._tokens)

    def check(self, presented: str, scope: str, now_ms: int) -> str:
        """The name of the token presented; Unauthorized- or ForbiddenError."""
        token = self.known(presented, now_ms)
        if scope not in ("read", token.scope) and token.scope != "admin":
            raise ForbiddenError(f"the token {token.name!r} may {token.scope}, not {scope}")
        return token.name

    def known(self, presented: str, now_ms: int) -> Token:
        """The token presented; UnauthorizedError where there is none such, or no longer."""
        digest = digest_of(presented)
        known = [token for token in self._tokens if hmac.compare_digest(token.sha256, digest)]
        if not known:
            raise UnauthorizedError("this token is not known")
        token = known[0]
        if token.expires_ms and token.expires_ms <= now_ms:
            raise UnauthorizedError(f"the token {token.name!r} has expired")
        return token


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def load(path: Path) -> Tokens:
    """The tokens of a file; none where there is no file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Tokens([])
    try:
        tokens = msgspec.json.decode(data, type=list[Token])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}", "correct or delete it") from error
    for token in tokens:
        if token != token.summed():
            raise ConfigError(
                f"{path}: the token {token.name!r} is not as it was written",
                "take it out of the file, and make a new one with `tallystick token add`",
            )
    return Tokens(tokens)


def dump(tokens: list[Token]) -> bytes:
    return (
        msgspec.json.format(msgspec.json.encode([token.summed() for token in tokens]), indent=2)
        + b"\n"
    )
