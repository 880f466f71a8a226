"""Seals random packs on whichever interpreter runs this, and prints them for a library to check.

`micropython -m tests.protocol.signing COUNT`: a line of JSON with the public key, then an
envelope a line, half of them by coupons.
"""

import hashlib
import os
import sys

from protocol import keypair, sign1
from protocol.ecdsa import Signer
from tests.signing_vectors import read_point

KEY = hashlib.sha256(b"the key of a board").digest()


def sealed(count):
    """So many envelopes of random packs, one after another."""
    signer = Signer(KEY, read_point, os.urandom, boot=b"\x00\x00\x00\x01", coupons=1)
    before = bytes(16)
    for sequence in range(count):
        while sequence % 2 and signer.idle():
            pass
        payload = os.urandom(2 + os.urandom(1)[0] * 3)
        data = sign1.seal(
            signer.sign, bytes(8), epoch=1, sequence=sequence, before=before, payload=payload
        )
        before = sign1.link(data)
        yield data


def main(count):
    print(keypair.public_key(KEY, read_point, os.urandom).hex())
    for data in sealed(count):
        print(data.hex())


if __name__ == "__main__":
    main(int(sys.argv[1]))
