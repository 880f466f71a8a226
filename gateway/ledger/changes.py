"""Changes: what becomes of each wish to change a durable resource, decided in the transaction.

Conditions, sizes and quotas are held to what the path is at that moment, with all that the same
batch has done to it before. So those who race are let in one after the other, whoever they are.
"""

from typing import NamedTuple

from gateway.errors import (
    BusyError,
    ContentTooLargeError,
    IntegrityError,
    NotFoundError,
    PreconditionError,
    QuotaError,
    UnsupportedFormatError,
)
from gateway.store import Part, Reader, Transaction
from protocol import leaf as leaves
from protocol import resource
from protocol.errors import ProtocolError
from protocol.limits import MAX_CONTENT_BYTES
from protocol.merkle import HASH_BYTES, leaf_hash
from protocol.resource import DELETE, POST, PUT, Change

TOTALS = "resources"  # state key: how many durable resources there are, and their bytes in all
SHORT_ETAG_BYTES = 8  # of an ETag over CoAP (RFC 7252 §5.10.6)
MAX_PARTS = 4096  # what one GET reads and checks; then it has to be put as one
MAX_DROPPED_PARTS = 2 * MAX_PARTS  # in one transaction: then whoever is next asks again
_IN_THIS_BATCH = b""  # for an ETag: nobody can have heard of it yet
_TOTAL_BYTES = 8


class Conditions(NamedTuple):
    """`if_match` are ETags, whole or their first SHORT_ETAG_BYTES; any one of them will do."""

    if_match: tuple[bytes, ...] = ()
    must_exist: bool = False
    must_not_exist: bool = False


ALWAYS = Conditions()


class Limits(NamedTuple):
    """Of each resource; how many there are, and how large they are in all."""

    resource_bytes: int
    resources: int
    total_bytes: int


class Wish(NamedTuple):
    """Who wants a resource changed, and how, beside what the draft says."""

    who: str
    limits: Limits
    content_format: int | None = None
    conditions: Conditions = ALWAYS


class Decided(NamedTuple):
    """A change that becomes entry `at`. `part` is the resource's end after it, None if deleted.

    `superseded` is the first entry that made the resource up and does no more.
    """

    at: int
    path: str
    part: Part | None
    created: bool
    superseded: int | None
    totals: "Totals"


class Totals(NamedTuple):
    """Of all durable resources. As a state: two numbers of 8 bytes."""

    resources: int
    size_bytes: int

    @staticmethod
    def read(reader: Reader) -> "Totals":
        """IntegrityError where that is damaged."""
        data = reader.state(TOTALS)
        if data is None:
            return Totals(0, 0)
        if len(data) != 2 * _TOTAL_BYTES:
            raise IntegrityError(-1, "how many resources there are is damaged", one=False)
        halves = data[:_TOTAL_BYTES], data[_TOTAL_BYTES:]
        return Totals(*(int.from_bytes(half, "big") for half in halves))

    def encoded(self) -> bytes:
        return b"".join(number.to_bytes(_TOTAL_BYTES, "big") for number in self)

    def after(self, before: Part | None, now: Part | None) -> "Totals":
        """Once a resource that ended with part `before` ends with `now`."""
        resources = (now is not None) - (before is not None)
        size_bytes = (now.size_bytes if now else 0) - (before.size_bytes if before else 0)
        return Totals(self.resources + resources, self.size_bytes + size_bytes)


