"""Policies on the command line: which witnesses must have cosigned (C2SP tlog-policy)."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from protocol import checkpoint as checkpoints
from protocol import note as notes
from protocol import policy as policies
from protocol.errors import BadSignatureError, ProtocolError
from protocol.note import Note, VerifierKey
from protocol.policy import Policy
from protocol.rotation import Keys
from protocol.rulings import Rulings
from tools.sources import UnusableError

if TYPE_CHECKING:
    from protocol.note import Verify


def load(path: Path) -> Policy:
    """UnusableError names the line that is wrong; OSError."""
    try:
        with path.open("rb") as file:  # at most a byte more than is allowed
            return policies.parse(file.read(policies.MAX_POLICY_BYTES + 1))
    except ProtocolError as error:
        raise UnusableError(f"{path}: {error}") from error


def log_key(policy: Policy, note: str, rulings: Rulings) -> VerifierKey:
    """The key by which one of the policy's logs has signed `note`, its ledger's own.

    BadSignatureError where the policy has no log of that name, or it is another's note.
    """
    origin = checkpoints.unverified(note).origin
    refused = BadSignatureError(f"the policy has no log {origin}")
    for log in policy.logs:
        if log.key.name == origin:
            try:
                rulings.open_note(note, log.key)
                return log.key
            except BadSignatureError as error:
                refused = error
    raise refused


def check_log(policy: Policy, keys: Keys) -> None:
    """BadSignatureError unless one of a ledger's keys is a log of the policy, if it names any."""
    if policy.logs and not any(keys.trusts(log.key) for log in policy.logs):
        raise BadSignatureError(f"the policy has no log {keys.current.name} with any of its keys")


def checker(policy: Policy, verify: "Verify") -> Callable[[Note], list[str]]:
    """Who cosigned a note; BadSignatureError where they are not enough, or a line is forged."""

    def cosigned_by(note: Note) -> list[str]:
        return [cosigned.name for cosigned in policies.check(policy, note, verify)]

    return cosigned_by


def largest_cosigned(
    shown: Iterable[str], cosigned_by: Callable[[Note], list[str]]
) -> tuple[int, list[str]]:
    """Size and witnesses of the largest of these notes that enough have cosigned.

    BadSignatureError, the one of the largest note with the most lines, where there is none. The
    ledger's own signatures are for the caller to check.
    """
    largest_first = sorted(set(shown), key=lambda note: (_size(note), len(note)), reverse=True)
    refused = BadSignatureError("no checkpoint: there is nothing to cosign")
    for position, note in enumerate(largest_first):
        try:
            return _size(note), cosigned_by(notes.parse_note(note))
        except BadSignatureError as error:
            refused = refused if position else error
    raise refused


def _size(note: str) -> int:
    return checkpoints.unverified(note).size
