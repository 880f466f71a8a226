"""One entry as JSON: the committed bytes, and what they say.

The body is checked against its leaf first: one that was tampered with is never served.
"""

from datetime import UTC, datetime

from gateway.errors import IntegrityError
from gateway.ledger.batch import PACK
from gateway.store import Entry
from protocol import leaf, merkle, note, prune, resolve, resource, sealed_reader
from protocol.cbor import Decimal
from protocol.errors import ProtocolError
from protocol.prune import PRUNED
from protocol.resource import CHANGES
from protocol.senml import Reading


def entry_json(entry: Entry) -> dict[str, object]:
    """Everything a stranger needs to verify the entry, and what a person wants to read."""
    if entry.body is not None and not leaf.commits_to(entry.leaf, entry.salt, entry.body):
        raise IntegrityError(entry.index, "the stored body is not the committed one")
    try:
        fields = leaf.decode(entry.leaf)
    except ProtocolError as error:
        raise IntegrityError(entry.index, "the stored leaf is damaged") from error
    shown: dict[str, object] = {
        "index": entry.index,
        "kind": fields.kind,
        "source": fields.source,
        "received_ms": fields.received_ms,
        "received": _iso(fields.received_ms),
        "clock": "trusted" if fields.clock else "suspect",
        "leaf": note.b64(entry.leaf),
        "leaf_hash": merkle.leaf_hash(entry.leaf).hex(),
        "chain": entry.chain.hex(),
        "salt": note.b64(entry.salt),
        "body": None if entry.body is None else note.b64(entry.body),
    }
    if fields.kind == PACK and entry.body is not None:
        shown |= _pack_json(entry.body, fields.received_ms)
    if fields.kind == PRUNED and entry.body is not None:
        shown |= _pruned_json(entry.body)
    if fields.kind in CHANGES and entry.body is not None:
        shown |= _change_json(fields.kind, entry.body)
    return shown


def _pack_json(body: bytes, received_ms: int) -> dict[str, object]:
    """`profile` says how the gateway knows who measured: by a signature or by a tag."""
    sealed = sealed_reader.parse(body)
    return {
        "profile": sealed_reader.profile_of(body),
        "kid": sealed.kid.hex(),
        "epoch": sealed.epoch,
        "sequence": sealed.sequence,
        "readings": [
            _reading_json(reading, received_ms) for reading in resolve.decode_pack(sealed.payload)
        ],
    }


def _pruned_json(body: bytes) -> dict[str, object]:
    """Nothing, where the committed bytes are no prune: that is for whoever verifies to say."""
    try:
        return {"pruned": prune.decode(body)._asdict()}
    except ProtocolError:
        return {}


def _change_json(kind: str, body: bytes) -> dict[str, object]:
    """Nothing, where the committed bytes are no change. The content is in `body`."""
    try:
        change = resource.decode(kind, body)
    except ProtocolError:
        return {}
    size_bytes = None if change.content is None else len(change.content)
    said = {"who": change.who, "content_format": change.content_format, "before": change.before}
    return {"change": said | {"size_bytes": size_bytes}}


def _reading_json(reading: Reading, received_ms: int) -> dict[str, object]:
    """`time` says whose clock it is: the device's own, or the gateway's plus the age."""
    time_ms = resolve.absolute_ms(reading.time_ms, received_ms)
    return {
        "name": reading.name,
        "unit": reading.unit,
        "value": _number(reading.value),
        "time_ms": time_ms,
        "time_from": "device" if time_ms == reading.time_ms else "gateway",
    }


def _number(value: object) -> object:
    if isinstance(value, Decimal):
        return float(f"{value.mantissa}e{value.exponent}")
    return note.b64(value) if isinstance(value, bytes) else value


def _iso(unix_ms: int) -> str | None:
    """RFC 3339, or null for a time no calendar has."""
    try:
        return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="milliseconds")
    except (OverflowError, ValueError, OSError):
        return None