class Changes:
    """Those of one batch, on a ledger of `size` entries. Reads nothing before the first one."""

    def __init__(self, size: int, reader: Reader) -> None:
        self.decided: list[Decided] = []
        self._size = size
        self._reader = reader
        self._now: dict[str, tuple[Part, bytes] | None] = {}  # each with its ETag
        self._dropped = 0

    def decide(self, kind: str, path: str, content: bytes, wish: Wish, at: int) -> bytes:
        """The body of the entry `at` that the change becomes. GatewayError where it is refused."""
        now = self._now[path] if path in self._now else self._stored(path)
        before, etag = now or (None, None)
        check_conditions(path, etag, wish.conditions)
        part = _after(before, kind, Part(path, 0, at, len(content), wish.content_format, at), wish)
        totals = self.decided[-1].totals if self.decided else Totals.read(self._reader)
        after = totals.after(before, part)
        _check_quota(totals, after, wish.limits)
        dropped = before.position + 1 if before and kind != POST else 0
        if self._dropped + dropped > MAX_DROPPED_PARTS:
            raise BusyError(f"{path} has {dropped} parts, too many for this transaction")
        self._dropped += dropped
        followed = before.at if before else None
        said = Change(kind, wish.who, content, wish.content_format, followed)
        if kind == DELETE:
            said = Change(kind, wish.who, None, None, followed)
        self._now[path] = (part, _IN_THIS_BATCH) if part else None
        superseded = before.first if before and kind != POST else None
        self.decided.append(Decided(at, path, part, before is None, superseded, after))
        return resource.encode(said)

    def put(self, transaction: Transaction) -> None:
        """What the resources consist of now; something was decided."""
        for decided in self.decided:
            part = decided.part
            if part is None or part.position == 0:
                transaction.parts.drop(decided.path)
            if part is not None:
                transaction.parts.put(part)
        transaction.put_state(TOTALS, self.decided[-1].totals.encoded())

    def _stored(self, path: str) -> tuple[Part, bytes] | None:
        part = self._reader.parts.last(path)
        if part is None:
            return None
        if not 0 <= part.at < self._size:
            raise IntegrityError(part.at, f"{path} leads to no entry")
        (leaf,) = self._reader.leaves(part.at, part.at + 1) or (b"",)
        if kind_of_part(leaf, path) is None:
            raise IntegrityError(part.at, f"{path} leads to an entry that is none of its changes")
        return part, leaf_hash(leaf)


def check_conditions(path: str, etag: bytes | None, conditions: Conditions) -> None:
    """PreconditionError unless a resource with this ETag, None if there is none, meets them."""
    if etag is None:
        if conditions.must_exist or conditions.if_match:
            raise PreconditionError(f"there is no {path}")
    elif conditions.must_not_exist:
        raise PreconditionError(f"there is a {path} already")
    elif conditions.if_match and not any(_is_of(etag, one) for one in conditions.if_match):
        raise PreconditionError(f"{path} was changed since")


def kind_of_part(leaf: bytes, path: str) -> str | None:
    """The kind of an entry whose content `path` may consist of, by its leaf; else None."""
    try:
        fields = leaves.decode(leaf)
    except ProtocolError:
        return None
    return fields.kind if fields.kind in (PUT, POST) and fields.source == path else None


def _is_of(etag: bytes, wanted: bytes) -> bool:
    return len(wanted) in (SHORT_ETAG_BYTES, HASH_BYTES) and etag.startswith(wanted)


def _after(before: Part | None, kind: str, new: Part, wish: Wish) -> Part | None:
    """The last part of a resource that ended with `before`, once `new` was put or appended."""
    if kind == DELETE:
        if before is None:
            raise NotFoundError(f"there is no {new.path}")
        return None
    if kind == POST and before is not None:
        if wish.content_format not in (None, before.content_format):
            raise UnsupportedFormatError(
                f"{new.path} has the Content-Format {before.content_format},"
                f" and {wish.content_format} is to be appended"
            )
        new = before._replace(
            position=before.position + 1,
            at=new.at,
            size_bytes=before.size_bytes + new.size_bytes,
        )
    return _checked(before, new, wish.limits)


def _checked(before: Part | None, part: Part, limits: Limits) -> Part:
    largest = min(limits.resource_bytes, MAX_CONTENT_BYTES)
    appended = part.size_bytes - (before.size_bytes if before and part.position else 0)
    if appended > largest:
        raise ContentTooLargeError(f"{appended} bytes at once are more than {largest}", largest)
    if part.size_bytes > limits.resource_bytes:
        raise ContentTooLargeError(
            f"{part.path} would have {part.size_bytes} bytes, more than {limits.resource_bytes}",
            limits.resource_bytes,
        )
    if part.position >= MAX_PARTS:
        raise ContentTooLargeError(
            f"{part.path} was appended to {MAX_PARTS - 1} times: put it anew", largest
        )
    return part


def _check_quota(before: Totals, after: Totals, limits: Limits) -> None:
    """What was too much before may still be changed, if that does not make it more."""
    if after.resources > max(limits.resources, before.resources):
        raise QuotaError(f"there are {before.resources} resources, of {limits.resources} at most")
    if after.size_bytes > max(limits.total_bytes, before.size_bytes):
        raise QuotaError(
            f"all resources would have {after.size_bytes} bytes, more than {limits.total_bytes}"
        )
