"""Prints what each module that a device loads takes of the heap, inside MicroPython.

Run by test_budgets.py, or by hand, on compiled packages (`tools.firmware.compiled`):
`MICROPYPATH=FOLDER micropython tests/device/heap_by_module.py agent`. A module that imports others
comes after them here, so each line is one file alone, and what is in it; the last line is JSON.
With the argument "update" it is what an update loads, which runs without the agent.
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
UPDATE = (
    "device",
    "asyncio",
    "device.main",
    "device.forgetting",
    "device.start",
    "device.board.unix",
    "device.endpoint",
    "device.sending",
    "device.fetching",
    "device.between",
    "protocol.p256",
    "protocol.ecdsa_verify",
    "protocol.manifest",
    "device.slot_files",
    "device.update",
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


def main(what):
    known = set(sys.modules)
    loaded = {"agent": AGENT, "asking": ASKING} if what == "agent" else {what: UPDATE}
    found = {part: load(modules) for part, modules in loaded.items()}
    listed = [name for modules in loaded.values() for name in modules]
    found["not_listed"] = [name for name in sys.modules if name not in known and name not in listed]
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
