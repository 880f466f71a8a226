"""The process that checks signatures: one request after another on one socket, nothing else.

Started by `gateway.signatures.pool` as a file of its own, with nothing of ours loaded: it holds
no secret and knows no device. Ends when the gateway does. A request is a count (u16) and as
many records, 160 bytes each: public key x ‖ y, signature r ‖ s, SHA-256 digest. The answer
is a byte for each, 1 where the signature holds.
"""

import signal
import socket
import sys
from io import BufferedRWPair

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

RECORD_BYTES = 160
COUNT_BYTES = 2
_MAX_KEYS = 4096  # 5 µs to make one anew, a tenth of a check
_ALGORITHM = ec.ECDSA(Prehashed(SHA256()))


class Checker:
    def __init__(self) -> None:
        self._keys: dict[bytes, ec.EllipticCurvePublicKey] = {}

    def holds(self, record: bytes) -> bool:
        """Whether the key made the signature over the digest (FIPS 186-5 §6.4.2)."""
        r, s = int.from_bytes(record[64:96], "big"), int.from_bytes(record[96:128], "big")
        try:
            key = self._keys.get(record[:64]) or self._learn(record[:64])
            key.verify(encode_dss_signature(r, s), record[128:], _ALGORITHM)
        except (InvalidSignature, ValueError):  # the latter for no point of the curve
            return False
        return True

    def _learn(self, x_and_y: bytes) -> ec.EllipticCurvePublicKey:
        if len(self._keys) >= _MAX_KEYS:
            self._keys.clear()
        point = b"\x04" + x_and_y
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        self._keys[x_and_y] = key
        return key


def serve(stream: BufferedRWPair) -> None:
    """Answers until the other end closes."""
    checker = Checker()
    while len(head := stream.read(COUNT_BYTES)) == COUNT_BYTES:
        records = stream.read(int.from_bytes(head, "big") * RECORD_BYTES)
        starts = range(0, len(records), RECORD_BYTES)
        stream.write(bytes(checker.holds(records[at : at + RECORD_BYTES]) for at in starts))
        stream.flush()


def main(handle: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the gateway says when it is over
    with socket.socket(fileno=handle) as door, door.makefile("rwb") as stream:
        try:
            serve(stream)
        except ConnectionError:
            pass  # the gateway has gone


if __name__ == "__main__":
    main(int(sys.argv[1]))
