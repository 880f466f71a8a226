"""Prints what each module that a device loads takes of the heap, inside MicroPython.

Run by test_budgets.py, or by hand, on compiled packages (`tools.firmware.compiled`):
`MICROPYPATH=FOLDER micropython tests/device/heap_by_module.py`. A module that imports others
comes after them here, so each line is one file alone, and what is in it; the last line is JSON.
"""

import gc
import json
import sys

AGENT = (
    "device",
    "asyncio",
    "asyncio.event",
    "device.main",
    "device.forgetting",
    "device.store",
    "device.start",
    "device.board.unix",
    "device.counter",
    "device.sensors",
    "device.sensors.simulated",
    "device.endpoint",
    "device.identity",
    "device.agent",
)
# What a device has besides that asks over OSCORE, observes and fetches in blocks.
ASKING = (
    "protocol.ccm",
    "protocol.pairing",
    "protocol.oscore_parts",
    "protocol.oscore_keys",
    "protocol.oscore_client",
    "device.oscore",
    "device.sending",
    "device.fetching",
    "device.observing",
    "device.resources",
    "device.listening",
)


def used():
    gc.collect()
    return gc.mem_alloc()


def load(modules):
    """Bytes that all of them take."""
    at_start = used()
    for name in modules:
        before = used()
        __import__(name)
        print(f"{name:26}{used() - before:7}")
    return used() - at_start


def main():
    known = set(sys.modules)
    found = {"agent": load(AGENT), "asking": load(ASKING)}
    new = [name for name in sys.modules if name not in known]
    found["not_listed"] = [name for name in new if name not in AGENT + ASKING]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
