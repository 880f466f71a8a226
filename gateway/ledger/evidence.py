"""Evidence: what a key of ours has signed, in another's hands, held against the ledger.

Nobody else's word can stop a gateway. A checkpoint or a rotation that our own key signed and
the ledger does not continue can: then it is not the ledger that was signed.
"""

from gateway.errors import RolledBackError
from gateway.ledger import hashes, tree
from gateway.ledger.rotation import open_note
from gateway.ledger.signer import verify_signature
from gateway.store import Reader
from protocol import rotation as rotations
from protocol.errors import BadSignatureError, ProtocolError
from protocol.rotation import Keys


def objection(reader: Reader, keys: Keys, note: str) -> str | None:
    """What was seen that the ledger does not continue; None where it does.

    `note` is a checkpoint, or a rotation's statement. ProtocolError where no key of ours has
    signed it.
    """
    last = reader.last()
    size = last.index + 1 if last else 0
    if note.startswith(rotations.HEAD):
        return _of_rotation(keys, size, note)
    signed = open_note(note, keys)
    if signed.size <= size and tree.root(signed.size, hashes.reading(reader)) == signed.root:
        return None
    return (
        f"{signed.size} entries of {signed.origin}, and our {size} are not what they continue as:"
        " an older copy was put back, or the ledger was changed"
    )


def hold_to(reader: Reader, keys: Keys, note: str, who: str) -> None:
    """RolledBackError where `who` shows what our key signed and the ledger does not continue."""
    try:
        seen = objection(reader, keys, note)
    except ProtocolError:
        return  # nobody else's word can stop us
    if seen:
        raise RolledBackError(
            f"{who} has seen {seen}",
            "restore the newer copy of this directory, devices will send again what it lacks;"
            " or start a new ledger: `tallystick recover DIR --new-origin NAME`",
            note,
        )


def _of_rotation(keys: Keys, size: int, statement: str) -> str | None:
    rotation = rotations.open_sealed(statement.encode(), verify_signature)
    if not keys.trusts(rotation.old):
        raise BadSignatureError("a rotation of a key that is not ours")
    if (rotation.size, rotation.new) in keys.epochs:
        return None
    return (
        f"our key give its place to another at entry {rotation.size}, of which our {size} entries"
        " do not know: an older copy was put back, or the ledger was changed"
    )
