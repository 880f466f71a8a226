"""Resource: one change of a path, as the ledger records it (wire-format §6.7).

The body of an entry of kind `put`, `post` or `delete`, whose source is the path. Each names the
change that it follows, so that the history of a path is a chain, from its creation on.
"""

from collections import namedtuple

from protocol import cbor, cbor_reader
from protocol.errors import MalformedError, TooLargeError
from protocol.limits import MAX_CONTENT_BYTES, MAX_CONTENT_FORMAT

PUT, POST, DELETE = "put", "post", "delete"  # the kinds of entry
CHANGES = (PUT, POST, DELETE)
NOTHING = (1 << 64) - 1  # stands where an index does: the path had nothing before
BEFORE_BYTES = 8  # that many end a body, and are kept of a deleted one
_WHO, _CONTENT, _FORMAT, _BEFORE = 1, 2, 3, 4


class Change(namedtuple("Change", ("kind", "who", "content", "content_format", "before"))):
    """`content` is what a put sets and a post appends, None of a delete.

    `content_format` is a CoAP Content-Format or None. `before` is the index of the change that
    this one follows; None where the path had nothing.
    """

    kind: str
    who: str
    content: bytes | None
    content_format: int | None
    before: int | None


def encode(change: Change) -> bytes:
    """TooLargeError where the content is over MAX_CONTENT_BYTES."""
    before = NOTHING if change.before is None else change.before
    fields: dict[int, object] = {_WHO: change.who, _BEFORE: before.to_bytes(BEFORE_BYTES, "big")}
    if change.content is not None:
        if len(change.content) > MAX_CONTENT_BYTES:
            raise TooLargeError(f"a change of more than {MAX_CONTENT_BYTES} bytes")
        fields[_CONTENT] = change.content
    if change.content_format is not None:
        fields[_FORMAT] = change.content_format
    return cbor.encode(fields)


def decode(kind: str, data: bytes) -> Change:
    """The change that the body of an entry of this kind says."""
    fields = cbor_reader.decode(data)
    if not isinstance(fields, dict):
        raise MalformedError("a change is a map")
    who, content, content_format, before = [
        fields.get(label) for label in (_WHO, _CONTENT, _FORMAT, _BEFORE)
    ]
    if not isinstance(who, str):
        raise MalformedError("a change says who made it")
    if not isinstance(before, bytes):
        raise MalformedError("a change says what it follows")
    _check_content(kind, content, content_format)
    change = Change(kind, who, content, content_format, before_of(before))
    if kind == DELETE and change.before is None:
        raise MalformedError("a delete of nothing")
    if encode(change) != data:
        raise MalformedError("a change with a label that we do not know")
    return change


def before_of(tail: bytes) -> int | None:
    """The index that ends a body, from the last BEFORE_BYTES of it."""
    if len(tail) != BEFORE_BYTES:
        raise MalformedError(f"an index of {len(tail)} bytes, not {BEFORE_BYTES}")
    before = int.from_bytes(tail, "big")
    return None if before == NOTHING else before


def _check_content(kind: str, content: object, content_format: object) -> None:
    if kind not in CHANGES:
        raise MalformedError(f"no change is of kind {kind!r}")
    if kind == DELETE:
        if content is not None or content_format is not None:
            raise MalformedError("a delete has no content")
    elif not isinstance(content, bytes):
        raise MalformedError("a change's content is bytes")
    if content_format is None:
        return
    if not isinstance(content_format, int) or content_format is True or content_format is False:
        raise MalformedError("a Content-Format is a number")
    if not 0 <= content_format <= MAX_CONTENT_FORMAT:
        raise MalformedError("a Content-Format is 16 bits")
