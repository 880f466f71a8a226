"""Enrolment: who may speak, and under which key, as the ledger records it (wire-format §6.3).

The body of an entry of kind `enrolled` or `revoked`. It says the same whenever it is written,
so putting it in again is a repeat.
"""

from collections import namedtuple

from protocol import cbor, cbor_reader, envelope
from protocol.errors import MalformedError

ENROLLED, REVOKED = "enrolled", "revoked"  # the kinds of entry
MAC, SIG = "mac", "sig"  # the profiles
PUBLIC_KEY_BYTES = 64
MAX_GENERATION = (1 << 32) - 1


class Enrolment(namedtuple("Enrolment", ("name", "profile", "generation", "public_key"))):
    """`generation` counts the keys that the name had before this one.

    `public_key` is x ‖ y of P-256, 64 bytes, in the profile `sig`; else empty.
    """

    name: str
    profile: str
    generation: int
    public_key: bytes

    @property
    def kid(self) -> bytes:
        return kid_of(self.name, self.profile, self.generation, self.public_key)


def kid_of(name: str, profile: str, generation: int, public_key: bytes) -> bytes:
    """The key identifier: a `sig` one follows from its key, a `mac` one from its generation."""
    counted = generation if profile == MAC else 0
    return envelope.kid_of(name, profile, generation=counted, public_key=public_key)


def encode(enrolment: Enrolment) -> bytes:
    name, profile, generation, public_key = enrolment
    fields: dict[str, object] = {"kid": enrolment.kid, "name": name, "profile": profile}
    if generation:
        fields["generation"] = generation
    if public_key:
        fields["key"] = public_key
    return cbor.encode(fields)


def decode(data: bytes) -> Enrolment:
    """MalformedError for what `encode` would not write: a kid that does not follow, too."""
    fields = cbor_reader.decode(data)
    if not isinstance(fields, dict):
        raise MalformedError("an enrolment is a map")
    name, profile = fields.get("name"), fields.get("profile")
    generation, public_key = fields.get("generation", 0), fields.get("key", b"")
    if not isinstance(name, str) or not isinstance(profile, str) or profile not in (MAC, SIG):
        raise MalformedError("an enrolment has a name, and a profile that we know")
    if not isinstance(public_key, bytes) or len(public_key) != _key_bytes(profile):
        raise MalformedError(f"a key of the profile {profile} has {_key_bytes(profile)} bytes")
    if generation is True or generation is False or not isinstance(generation, int):
        raise MalformedError("a generation is a number")
    if not 0 <= generation <= MAX_GENERATION:
        raise MalformedError("a generation is out of range")
    enrolment = Enrolment(name, profile, generation, public_key)
    if encode(enrolment) != data:
        raise MalformedError("another kid than follows, or a label that we do not know")
    return enrolment


def _key_bytes(profile: str) -> int:
    return PUBLIC_KEY_BYTES if profile == SIG else 0
