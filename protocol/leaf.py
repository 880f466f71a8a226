"""Leaf: what the ledger commits to for one entry (wire-format §6).

The body itself is not in it, only its salted hash, so a body can be deleted later and the
ledger still verifies; the salt keeps a short deleted body from being guessed.
"""

import hashlib
from collections import namedtuple

from protocol import cbor, cbor_reader
from protocol.errors import MalformedError, UnsupportedError
from protocol.limits import MAX_TIME_MS
from protocol.merkle import HASH_BYTES

VERSION = 1
SALT_BYTES = 16
CHAIN_START = bytes(HASH_BYTES)
LONG_TIME_MS = 1 << 32  # from here on every time takes the same nine bytes (RFC 8949 §4.2.1)
_FIELDS = 6
_HASH_HEAD = b"\x58\x20"  # a 32-byte string: every leaf ends with one


class Leaf(namedtuple("Leaf", ("kind", "received_ms", "clock", "source", "body_hash"))):
    """`clock` is 1 where the gateway's clock went on from the entry before, else 0."""

    kind: str
    received_ms: int
    clock: int
    source: str
    body_hash: bytes


def hash_body(salt: bytes, body: bytes) -> bytes:
    return hashlib.sha256(salt + body).digest()


def chain(previous: bytes, leaf_hash: bytes) -> bytes:
    """chain_n = SHA-256(chain_{n-1} ‖ leaf_hash_n), from CHAIN_START."""
    return hashlib.sha256(previous + leaf_hash).digest()


def commits_to(leaf: bytes, salt: bytes, body: bytes) -> bool:
    """Whether the encoded `leaf` ends with the hash of this salt and body.

    A salt of another length is none: it could hold the body's first bytes, or lend it some.
    """
    return len(salt) == SALT_BYTES and leaf[-HASH_BYTES - 2 :] == _HASH_HEAD + hash_body(salt, body)


def encode(leaf: Leaf) -> bytes:
    return cbor.encode(
        [VERSION, leaf.kind, leaf.received_ms, leaf.clock, leaf.source, leaf.body_hash]
    )


def form(kind: str, source: str) -> tuple[bytes, bytes, bytes]:
    """What the leaves of one kind and source share: (head, tail with clock 0, tail with clock 1).

    From LONG_TIME_MS on, a leaf is `head ‖ received_ms as 8 bytes ‖ tail ‖ body_hash`.
    """
    head_bytes = len(cbor.encode([VERSION, kind])) + 1  # and the head of the time
    leaves = [
        encode(Leaf(kind, LONG_TIME_MS, clock, source, bytes(HASH_BYTES))) for clock in (0, 1)
    ]
    off, on = [leaf[head_bytes + 8 : -HASH_BYTES] for leaf in leaves]
    return leaves[0][:head_bytes], off, on


def decode(data: bytes) -> Leaf:
    fields = cbor_reader.decode(data)
    if not isinstance(fields, list) or not fields:
        raise MalformedError("a leaf is an array")
    if fields[0] != VERSION or fields[0] is True:
        raise UnsupportedError(f"leaf version {fields[0]!r}")
    if len(fields) != _FIELDS:
        raise MalformedError(f"a leaf of {len(fields)} fields, not {_FIELDS}")
    _, kind, received_ms, clock, source, body_hash = fields
    if not isinstance(kind, str) or not isinstance(source, str):
        raise MalformedError("a leaf's kind and source are text")
    _check_numbers(received_ms, clock)
    if not isinstance(body_hash, bytes) or len(body_hash) != HASH_BYTES:
        raise MalformedError(f"a body hash is {HASH_BYTES} bytes")
    return Leaf(kind, received_ms, clock, source, body_hash)


def encode_entry(leaf: bytes, salt: bytes, body: bytes | None) -> bytes:
    """An entry by itself, as proofs carry it: [leaf, salt, body], body null once deleted."""
    return cbor.encode([leaf, salt, body])


def decode_entry(data: bytes) -> tuple[bytes, bytes, bytes | None]:
    leaf, salt, body = entry_of(cbor_reader.decode(data))
    if body is None and salt:
        raise MalformedError("a salt without its body")
    return leaf, salt, body


def entry_of(parts: object) -> tuple[bytes, bytes, bytes | None]:
    """The leaf, salt and body of the array of an entry. Whether they fit is not checked."""
    if not isinstance(parts, list) or len(parts) != 3:
        raise MalformedError("an entry is [leaf, salt, body]")
    leaf, salt, body = parts
    if not isinstance(leaf, bytes) or not isinstance(salt, bytes):
        raise MalformedError("a leaf and a salt are byte strings")
    if body is not None and not isinstance(body, bytes):
        raise MalformedError("a body is a byte string, or null where it was deleted")
    return leaf, salt, body


def _check_numbers(received_ms: object, clock: object) -> None:
    for number, limit in ((received_ms, MAX_TIME_MS), (clock, 1)):
        if not isinstance(number, int) or number is True or number is False:
            raise MalformedError("a leaf's time and clock are integers")
        if not 0 <= number <= limit:
            raise MalformedError("a leaf's time is Unix ms, its clock 0 or 1")
