"""Prints what each sensor driver takes of the heap, code and instance, inside MicroPython.

Run by test_drivers.py on compiled packages, or by hand:
`MICROPYPATH=FOLDER:.frozen micropython tests/device/driver_heap.py`. The chips stand in for the
wires, and are loaded before anything is measured.
"""

import gc
import sys

import device.sensors
import device.slot  # what every device has loaded

DRIVERS = ("board_temperature", "simulated", "dht22", "sht31", "bme280", "analogue", "pulses")
KEYS = {
    "bus": 0,
    "sda": 4,
    "scl": 5,
    "address": 0x76,
    "pin": 26,
    "debounce_ms": 20,
    "unit": "V",
    "multiply": 3300,
    "divide": 65_535,
    "offset": 0,
    "decimals": 3,
    "least": 0,
    "most": 65_535,
}


class Wiring:
    """Answers as a BME280 would where it is asked for its id and its constants."""

    def i2c(self, bus, sda, scl):
        return self

    analogue = dht22 = pulses = i2c

    def readfrom_mem_into(self, address, register, into):
        for at in range(len(into)):
            into[at] = 0x60


class Board:
    def wiring(self):
        return Wiring()


def used():
    gc.collect()
    return gc.mem_alloc()


def main():
    Wiring.analogue = Wiring.dht22 = lambda self, pin: self
    Wiring.pulses = lambda self, pin, debounce_ms: self
    board = Board()
    made = []
    for name in DRIVERS:
        before = used()
        module = device.sensors.load(name)
        loaded = used()
        made.append(module.Sensor(board, KEYS))
        print(f"{name:20}{loaded - before:6}{used() - loaded:6}")
    before = used()
    __import__("device.band")
    print(f"{'(band, alarms)':20}{used() - before:6}{0:6}")


if __name__ == "__main__":
    sys.path.append("")
    main()
