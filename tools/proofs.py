"""Proofs of single entries, checked as a stranger would: with `protocol`, keys, and no network.

A file is a C2SP tlog-proof or a COSE Receipt; its first byte tells which.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from protocol import checkpoint as checkpoints
from protocol import cose_receipt, merkle, resolve, sealed_reader, sign1_reader
from protocol import leaf as leaves
from protocol import note as notes
from protocol import proof as proofs
from protocol.cbor import Decimal
from protocol.checkpoint import Checkpoint
from protocol.cose_receipt import Consistency
from protocol.enrolment import MAC
from protocol.errors import BadSignatureError, MalformedError, ProtocolError, TamperedError
from protocol.note import Note, VerifierKey
from protocol.senml import Reading
from tools.senders import Senders
from tools.sources import UnusableError

COSE_HEAD = b"\xd2"  # tag 18; no text starts with it
_PACK = "pack"
Keys = Mapping[str, VerifierKey]  # by origin
Cosigned = Callable[[Note], list[str]]  # who did; BadSignatureError where they are not enough


@dataclass
class ProofVerdict:
    """`sent_by` is the kid of the device's key that signed it, if it is one that was given.

    `index` is the entry's; None for a receipt that the ledger of `old_size` goes on."""

    source: str
    valid: bool = False
    reason: str | None = None
    origin: str = ""
    size: int = 0
    root: str = ""
    signed_by: str | None = None
    cosigned_by: list[str] = field(default_factory=list)
    index: int | None = None
    old_size: int | None = None
    kind: str = ""
    device: str = ""
    received_ms: int = 0
    body: bool = False
    sent_by: str | None = None
    readings: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)


def check_proof(
    source: str,
    data: bytes,
    keys: Keys,
    *,
    cosigned: Cosigned | None = None,
    held: Checkpoint | None = None,
    senders: Senders | None = None,
) -> ProofVerdict:
    """The verdict on the proof in `data`; `held` is what a receipt of consistency must continue.

    With `senders`, a pack of a device that they have a key of has to be signed with it.

    UnusableError where a good proof is of another kind: then `held` would say nothing of it.
    """
    verdict = ProofVerdict(source)
    try:
        if data[:1] == COSE_HEAD:
            note = _check_receipt(verdict, data, _Known(keys, senders), held)
        else:
            note = _check_text(verdict, data, _Known(keys, senders))
        if cosigned:
            verdict.cosigned_by = cosigned(note)
        verdict.valid = True
    except ProtocolError as error:
        verdict.reason = error.what if isinstance(error, TamperedError) else str(error)
    if verdict.valid and held and verdict.index is not None:
        raise UnusableError(
            f"{source} proves an entry, and not that its ledger goes on from your checkpoint of"
            f" {held.size}: leave --checkpoint out, or check the receipt of"
            f" /proof/consistency?from={held.size}"
        )
    _say_what_was_not_checked(verdict, cosigned)
    return verdict


def describe(verdict: ProofVerdict) -> str:
    """For people: first what was checked, then what was not, then the verdict."""
    lines = [f"{verdict.source}  {verdict.origin}".rstrip()]
    if verdict.valid:
        lines.append(f"  checked  {_what(verdict)}; signed by {verdict.signed_by}")
    if verdict.sent_by:
        lines.append(f"  checked  signed by {verdict.device}, with its key {verdict.sent_by}")
    if verdict.cosigned_by:
        lines.append(f"  checked  cosigned by {', '.join(verdict.cosigned_by)}")
    if verdict.valid:
        lines += [f"  not      {what}" for what in verdict.unchecked]
    if verdict.kind:
        lines.append(f"  entry    {verdict.kind} of {verdict.device}, {_moment(verdict)}")
    lines += [f"  reading  {reading}" for reading in verdict.readings]
    if verdict.root:
        lines.append(f"  root     {verdict.root}")
    lines.append("  verdict  ok" if verdict.valid else f"  verdict  WRONG: {verdict.reason}")
    return "\n".join(_printable(line) for line in lines)


def key_of(origin: str, keys: Keys) -> VerifierKey:
    """BadSignatureError where there is none for this ledger."""
    if origin not in keys:
        raise BadSignatureError(f"it is of {origin!r}, and no key of that ledger was given")
    return keys[origin]


def verify_ed25519(key: VerifierKey, signature: bytes, message: bytes) -> bool:
    """For a ledger's own keys and for its witnesses': both are Ed25519."""
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


class _Known(NamedTuple):
    """Whose signatures count: ledgers', and devices' where those were given."""

    keys: Keys
    senders: Senders | None


def _check_text(verdict: ProofVerdict, data: bytes, known: _Known) -> Note:
    proof = proofs.parse_proof(_text(data))
    verdict.index = proof.index
    leaf_hash = _check_entry(verdict, proof.extra, proof.index, known.senders)
    verdict.origin = checkpoints.unverified(proof.note).origin
    key = key_of(verdict.origin, known.keys)
    signed = checkpoints.open_note(proof.note, key, verify_ed25519)
    _signed(verdict, signed, key)
    proofs.check(proof, leaf_hash)
    return notes.parse_note(proof.note)


