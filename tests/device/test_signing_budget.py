"""What signing may take of a board, beside what was measured on an emulated RP2040."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from protocol.sign1 import SIGNATURE_BYTES
from tests.device.signatures import is_signature
from tests.device.signing_alone import KEY
from tests.interpreters import environment, micropython
from tests.protocol import oracles

HERE = Path(__file__).parent
# The unix port has 64-bit words: the same modules take 1.4 times what they take on an RP2040.
UNIX_HEAP = 1.4
MAX_HEAP_BYTES, MAX_COUPON_BYTES = 8 * 1024, 150
# As ratios to a HMAC of the same pack. On the emulated RP2040 that takes 1.14 ms, an envelope of
# a coupon 1.63 ms (budget 2), a signature without 157 ms (budget 175); the unix port hashes in C
# and is faster at that than at the rest.
MAX_RATIOS = {"coupon_us": 10, "full_us": 600, "worst_step_us": 20}
TRIES = 5  # where others have the processor meanwhile


def run(arguments, folder, compiled):
    done = subprocess.run(
        [micropython(), *arguments],
        env=environment(folder, compiled),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout[-1000:]
    return done.stdout


@pytest.fixture
def measured(tmp_path, compiled_with_names, table):
    def measure(what):
        arguments = [str(HERE / "signing_budget.py"), str(table.parent), what]
        return json.loads(run(arguments, tmp_path, compiled_with_names))

    return measure


def test_the_heap_of_signing_fits_its_budget(measured):
    found = measured("heap")

    on_board = (found["modules"] + found["signer"]) / UNIX_HEAP
    coupon = found["coupon"] / UNIX_HEAP
    print(f"{found} on unix; {on_board:.0f} and {coupon:.0f} a coupon on a board, calculated")
    assert on_board <= MAX_HEAP_BYTES
    assert coupon <= MAX_COUPON_BYTES


def test_the_time_of_signing_fits_its_budget(measured):
    least = measured("time")
    for _ in range(TRIES - 1):
        if not over_budget(least):
            break
        again = measured("time")
        least = {name: min(us, again[name]) for name, us in least.items()}

    print(f"{least}; RP2040, emulated, in HMACs: envelope by coupon 1.4, in full 138")
    assert over_budget(least) == {}


def over_budget(took):
    """What takes too many HMACs, and how many."""
    ratios = {name: round(took[name] / took["hmac_us"], 1) for name in MAX_RATIOS}
    print(f"in HMACs: {ratios}")
    return {name: ratio for name, ratio in ratios.items() if ratio > MAX_RATIOS[name]}


@pytest.mark.parametrize("heap", ["32K", "48K"])
def test_it_signs_in_a_small_heap_of_its_own(heap, tmp_path, compiled_with_names, table):
    arguments = ["-X", f"heapsize={heap}", str(HERE / "signing_alone.py"), str(table.parent)]

    printed = run(arguments, tmp_path, compiled_with_names)
    signatures = [bytes.fromhex(line) for line in printed.split()]

    digests = [hashlib.sha256(b"pack %d" % number).digest() for number in range(4)]
    public = oracles.p256_public(KEY)
    assert all(map(is_signature, [public] * 4, digests, signatures))
    assert {len(signature) for signature in signatures} == {SIGNATURE_BYTES}
    assert len({signature[:32] for signature in signatures}) == 4
