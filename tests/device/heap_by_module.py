"""Prints what each module that a device loads takes of the heap, inside MicroPython.

Run by test_budgets.py, or by hand, on compiled packages (`tools.firmware.compiled`):
`MICROPYPATH=FOLDER micropython tests/device/heap_by_module.py`. A module that imports others
comes after them here, so each line is one module alone.
"""

import gc
import sys

MODULES = (
    "device",
    "asyncio",
    "asyncio.event",
    "protocol.errors",
    "protocol.limits",
    "protocol.cbor",
    "protocol.mac",
    "protocol.cose",
    "protocol.envelope",
    "protocol.senml",
    "protocol.receipt_reader",
    "protocol.coap",
    "protocol.exchange",
    "device.board.firmware",
    "device.board.unix",
    "device.store",
    "device.counter",
    "device.clock",
    "device.config",
    "device.identity",
    "device.sensors",
    "device.sensors.simulated",
    "device.slot",
    "device.outbox",
    "device.packer",
    "device.sampler",
    "device.endpoint",
    "device.uplink",
    "device.supervisor",
    "device.agent",
    "device.main",
)


def used():
    gc.collect()
    return gc.mem_alloc()


def main():
    known = set(sys.modules)
    at_start = used()
    for name in MODULES:
        before = used()
        __import__(name)
        print(f"{name:26}{used() - before:7}")
    print(f"{'all':26}{used() - at_start:7}")
    late = [name for name in sys.modules if name not in known and name not in MODULES]
    print("not in the list:", late)


if __name__ == "__main__":
    main()
