"""Identities: what keys.sqlite holds of a device, one row for each key that its name had."""

from typing import NamedTuple

from protocol import enrolment
from protocol.enrolment import MAC, REVOKED, Enrolment

# Of one name at most one row is active, and at most one is retiring: it counts until the first
# envelope under the active one is kept. What is revoked stays so.
ACTIVE, RETIRING = "active", "retiring"  # and REVOKED


class StoredDevice(NamedTuple):
    """`secret` is 32 bytes; do not log it. `public_key` is empty but in the profile `sig`."""

    name: str
    profile: str
    secret: bytes
    state: str = ACTIVE
    generation: int = 0
    public_key: bytes = b""

    @property
    def kid(self) -> bytes:
        return enrolment.kid_of(self.name, self.profile, self.generation, self.public_key)

    @property
    def revoked(self) -> bool:
        return self.state == REVOKED


class Change(NamedTuple):
    """The `n`-th enrolment or revocation."""

    n: int
    kind: str
    name: str
    profile: str = MAC
    generation: int = 0
    public_key: bytes = b""

    @property
    def body(self) -> bytes:
        """Of its entry in the ledger."""
        return enrolment.encode(
            Enrolment(self.name, self.profile, self.generation, self.public_key)
        )
