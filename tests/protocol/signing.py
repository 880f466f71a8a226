"""Seals random packs on whichever interpreter runs this, and prints them for a library to check.

`micropython -m tests.protocol.signing COUNT SEED`: the public key, then an envelope a line, about
half of them by coupons. The same seed gives the same lines.
"""

import hashlib
import sys

from protocol import keypair, sign1
from protocol.ecdsa import Signer
from tests.signing_vectors import read_point

KEY = hashlib.sha256(b"the key of a board").digest()


class Dice:
    """Random bytes that a seed decides."""

    def __init__(self, seed):
        self._state = str(seed).encode()

    def roll(self, size):
        rolled = b""
        while len(rolled) < size:
            self._state = hashlib.sha256(self._state).digest()
            rolled += hashlib.sha256(self._state + b"out").digest()
        return rolled[:size]


def sealed(count, seed):
    """So many envelopes of random packs, one after another."""
    dice = Dice(seed)
    signer = Signer(KEY, read_point, dice.roll, boot=b"\x00\x00\x00\x01", coupons=2)
    before = bytes(16)
    for sequence in range(count):
        for _ in range(dice.roll(1)[0]):
            signer.idle()
        payload = dice.roll(2 + dice.roll(1)[0] * 3)
        data = sign1.seal(
            signer.sign, bytes(8), epoch=1, sequence=sequence, before=before, payload=payload
        )
        before = sign1.link(data)
        yield data


def main(count, seed):
    print(keypair.public_key(KEY, read_point, Dice(seed).roll).hex())
    for data in sealed(count, seed):
        print(data.hex())


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
