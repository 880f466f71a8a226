"""Trust: the ledgers that a witness cosigns for, by their verifier keys."""

from collections.abc import Sequence

from gateway.errors import ConfigError
from protocol import note as notes
from protocol.errors import MalformedError
from protocol.note import ED25519, VerifierKey


class Neighbours:
    """`trusted` is from a configuration: of one origin a later key replaces an earlier one."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._keys = [_parse(text) for text in trusted]

    def signers(self, origin: str, size: int) -> list[VerifierKey]:
        """The keys of `origin`, the oldest first, whatever the size."""
        return [key for key in self._keys if key.name == origin]


def _parse(text: str) -> VerifierKey:
    try:
        key = notes.parse_key(text)
    except MalformedError as error:
        raise ConfigError(
            f"witness.trust: {error}", "copy the neighbour's verifier.key into it"
        ) from error
    if key.algorithm != ED25519:
        raise ConfigError(
            f"witness.trust: {key.name} is a witness's key, not a ledger's",
            "copy the neighbour's verifier.key into it",
        )
    return key
