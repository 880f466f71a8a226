"""What others make of the same formats: cbor2, cryptography, and the RFCs word for word.

Shares no code with `protocol`, so that agreeing with it means something.
"""

import base64
import decimal
import hashlib
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def plain(value: Any) -> Any:
    """A value of a vector file as cbor2 knows it."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "bytes":
        return bytes.fromhex(content)
    if kind == "utf8":
        return bytes.fromhex(content).decode()
    if kind == "decimal":
        mantissa, exponent = content
        digits = tuple(map(int, str(abs(mantissa))))
        return decimal.Decimal((int(mantissa < 0), digits, exponent))
    return {plain(key): plain(item) for key, item in content}


def cbor(value: Any) -> bytes:
    """Deterministic CBOR (RFC 8949 §4.2.1): cbor2 with map keys in bytewise order."""
    return cbor2.dumps(_sorted(value))


def _sorted(value: Any) -> Any:
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value, key=cbor2.dumps)}
    return value


def hmac(key: bytes, message: bytes) -> bytes:
    context = HMAC(key, hashes.SHA256())
    context.update(message)
    return context.finalize()


def hkdf(secret: bytes, info: bytes, size: int = 32, salt: bytes = b"") -> bytes:
    return HKDF(hashes.SHA256(), size, salt or None, info).derive(secret)


def mac0(key: bytes, protected: bytes, payload: bytes, aad: bytes) -> bytes:
    """An untagged COSE_Mac0 with HMAC 256/256 (RFC 9052 §6.2)."""
    tag = hmac(key, cbor(["MAC0", protected, aad, payload]))
    return cbor([protected, {}, payload, tag])


def header(kid: bytes, epoch: int, sequence: int) -> bytes:
    cti = epoch.to_bytes(4, "big") + sequence.to_bytes(4, "big")
    return cbor({1: 5, 4: kid, 15: {7: cti}})


def envelope(secret: bytes, direction: str, numbers: tuple[bytes, int, int], body: bytes) -> bytes:
    """`numbers` are kid, epoch and sequence."""
    key = hkdf(secret, b"tallystick/1/" + direction.encode())
    return mac0(key, header(*numbers), body, direction.encode())


P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def p256(scalar: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())


def p256_public(scalar: bytes) -> bytes:
    """x ‖ y."""
    numbers = p256(scalar).public_key().public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def ecdsa(scalar: bytes, message: bytes) -> bytes:
    """r ‖ s by P-256 and SHA-256, the deterministic signature of RFC 6979."""
    der = p256(scalar).sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def sign1(scalar: bytes, protected: bytes, payload: bytes, aad: bytes) -> bytes:
    """An untagged COSE_Sign1 (RFC 9052 §4.2), with the lower of the two s."""
    signature = ecdsa(scalar, cbor(["Signature1", protected, aad, payload]))
    s = int.from_bytes(signature[32:], "big")
    signature = signature[:32] + min(s, P256_ORDER - s).to_bytes(32, "big")
    return cbor([protected, {}, payload, signature])


def signed_header(kid: bytes, epoch: int, sequence: int, before: bytes) -> bytes:
    cti = epoch.to_bytes(4, "big") + sequence.to_bytes(4, "big") + before
    return cbor({1: -9, 4: kid, 15: {7: cti}})


def ed25519(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)


def tlog_proof(index: int, path: list[bytes], note: str, extra: bytes = b"") -> str:
    """C2SP tlog-proof, line by line as its text says."""
    lines = ["c2sp.org/tlog-proof@v1"]
    lines += [f"extra {base64.b64encode(extra).decode()}"] if extra else []
    lines += [f"index {index}", *(base64.b64encode(node).decode() for node in path)]
    return "\n".join(lines) + "\n\n" + note


def cose_receipt(
    seed: bytes, protected: dict[int, Any], unprotected: dict[int, Any], root: bytes
) -> bytes:
    """A tagged COSE_Sign1 with a detached payload (RFC 9052 §4.2, RFC 9942 §4)."""
    header = cbor(protected)
    signature = ed25519(seed).sign(cbor(["Signature1", header, b"", root]))
    return cbor2.dumps(cbor2.CBORTag(18, [header, _sorted(unprotected), None, signature]))


# --- RFC 9162 §2.1, word for word: slow, recursive and obviously right ----------------------


def root(entries: list[bytes]) -> bytes:
    """MTH (§2.1.1)."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = _split(len(entries))
    return hashlib.sha256(b"\x01" + root(entries[:k]) + root(entries[k:])).digest()


def inclusion(m: int, entries: list[bytes]) -> list[bytes]:
    """PATH (§2.1.3.1)."""
    if len(entries) == 1:
        return []
    k = _split(len(entries))
    if m < k:
        return [*inclusion(m, entries[:k]), root(entries[k:])]
    return [*inclusion(m - k, entries[k:]), root(entries[:k])]


def consistency(m: int, entries: list[bytes]) -> list[bytes]:
    """PROOF (§2.1.4.1), empty for the sizes it is not defined for."""
    return _subproof(m, entries, True) if 0 < m < len(entries) else []


def _subproof(m: int, entries: list[bytes], whole: bool) -> list[bytes]:
    if m == len(entries):
        return [] if whole else [root(entries)]
    k = _split(len(entries))
    if m <= k:
        return [*_subproof(m, entries[:k], whole), root(entries[k:])]
    return [*_subproof(m - k, entries[k:], False), root(entries[:k])]


def _split(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k