def _check_receipt(
    verdict: ProofVerdict, data: bytes, known: _Known, held: Checkpoint | None
) -> Note:
    receipt = cose_receipt.decode(data)
    verdict.origin = receipt.origin
    key = key_of(receipt.origin, known.keys)
    if isinstance(receipt.proof, Consistency):
        verdict.old_size = receipt.proof.old_size
        if held is None:
            raise MalformedError("it continues an older checkpoint: give --checkpoint")
        signed = cose_receipt.check_consistency(receipt, held, key, verify_ed25519)
    else:
        verdict.index = receipt.proof.index
        proved = receipt.proof
        leaf_hash = _check_entry(verdict, proved.entry, proved.index, known.senders)
        signed = cose_receipt.check_inclusion(receipt, leaf_hash, key, verify_ed25519)
    _signed(verdict, signed, key)
    return Note(checkpoints.format_body(signed), [])  # a receipt carries no cosignatures


def _check_entry(verdict: ProofVerdict, entry: bytes, index: int, senders: Senders | None) -> bytes:
    """The hash of the leaf that came along, after its body was held to it."""
    if not entry:
        raise MalformedError("it does not carry its entry: there is nothing to check")
    leaf, salt, body = leaves.decode_entry(entry)
    fields = leaves.decode(leaf)
    if body is not None and not leaves.commits_to(leaf, salt, body):
        raise TamperedError(index, "the body is not the one its leaf commits to")
    verdict.kind, verdict.device, verdict.received_ms = (
        fields.kind,
        fields.source,
        fields.received_ms,
    )
    verdict.body = body is not None
    if body is not None and fields.kind == _PACK:
        verdict.readings = _readings(body)
        if senders is not None:
            verdict.sent_by = _sent_by(senders, fields.source, body, index)
    return merkle.leaf_hash(leaf)


def _sent_by(senders: Senders, name: str, body: bytes, index: int) -> str | None:
    """The kid of the key; None where the device has none. TamperedError where it did not sign."""
    if not senders.signs(name):
        return None
    if sealed_reader.profile_of(body) == MAC:
        raise TamperedError(index, f"{name} signs, and this pack is not signed")
    signed = sign1_reader.parse(body)
    objection = senders.objection(name, signed.kid)
    if objection is None and not all(senders.hold([signed])):
        objection = "the signature is forged"
    if objection is not None:
        raise TamperedError(index, f"{name}: {objection}")
    return signed.kid.hex()


def _signed(verdict: ProofVerdict, signed: Checkpoint, key: VerifierKey) -> None:
    verdict.size, verdict.root = signed.size, signed.root.hex()
    verdict.signed_by = f"{key.name}+{key.key_id.hex()}"


def _say_what_was_not_checked(verdict: ProofVerdict, cosigned: Cosigned | None) -> None:
    if verdict.index is not None and not verdict.body:
        verdict.unchecked.append("what it said: the body was deleted")
    if verdict.kind == _PACK and verdict.sent_by is None:
        verdict.unchecked.append(
            "who measured: --keys checks what its device has signed; a tag (profile mac) proves"
            " the device to its gateway only"
        )
    if not cosigned:
        verdict.unchecked.append(
            "that anybody else was shown this checkpoint: give --policy, or compare the root"
        )
    verdict.unchecked.append(
        f"that this key was not replaced before entry {verdict.size}: the whole ledger tells"
    )


def _what(verdict: ProofVerdict) -> str:
    under = f"under the checkpoint of {verdict.size}"
    if verdict.index is None:
        return f"that {verdict.size} entries continue the {verdict.old_size} you hold"
    return f"entry {verdict.index}: {'body, ' if verdict.body else ''}leaf and place {under}"


def _readings(body: bytes) -> list[str]:
    """For people; none where this version cannot read them, which says nothing of the proof."""
    try:
        sealed = sealed_reader.parse(body)
        return [_reading(found) for found in resolve.decode_pack(sealed.payload)]
    except ProtocolError:
        return []


def _reading(found: Reading) -> str:
    value = found.value
    if isinstance(value, Decimal):
        value = float(f"{value.mantissa}e{value.exponent}")
    return f"{found.name} {value} {found.unit}".rstrip()


def _printable(line: str) -> str:
    """What others wrote must not move the cursor of whoever reads it."""
    return "".join(letter if letter.isprintable() else "?" for letter in line)


def _moment(verdict: ProofVerdict) -> str:
    try:
        moment = datetime.fromtimestamp(verdict.received_ms / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return f"received at {verdict.received_ms} ms"
    return f"received {moment.isoformat(timespec='milliseconds')}"


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise MalformedError("neither a proof nor a receipt") from error
