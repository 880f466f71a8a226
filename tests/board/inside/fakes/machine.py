"""`machine` of the virtual board. What it measures is in the test's hands: `VirtualBoard.world`."""

import _thread
import sys
import time

import host

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
_cause = PWRON_RESET
_hertz = 125_000_000


def unique_id():
    return b"\xe6\x61\x41\x03\xe7\x2b\x8a\x2c"


def reset():
    host.stop(host.RESET)


def reset_cause():
    import os

    return int(os.getenv("BOARD_CAUSE"))


def deepsleep(time_ms=0):
    host.registers.set(host.SLEEP_MS, 50 if host.world()["hurries"] else time_ms)
    host.stop(host.DEEP_SLEEP)


def lightsleep(time_ms=0):
    if host.world()["hurries"]:
        time.skip_ms(time_ms)
    else:
        time.sleep_ms(time_ms)  # what the real one does, and sleeps


def idle():
    time.sleep_ms(1)  # the real one waits for an interrupt


def freq(hertz=None):
    global _hertz
    if hertz is None:
        return _hertz
    _hertz = hertz


def disable_irq():
    return 0


def enable_irq(state):
    pass


class WDT:
    """Bites by itself once it was made, as hardware does: the host counts the time."""

    def __init__(self, id=0, timeout=5000):
        self._fed = host.registers.get(host.FED)
        host.registers.set(host.WATCHDOG_MS, timeout)
        self.feed()

    def feed(self):
        self._fed = (self._fed + 1) & 0xFFFFFFFF
        host.registers.set(host.FED, self._fed)


class Timer:
    """A world in which minutes are short has it fire; in any other no test would see it."""

    def __init__(self, id=-1, *, period, callback):
        if id not in ((-1,) if sys.platform == "rp2" else (0, 1, 2, 3)):
            raise ValueError("Timer doesn't exist")
        minute_ms = host.world()["minute_ms"]
        if minute_ms < 60_000:
            _thread.start_new_thread(self._run, (period * minute_ms // 60_000, callback))

    def _run(self, period_ms, callback):
        while True:
            time.sleep_ms(period_ms)  # in a thread of its own, as an interrupt would come
            callback(self)


class ADC:
    CORE_TEMP = 4

    def __init__(self, channel):
        self._channel = channel if isinstance(channel, int) else channel.number

    def read_u16(self):
        return host.world()["adc"].get(str(self._channel), 0)

    def read_uv(self):
        return self.read_u16() * 3_300_000 // 65_535


class Pin:
    IN, OUT, OPEN_DRAIN, PULL_UP, PULL_DOWN, IRQ_RISING, IRQ_FALLING = 0, 1, 2, 1, 2, 8, 4

    def __init__(self, number, mode=IN, pull=None, value=None):
        self.number = number
        self._mode = mode
        self._value = value or 0
        self.handler = None

    def init(self, mode=IN, pull=None, value=None):
        self._mode = mode

    def value(self, level=None):
        if level is not None:
            self._value = level
        elif self._mode == Pin.IN:
            return host.world()["pins"].get(str(self.number), 0)
        return self._value

    __call__ = value

    def on(self):
        self._value = 1

    def off(self):
        self._value = 0

    def irq(self, handler=None, trigger=IRQ_RISING | IRQ_FALLING):
        self.handler = handler


class I2C:
    """`I2C.devices` is address -> an object with `write(bytes)` and `read(size)`."""

    devices = {}

    def __init__(self, id=0, scl=None, sda=None, freq=400_000, timeout=50_000):
        pass

    def _device(self, address):
        if address not in self.devices:
            raise OSError(5)
        return self.devices[address]

    def scan(self):
        return sorted(self.devices)

    def writeto(self, address, data, stop=True):
        self._device(address).write(bytes(data))
        return len(data)

    def readfrom(self, address, size, stop=True):
        return self._device(address).read(size)

    def readfrom_into(self, address, buffer, stop=True):
        buffer[:] = self.readfrom(address, len(buffer))

    def readfrom_mem(self, address, register, size, addrsize=8):
        self.writeto(address, bytes([register]))
        return self.readfrom(address, size)

    def readfrom_mem_into(self, address, register, buffer, addrsize=8):
        buffer[:] = self.readfrom_mem(address, register, len(buffer))

    def writeto_mem(self, address, register, data, addrsize=8):
        self.writeto(address, bytes([register]) + bytes(data))


SoftI2C = I2C


class RTC:
    """`memory` outlives resets and deep sleep, not the power."""

    def memory(self, data=None):
        if data is None:
            return host.rtc_memory()
        host.keep_rtc_memory(bytes(data))

    def datetime(self, fields=None):
        if fields is None:
            now = time.gmtime(time.time())
            return now[:3] + (now[6],) + now[3:6] + (0,)
