"""Key identifiers: of both profiles, with and without a generation."""

import hashlib
from typing import Any

from tests.protocol import oracles

PUBLIC = bytes(range(64))


def cases() -> list[dict[str, Any]]:
    identities: dict[str, list[Any]] = {
        "mac, the first secret": ["mac", "greenhouse-1"],
        "mac, the second secret": ["mac", "greenhouse-1", 1],
        "mac, a late secret": ["mac", "greenhouse-1", 300],
        "sig": ["sig", "greenhouse-1", PUBLIC],
        "sig, another key": ["sig", "greenhouse-1", bytes(64)],
        "sig, another name": ["sig", "greenhouse-2", PUBLIC],
    }
    return [_case(name, identity) for name, identity in identities.items()]


def _case(name: str, identity: list[Any]) -> dict[str, Any]:
    profile, device, *more = identity
    case: dict[str, Any] = {"name": name, "profile": profile, "device": device}
    if more:
        case |= {"public_key": more[0].hex()} if profile == "sig" else {"generation": more[0]}
    return case | {"kid": hashlib.sha256(oracles.cbor(identity)).digest()[:8].hex()}
