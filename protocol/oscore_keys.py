"""The keys of an OSCORE context (RFC 8613 §3.2). A board derives them once, then drops this."""

from collections import namedtuple

from protocol import cbor
from protocol.errors import TooLargeError
from protocol.mac import hkdf
from protocol.oscore_parts import KEY_BYTES, MAX_ID_BYTES, NONCE_BYTES

_AES_CCM_16_64_128 = 10


class Keys(namedtuple("Keys", ("sender_id", "recipient_id", "sender", "recipient", "common_iv"))):
    """One endpoint's view of a context. Never printed: `sender` and `recipient` are keys."""

    sender_id: bytes
    recipient_id: bytes
    sender: bytes
    recipient: bytes
    common_iv: bytes

    def __repr__(self) -> str:
        return "Keys(…)"


def derive(
    master_secret: bytes,
    *,
    sender_id: bytes,
    recipient_id: bytes,
    salt: bytes = b"",
    id_context: bytes | None = None,
) -> Keys:
    """The keys of §3.2.1. TooLargeError for an identifier of more than 7 bytes."""
    if max(len(sender_id), len(recipient_id)) > MAX_ID_BYTES:
        raise TooLargeError(f"an OSCORE identifier over {MAX_ID_BYTES} bytes")

    def expanded(identifier: bytes, what: str, size: int) -> bytes:
        info = cbor.encode([identifier, id_context, _AES_CCM_16_64_128, what, size])
        return hkdf(master_secret, info, size, salt)

    return Keys(
        sender_id,
        recipient_id,
        expanded(sender_id, "Key", KEY_BYTES),
        expanded(recipient_id, "Key", KEY_BYTES),
        expanded(b"", "IV", NONCE_BYTES),
    )
