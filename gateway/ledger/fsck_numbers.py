"""Numbers, checked: each entry that has one has taken it, and nothing else was taken.

A device that sends again is answered by this table alone. A row that points elsewhere would
tell it that something is kept which is not.
"""

from collections.abc import Sequence

from gateway.ledger import damage
from gateway.ledger.batch import (
    CARRIED,
    CHANGES_KID,
    CONTROL_KID,
    PACK,
    TAIL_BYTES,
    TAILED,
    Number,
)
from gateway.ledger.fsck_facts import StateError
from gateway.ledger.indexes import Indexes
from gateway.store import Entry, Reader, Taken
from protocol import enrolment, envelope, recovery, sealed_reader, sign1_reader
from protocol.enrolment import ENROLLED, REVOKED, SIG
from protocol.envelope import KID_BYTES, UP
from protocol.errors import ProtocolError, TamperedError
from protocol.mac import HmacKey
from protocol.recovery import RECOVERED

CHANGES = (ENROLLED, REVOKED)  # the kinds that are numbered by keys.sqlite
TOLD = ("config", "command")  # the kinds that are numbered by control.sqlite
# What stands before the payload of an envelope with a tag, with zeros for its numbers.
_SEALED = envelope.seal(HmacKey(bytes(32)), UP, bytes(KID_BYTES), epoch=0, sequence=0, payload=b"")
_CTI_BYTES = 8
_KID = _SEALED.index(bytes(KID_BYTES))
_CTI = _SEALED.index(bytes(_CTI_BYTES), _KID + KID_BYTES)
_START = _SEALED[: _CTI + _CTI_BYTES + 1]


class NumberCheck:
    """Sees every entry, then every number, both in order."""

    def __init__(self) -> None:
        self._numbered = Indexes()  # packs, damage told, and what devices were told
        self._pointed_at = self._numbered.another()
        self._changes = 0  # entries of CHANGES
        self._noted = 0  # numbers that point at them
        self._last_change = -1
        self._carried = 0  # numbers from the ledger before
        self._to_carry: int | None = 0  # as that ledger's end says; None where it could not say
        self._kids: dict[str, set[bytes]] = {}  # of each name, as its enrolments say

    def check_entry(self, reader: Reader, entry: Entry) -> None:
        """TamperedError unless the entry, which is sound by itself, has taken its number.

        Of a deleted pack it is not known which one that is, only that it has one.
        """
        self._check_tail(reader, entry)
        if entry.kind in CHANGES:
            self._changes += 1
            self._learn(entry)
        elif entry.kind == RECOVERED:
            self._to_carry = _numbers_before(entry)
        elif entry.kind == PACK:
            self._numbered.add(entry.index)
            if entry.body is not None:
                _check_number(reader, entry)
        elif entry.kind in TOLD or damage.is_numbered(entry):
            self._numbered.add(entry.index)

    def check_taken(self, rows: Sequence[Taken], size: int) -> None:
        """TamperedError unless each of them, in order, points at an entry that has this number."""
        for row in rows:
            number = Number(row.kid, row.epoch, row.sequence)
            if len(row.kid) != KID_BYTES:
                raise TamperedError(max(row.at, 0), f"the number {_shown(number)} is nobody's")
            if row.at == CARRIED:
                self._carried += 1
                continue
            if row.entry is None:
                raise TamperedError(row.at, f"the number {_shown(number)} is of no entry")
            if row.kid == CHANGES_KID and row.entry.kind in CHANGES and row.at > self._last_change:
                self._last_change = row.at
                self._noted += row.at < size
            elif not (self._is_of(row.entry, number) or damage.is_record(row.entry, number)):
                raise TamperedError(row.at, f"the number {_shown(number)} is not this entry's")
            elif row.at < size:
                self._pointed_at.add(row.at)

    def check_end(self) -> None:
        """TamperedError or StateError unless nothing was missed, and nothing was there twice."""
        if self._to_carry not in (None, self._carried):
            raise TamperedError(
                0, f"{self._to_carry} numbers were carried over, and {self._carried} are here"
            )
        if self._changes != self._noted:
            raise TamperedError(
                self._last_change + 1,
                f"{self._changes} changes of devices, and {self._noted} of them are numbered",
            )
        due, taken = self._numbered, self._pointed_at
        if due.count != taken.count:
            raise StateError(f"{due.count} entries have a number, and {taken.count} are taken")
        if due.product != taken.product:
            raise StateError("two numbers are of the same deleted entry, and another has none")

    def _learn(self, entry: Entry) -> None:
        """Of a deleted pack only its device is known: its number is under one of these kids."""
        try:
            told = enrolment.decode(entry.body or b"")
        except ProtocolError:
            return  # an entry like any other; no pack is its device's
        self._kids.setdefault(told.name, set()).add(told.kid)

    def _is_of(self, entry: Entry, number: Number) -> bool:
        if entry.kind in TOLD:
            return number.kid == CONTROL_KID
        if entry.kind != PACK:
            return False
        if entry.body is None:
            known = self._kids.get(entry.source, ())
            return number.kid in known or number.kid == envelope.kid_of(entry.source)
        return number_of(entry) == number

    def _check_tail(self, reader: Reader, entry: Entry) -> None:
        tail = reader.tail(entry.index)
        if entry.kind not in TAILED or entry.body is not None:
            if tail is not None:
                what = "the end of a body is kept, and it is no deleted pack or change"
                raise TamperedError(entry.index, what)
        elif len(tail or b"") != TAIL_BYTES:
            raise TamperedError(entry.index, f"of a deleted {entry.kind} its end is missing")


def _check_number(reader: Reader, entry: Entry) -> None:
    number = number_of(entry)
    if reader.number(*number) != entry.index:
        raise TamperedError(entry.index, f"it has not taken its number {_shown(number)}")


def number_of(entry: Entry) -> Number:
    """The number in a pack's body; TamperedError where it is no envelope."""
    body = entry.body or b""
    if sealed_reader.profile_of(body) == SIG:
        return _signed_number(entry.index, body)
    kid, cti = body[_KID : _KID + KID_BYTES], body[_CTI : _CTI + _CTI_BYTES]
    start = _START[:_KID] + kid + _START[_KID + KID_BYTES : _CTI] + cti + _START[-1:]
    if body[: len(_START)] != start:
        raise TamperedError(entry.index, "a pack that is no envelope")
    return Number(kid, int.from_bytes(cti[:4], "big"), int.from_bytes(cti[4:], "big"))


def _signed_number(index: int, body: bytes) -> Number:
    try:
        signed = sign1_reader.parse(body)
    except ProtocolError as error:
        raise TamperedError(index, "a pack that is no envelope") from error
    return Number(signed.kid, signed.epoch, signed.sequence)


def _numbers_before(entry: Entry) -> int | None:
    try:
        return recovery.decode(entry.body or b"").numbers
    except ProtocolError as error:
        raise TamperedError(entry.index, str(error)) from error


def _shown(number: Number) -> str:
    return f"{number.kid.hex()} {number.epoch}.{number.sequence}"
