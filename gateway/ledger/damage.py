"""Damage: the entry that says of another one, or of the tree, that it is not what was committed.

Its number makes it one of a kind: each of them is told once, whoever finds it, however often.
"""

from gateway.ledger.batch import FAULTS_KID, Number, Submission
from gateway.ledger.log import Draft
from gateway.store import Entry
from protocol import fault as faults
from protocol.errors import ProtocolError
from protocol.fault import FAULT, INTEGRITY, Fault

TREE = -1  # stands where an index does, for what no single entry is to blame for
_ENTRIES, _TREES = 0, 1  # epochs of FAULTS_KID
_NOBODY = ""  # the source of what the gateway itself puts into the ledger


def record(index: int) -> Submission:
    """What tells of entry `index`, or of the tree."""
    number = Number(FAULTS_KID, _TREES, 0) if index == TREE else Number(FAULTS_KID, _ENTRIES, index)
    return Submission(Draft(FAULT, _NOBODY, _body(index)), number)


def is_numbered(entry: Entry) -> bool:
    """Whether it tells of any damage."""
    try:
        return entry.kind == FAULT and faults.decode(entry.body or b"").what == INTEGRITY
    except ProtocolError:
        return False


def is_record(entry: Entry, number: Number) -> bool:
    """Whether the entry tells of what `number` stands for."""
    if entry.kind != FAULT or number.kid != FAULTS_KID:
        return False
    index = number.sequence if number.epoch == _ENTRIES else TREE
    return record(index).number == number and entry.body == _body(index)


def _body(index: int) -> bytes:
    what = "the tree" if index == TREE else f"entry {index}"
    return faults.encode(Fault(INTEGRITY, f"{what} is not what was committed", None))
