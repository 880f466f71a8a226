"""Contents: a durable resource put together from its parts, each held to its leaf first."""

from collections.abc import Sequence
from typing import NamedTuple

from gateway.errors import GoneError, IntegrityError, NotFoundError
from gateway.ledger.changes import kind_of_part
from gateway.store import Entry, Held, Part
from protocol import leaf as leaves
from protocol import resource
from protocol.errors import ProtocolError
from protocol.merkle import leaf_hash
from protocol.resource import POST, Change


class Contents(NamedTuple):
    """`etag` is the leaf hash of the last change."""

    content: bytes
    content_format: int | None
    etag: bytes


def assembled(path: str, held: Sequence[Held]) -> Contents:
    """NotFoundError without parts, GoneError where a body was deleted on purpose.

    IntegrityError names the first entry that is not what was committed, or does not follow the
    one before it: then the parts are not those of one resource.
    """
    if not held:
        raise NotFoundError(f"there is no {path}")
    chunks: list[bytes] = []
    size_bytes, previous, etag = 0, None, b""
    for part, entry in held:
        kind = kind_of_part(entry.leaf, path) if entry else None
        if entry is None or kind is None or part.position != len(chunks):
            raise IntegrityError(part.at, f"{path} leads to an entry that is none of its parts")
        change = _change(kind, entry)
        _check_follows(part, change, previous)
        chunks.append(change.content or b"")
        size_bytes += len(chunks[-1])
        if part.size_bytes != size_bytes or part.content_format != held[0].part.content_format:
            raise IntegrityError(part.at, f"size or format beside {path} is another one")
        previous, etag = part.at, leaf_hash(entry.leaf)
    return Contents(b"".join(chunks), held[0].part.content_format, etag)


def _check_follows(part: Part, change: Change, previous: int | None) -> None:
    if previous is None:
        if change.kind == POST and change.before is not None:
            raise IntegrityError(part.at, f"{part.path} has more before it")
        if change.content_format != part.content_format:
            raise IntegrityError(part.at, f"size or format beside {part.path} is another one")
    elif (change.kind, change.before) != (POST, previous):
        raise IntegrityError(part.at, f"it does not follow entry {previous} of {part.path}")


def _change(kind: str, entry: Entry) -> Change:
    if entry.body is None:
        raise GoneError(f"its body was deleted, of entry {entry.index}")
    if not leaves.commits_to(entry.leaf, entry.salt, entry.body):
        raise IntegrityError(entry.index, "the stored body is not the committed one")
    try:
        return resource.decode(kind, entry.body)
    except ProtocolError as error:
        raise IntegrityError(entry.index, f"no change: {error}") from error
