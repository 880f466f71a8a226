"""Buses and pins, the same on every board that has `machine`. Loaded by drivers that use one."""

import time

import machine
from machine import I2C, Pin

_HERTZ = 100_000  # what long wires in a greenhouse can do


def pause_ms(duration_ms: int) -> None:
    """Holds everything up: for the few ms that a sensor needs."""
    time.sleep_ms(duration_ms)  # not asyncio's: a sensor is read in one go


def i2c(bus: int, sda: int, scl: int) -> I2C:
    return I2C(bus, sda=Pin(sda), scl=Pin(scl), freq=_HERTZ)


def analogue(pin: int) -> machine.ADC:
    adc = machine.ADC(Pin(pin))
    if hasattr(machine.ADC, "ATTN_11DB"):  # ESP32: without it 1 V is the most
        adc.atten(machine.ADC.ATTN_11DB)
    return adc


def dht22(pin: int) -> "Dht22":
    return Dht22(pin)


def pulses(pin: int, debounce_ms: int) -> "Pulses":
    return Pulses(pin, debounce_ms)


class Dht22:
    """The firmware's driver, which gives floats; its buffer has the bytes they are made of."""

    def __init__(self, pin: int) -> None:
        import dht

        self._dht = dht.DHT22(Pin(pin))

    def measure(self) -> bytearray:
        """Humidity, temperature and sum. Raises where nothing answers or the sum is wrong."""
        self._dht.measure()
        data: bytearray = self._dht.buf
        return data


class Pulses:
    """Falling edges of a pin that is pulled up; `count` wraps around after `mask`.

    One edge starts `debounce_ms` in which others are its echoes. The handler runs in an
    interrupt: all its numbers are small ones, so that it never takes memory.
    """

    mask = 0x3FFFFFFF  # the largest small integer of a 32-bit board

    def __init__(self, pin: int, debounce_ms: int) -> None:
        self.count = 0
        self._debounce_ms = debounce_ms
        self._last_ms = time.ticks_add(time.ticks_ms(), -debounce_ms)
        self._pin = Pin(pin, Pin.IN, Pin.PULL_UP)
        self._pin.irq(handler=self._on_edge, trigger=Pin.IRQ_FALLING)

    def _on_edge(self, _pin: Pin) -> None:
        now_ms = time.ticks_ms()
        if time.ticks_diff(now_ms, self._last_ms) < self._debounce_ms:
            return
        self._last_ms = now_ms
        self.count = 0 if self.count == self.mask else self.count + 1
