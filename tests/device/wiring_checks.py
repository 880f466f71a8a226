"""Checks of device/board/wiring.py inside MicroPython, on a `machine` of the test's own."""

import sys

import micropython

TICKS = (1 << 30) - 1  # where boards' ticks wrap around
PINS = []


class Pin:
    IN, PULL_UP, IRQ_FALLING = 0, 1, 4

    def __init__(self, number, mode=None, pull=None):
        self.number, self.mode, self.pull = number, mode, pull
        PINS.append(self)

    def irq(self, handler, trigger):
        assert (trigger, self.pull) == (self.IRQ_FALLING, self.PULL_UP)
        self.handler = handler


class ADC:
    ATTN_11DB = 3

    def __init__(self, pin):
        self.pin = pin

    def atten(self, attenuation):
        self.attenuation = attenuation

    def read_u16(self):
        return 1000 + self.pin.number


class I2C:
    def __init__(self, bus, sda, scl, freq):
        self.made_of = (bus, sda.number, scl.number, freq)


class DHT22:
    def __init__(self, pin):
        self.buf = bytearray(5)

    def measure(self):
        self.buf[:] = b"\x02\x8c\x01\x5f\xee"


class Module:
    def __init__(self, **names):
        for name in names:
            setattr(self, name, names[name])


class Time:
    """The interrupt's clock: `now` is in the test's hands."""

    now = TICKS - 50

    def ticks_ms(self):
        return self.now & TICKS

    def ticks_add(self, ticks, delta):
        return ticks + delta & TICKS

    def ticks_diff(self, later, earlier):
        return (later - earlier + (TICKS + 1) // 2 & TICKS) - (TICKS + 1) // 2


sys.modules["machine"] = Module(Pin=Pin, ADC=ADC, I2C=I2C)
sys.modules["dht"] = Module(DHT22=DHT22)

from device.board import wiring  # noqa: E402  # after its machine


def edges(counter, moments_ms):
    """An edge at each moment, as an interrupt: not a byte of memory may be taken."""
    [pin] = [one for one in PINS if getattr(one, "handler", None)]
    for moment_ms in moments_ms:
        wiring.time.now = moment_ms
        micropython.heap_lock()
        pin.handler(pin)
        micropython.heap_unlock()
    PINS.clear()
    return counter.count


def made(debounce_ms):
    wiring.time = Time()
    return wiring.pulses(15, debounce_ms)


def check_each_edge_is_counted():
    assert edges(made(0), [TICKS - 50, TICKS - 49, TICKS, TICKS + 1]) == 4


def check_echoes_of_an_edge_are_not_also_where_ticks_wrap_around():
    start = TICKS - 25

    assert edges(made(20), [start, start + 1, start + 19, start + 20, start + 39, start + 40]) == 3


def check_the_counter_wraps_around_without_taking_memory():
    counter = made(0)
    counter.count = counter.mask - 1

    assert edges(counter, [1, 2, 3]) == 1


def check_buses_and_pins_are_made_of_what_config_json_says():
    assert wiring.i2c(1, 4, 5).made_of == (1, 4, 5, 100_000)
    analogue = wiring.analogue(26)
    assert (analogue.read_u16(), analogue.attenuation) == (1026, ADC.ATTN_11DB)


def check_the_bytes_of_a_dht22_are_those_of_the_firmwares_driver():
    assert bytes(wiring.dht22(2).measure()) == b"\x02\x8c\x01\x5f\xee"


def checks():
    return sorted([name for name in globals() if name.startswith("check_")])


if __name__ == "__main__":
    for name in checks():
        globals()[name]()
    print("all checks hold")
