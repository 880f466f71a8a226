"""Access: who may do what to which path. Pure; the doors say who asks.

Three tiers, each of which has those below it: read, write, approve. A token has the tier of its
scope. A device has none of them: it may do what it needs for itself, and nothing else.
"""

from gateway.errors import ForbiddenError, UnauthorizedError
from gateway.resources import paths

READ, WRITE, APPROVE = "read", "write", "admin"  # tiers, as the scopes of tokens are called
_TIERS = (READ, WRITE, APPROVE)
_SCOPES = {"ingest": READ}  # any token may read
# What runs or configures the house, and its log: whoever only writes readings has no part in it.
_SYSTEM = ("etc", "lib", "boot", "usr")
_LOG = "var/log"
_SHARED = ("boot", "lib", "usr")  # a device reads them: they are written by approval only
MARK = "@"  # no device's name has it


def tier_needed(method: str, path: str) -> str:
    """The tier that `method` ("get", "put", "post", "delete") of a checked path takes."""
    if method == "get":
        return READ
    is_system = paths.namespace_of(path) in _SYSTEM or f"{path}/".startswith(f"{_LOG}/")
    return APPROVE if method == "delete" or is_system else WRITE


def check(
    who: str | None, scope: str | None, method: str, path: str, *, reading_is_free: bool = False
) -> None:
    """UnauthorizedError where nobody asks, ForbiddenError where the one who does may not.

    `who` is a device's name, with `scope` None, or a token's with its scope; None is nobody, who
    may read where that is free.
    """
    tier = tier_needed(method, path)
    if who is None:
        if not (reading_is_free and tier == READ):
            raise UnauthorizedError(f"{method} of {path} is not for everyone")
    elif scope is None:
        _check_device(who, method, path)
    elif _TIERS.index(_SCOPES.get(scope, scope)) < _TIERS.index(tier):
        raise ForbiddenError(f"the token {who!r} may {scope}; {method} of {path} takes {tier}")


def allows(
    who: str | None, scope: str | None, method: str, path: str, *, reading_is_free: bool = False
) -> bool:
    """Whether `check` lets it."""
    try:
        check(who, scope, method, path, reading_is_free=reading_is_free)
    except (UnauthorizedError, ForbiddenError):
        return False
    return True


def author(who: str, scope: str | None) -> str:
    """How the ledger names who made a change: a device by its name, a token with a mark."""
    return who if scope is None else f"{MARK}{who}"


def _check_device(name: str, method: str, path: str) -> None:
    if path.startswith(f"home/{name}/"):
        return
    if method == "get":
        if path.startswith(f"etc/{name}/") or paths.namespace_of(path) in _SHARED:
            return
        raise ForbiddenError(
            f"the device {name!r} reads home/{name}/, etc/{name}/, boot/, lib/ and usr/"
        )
    raise ForbiddenError(f"the device {name!r} writes under home/{name}/ only")
