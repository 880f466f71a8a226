"""Signs in a heap that holds nothing else: four digests, two of them by coupons.

Run by test_signing_budget.py on compiled packages; the argument is the folder of p256.tab.
"""

import hashlib
import os
import sys

from device.table import Table
from protocol.ecdsa import Signer

KEY = bytes(range(1, 33))


def main(folder):
    table = Table(folder + "/p256.tab")
    signer = Signer(KEY, table.read, os.urandom, boot=b"1", coupons=2)
    while signer.idle():
        pass
    for number in range(4):
        digest = hashlib.sha256(b"pack %d" % number).digest()
        print(signer.sign(digest).hex())


if __name__ == "__main__":
    main(sys.argv[1])
