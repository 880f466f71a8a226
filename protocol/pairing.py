"""The OSCORE context that a device and its gateway share without a word (wire-format §14).

All of it follows from the device's secret and its kid: nothing is stored, nothing is agreed.
"""

from protocol import oscore_keys
from protocol.mac import hkdf
from protocol.oscore_keys import Keys
from protocol.oscore_parts import MAX_ID_BYTES

GATEWAY_ID = b"\x01"  # one byte, so never a device's
DEVICE_ID_BYTES = MAX_ID_BYTES


def device_id(kid: bytes) -> bytes:
    """The device's Sender ID: as much of its kid as OSCORE takes."""
    return kid[:DEVICE_ID_BYTES]


def master_secret(secret: bytes) -> bytes:
    """`secret` is the device's 32 random bytes. No salt, no ID context."""
    return hkdf(secret, b"tallystick/1/oscore")


def device_keys(master: bytes, kid: bytes) -> Keys:
    return oscore_keys.derive(master, sender_id=device_id(kid), recipient_id=GATEWAY_ID)


def gateway_keys(master: bytes, kid: bytes) -> Keys:
    return oscore_keys.derive(master, sender_id=GATEWAY_ID, recipient_id=device_id(kid))
