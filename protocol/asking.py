"""Asking: the question of a device at `/c`, sealed (wire-format §15); `told` opens the answer.

Both are sealed under the device's `down` key, which boards of either profile have, each with an
external_aad of its own: neither can be taken for the other, or for a receipt.
"""

from protocol import cbor, cose
from protocol.mac import HmacKey

ASK, TELL = b"ask", b"told"  # external_aad of each
_HEADER = b"\xa2\x01\x05\x04\x48"  # {1: 5, 4: kid}: alg HMAC 256/256


def protected_header(kid: bytes) -> bytes:
    return _HEADER + kid


def seal_question(
    key: HmacKey, kid: bytes, nonce: bytes, numbers: "tuple[int, int, int, int, int]"
) -> bytes:
    """`numbers` are those of `control.Question`, after its nonce."""
    fields: "dict[int, object]" = {1: nonce}
    for number in numbers:
        fields[len(fields) + 1] = number
    return cose.mac0(key, protected_header(kid), cbor.encode(fields), external_aad=ASK)
