"""Fault: what went wrong with the gateway's own store, as the ledger records it (wire-format §6.6).

The body of an entry of kind `fault`. One is written when it begins; when it is over, another
one says how many submissions were refused meanwhile.
"""

from collections import namedtuple

from protocol import cbor, cbor_reader
from protocol.errors import MalformedError

FAULT = "fault"  # the kind of entry
STORE_FULL, STORE_FAILED, INTEGRITY = "store-full", "store-failed", "integrity"
_WHATS = (STORE_FULL, STORE_FAILED, INTEGRITY)
MAX_DETAIL = 500  # characters
_WHAT, _DETAIL, _COUNT = 1, 2, 3


class Fault(namedtuple("Fault", ("what", "detail", "refused"))):
    """`detail` is for people. `refused` is None until it is over."""

    what: str
    detail: str
    refused: int | None


def encode(fault: Fault) -> bytes:
    fields: dict[int, object] = {_WHAT: fault.what, _DETAIL: fault.detail}
    if fault.refused is not None:
        fields[_COUNT] = fault.refused
    return cbor.encode(fields)


def decode(data: bytes) -> Fault:
    fields = cbor_reader.decode(data)
    if not isinstance(fields, dict):
        raise MalformedError("a fault is a map")
    what, detail, refused = [fields.get(label) for label in (_WHAT, _DETAIL, _COUNT)]
    if not isinstance(what, str) or what not in _WHATS:
        raise MalformedError(f"a fault of {what!r}")
    if not isinstance(detail, str) or len(detail) > MAX_DETAIL:
        raise MalformedError("a fault's detail is a short text")
    if refused is not None and (
        not isinstance(refused, int) or refused is True or refused is False or refused < 0
    ):
        raise MalformedError("how many were refused is a whole number")
    fault = Fault(what, detail, refused)
    if encode(fault) != data:
        raise MalformedError("a fault with a label that we do not know")
    return fault
