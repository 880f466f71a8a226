"""Senders: whose key signed a pack, and whether it did; with `protocol` and keys alone.

The keys are those of a file that its reader trusts, or, without one, those that the ledger
itself says were enrolled: then they are the gateway's word.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from protocol import enrolment, sign1_reader
from protocol.enrolment import ENROLLED, PUBLIC_KEY_BYTES, SIG, kid_of
from protocol.errors import ProtocolError
from protocol.sign1_reader import Signed
from tools.sources import UnusableError

_ALGORITHM = ec.ECDSA(Prehashed(SHA256()))
_THREADS = os.cpu_count() or 1  # a check lets the interpreter go
_FORM = f"lines of NAME and {2 * PUBLIC_KEY_BYTES} hex digits, as `device list --keys` prints them"
PublicKey = ec.EllipticCurvePublicKey
Keys = Mapping[bytes, tuple[str, bytes]]  # name and public key, by kid


class Senders:
    """Keys by kid. `given`: they were brought along, and no entry adds any."""

    def __init__(self, given: Keys | None) -> None:
        self.given = given is not None
        self._keys = {kid: (name, _key(point)) for kid, (name, point) in (given or {}).items()}
        self._names = {name for name, _ in self._keys.values()}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="signatures")

    def learn(self, kind: str, body: bytes) -> None:
        """What an entry says of who may sign. Of those that say nothing, nothing is learnt."""
        if self.given or kind != ENROLLED:
            return
        try:
            told = enrolment.decode(body)
            if told.profile == SIG:
                self._keys[told.kid] = told.name, _key(told.public_key)
                self._names.add(told.name)
        except (ProtocolError, ValueError):
            pass  # then no key is known, and what is signed with it is refused

    def signs(self, name: str) -> bool:
        """Whether a key of `name` is known: then nothing counts that is not signed."""
        return name in self._names

    def objection(self, name: str, kid: bytes) -> str | None:
        """Why nobody is known to sign for `name` with the key of this kid."""
        known = self._keys.get(kid)
        if known is not None and known[0] == name:
            return None
        if known is not None:
            return f"signed with a key of {known[0]}"
        where = "the file has another key of this name" if self.given else "no entry enrols its key"
        return f"signed with a key that is not this device's: {where}"

    def hold(self, signed: Sequence[Signed]) -> list[bool]:
        """Whether each was signed with the key of its kid, which is known."""
        share = -(-len(signed) // _THREADS) or 1
        parts = [signed[at : at + share] for at in range(0, len(signed), share)]
        return [holds for part in self._threads.map(self._hold, parts) for holds in part]

    def _hold(self, signed: Sequence[Signed]) -> list[bool]:
        return [_holds(self._keys[one.kid][1], one) for one in signed]


def load(path: Path) -> Keys:
    """The keys of a file. UnusableError names the line; OSError."""
    found: dict[bytes, tuple[str, bytes]] = {}
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            name, digits = line.split()
            point = bytes.fromhex(digits)
            _key(point)
        except ValueError as error:
            raise UnusableError(f"{path}, line {number}: it has {_FORM}") from error
        found[kid_of(name, SIG, 0, point)] = name, point
    if not found:
        raise UnusableError(f"{path} has no key: it has {_FORM}")
    return found


def _key(point: bytes) -> PublicKey:
    """ValueError where these bytes are no point of P-256."""
    return PublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + point)


def _holds(key: PublicKey, signed: Signed) -> bool:
    half = len(signed.signature) // 2
    r, s = (
        int.from_bytes(part, "big") for part in (signed.signature[:half], signed.signature[half:])
    )
    try:
        key.verify(encode_dss_signature(r, s), sign1_reader.digest(signed), _ALGORITHM)
    except InvalidSignature:
        return False
    return True
