"""Recovery: a ledger that goes on where another one had to end (wire-format §6.5).

The body of the first entry, of kind `recovered`. It commits to what was known of the ledger
before, so that whoever holds that one can tell where it was left.
"""

from collections import namedtuple

from protocol import cbor, cbor_reader
from protocol import note as notes
from protocol.errors import MalformedError

RECOVERED = "recovered"  # the kind of entry
_ORIGIN, _NOTE, _NUMBERS = 1, 2, 3


class Recovery(namedtuple("Recovery", ("origin", "note", "numbers"))):
    """`origin` is the ledger before, `note` its largest signed checkpoint that was known.

    `numbers` counts the envelopes' numbers that were carried over as taken. None where there
    was no such note, or where the old ledger could not be read.
    """

    origin: str
    note: str | None
    numbers: int | None


def encode(recovery: Recovery) -> bytes:
    fields: dict[int, object] = {_ORIGIN: recovery.origin}
    if recovery.note is not None:
        fields[_NOTE] = recovery.note
    if recovery.numbers is not None:
        fields[_NUMBERS] = recovery.numbers
    return cbor.encode(fields)


def decode(data: bytes) -> Recovery:
    """Whether the note is what it says is for whoever has that ledger's key."""
    fields = cbor_reader.decode(data)
    if not isinstance(fields, dict):
        raise MalformedError("a recovery is a map")
    origin, note, numbers = [fields.get(label) for label in (_ORIGIN, _NOTE, _NUMBERS)]
    if not isinstance(origin, str):
        raise MalformedError("a recovery names the ledger before")
    notes.check_name(origin)
    if note is not None and not isinstance(note, str):
        raise MalformedError("a recovery's note is text")
    whole = isinstance(numbers, int) and numbers is not True and numbers is not False
    if numbers is not None and not (whole and numbers >= 0):
        raise MalformedError("a recovery's numbers are counted")
    recovery = Recovery(origin, note, numbers)
    if encode(recovery) != data:
        raise MalformedError("a recovery with a label that we do not know")
    return recovery
