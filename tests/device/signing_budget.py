"""Measures what signing takes of a heap and of time, inside MicroPython; one line of JSON.

Run by test_signing_budget.py on compiled packages. The first argument is the folder of p256.tab,
the second is "heap" or "time".
"""

import gc
import json
import sys
import time

PACK = bytes(254)  # ten readings
KEY = bytes(range(1, 33))
DICE = b"\x07" * 32


def random_bytes(size):
    return DICE[:size]


def used():
    gc.collect()
    return gc.mem_alloc()


def heap(folder):
    """Bytes of heap: of the modules, of a signer with its table, of each coupon."""
    for name in ("hashlib", "protocol.errors", "protocol.limits", "protocol.mac", "device.config"):
        __import__(name)  # what a device that MACs has anyway
    before = used()
    from device.table import Table
    from protocol import ecdsa, sign1  # noqa: F401

    modules = used() - before
    table = Table(folder + "/p256.tab")
    signer = ecdsa.Signer(KEY, table.read, random_bytes, boot=b"1", coupons=8)
    made = used() - before - modules
    while signer.idle():
        pass
    coupons = used() - before - modules - made
    return {"modules": modules, "signer": made, "coupon": coupons // signer.ready}


def shortest(act, repeats):
    """The least time of some, in us: another process may take the processor at any time."""
    best = None
    for _ in range(repeats):
        gc.collect()
        start = time.ticks_us()
        act()
        took = time.ticks_diff(time.ticks_us(), start)
        best = took if best is None else min(best, took)
    return best


def steps_of(table):
    """The least time of each step of one coupon, which is made again and again."""
    from protocol.ecdsa import Signer

    least = None
    for _ in range(30):
        signer = Signer(KEY, table.read, random_bytes, boot=b"1", coupons=1)
        steps = []
        gc.collect()
        while not signer.ready:
            start = time.ticks_us()
            signer.idle()
            steps.append(time.ticks_diff(time.ticks_us(), start))
        least = steps if least is None else [min(pair) for pair in zip(least, steps)]  # noqa: B905
    return sorted(least)


def times(folder):
    """Of a HMAC of a pack, of whole envelopes with and without coupons, of the steps of one."""
    from device.table import Table
    from protocol import sign1
    from protocol.ecdsa import Signer
    from protocol.mac import HmacKey

    table, mac = Table(folder + "/p256.tab"), HmacKey(KEY)
    steps = steps_of(table)
    ready = Signer(KEY, table.read, random_bytes, boot=b"1", coupons=50)
    while ready.idle():
        pass
    empty = Signer(KEY, table.read, random_bytes)

    def sealed(signer):
        return sign1.seal(
            signer.sign, bytes(8), epoch=1, sequence=1, before=bytes(16), payload=PACK
        )

    def hmacs():
        for _ in range(50):
            mac.tag(PACK)

    return {
        "hmac_us": shortest(hmacs, 20) / 50,
        "coupon_us": shortest(lambda: sealed(ready), 50),
        "full_us": shortest(lambda: sealed(empty), 20),
        "steps": len(steps),
        "median_step_us": steps[len(steps) // 2],
        "worst_step_us": steps[-1],
    }


if __name__ == "__main__":
    print(json.dumps({"heap": heap, "time": times}[sys.argv[2]](sys.argv[1])))
