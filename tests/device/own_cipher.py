"""Checks the vectors of OSCORE with the cipher that this board has: `Board.aead`."""

import json
import sys

from device import start
from tests import oscore_vectors


def run(folder):
    oscore_vectors.cipher = start.pick_board().aead
    checks = {"ccm": oscore_vectors.check_ccm, "oscore": oscore_vectors.check_oscore}
    passed = failed = 0
    for name, check in checks.items():
        with open(folder + "/" + name + ".json") as file:
            for vector in json.load(file):
                if check(vector) is True:
                    passed += 1
                else:
                    failed += 1
                    print("FAILED " + name + ": " + vector["name"])
    print(f"{passed} vectors passed, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(run(sys.argv[1]))
