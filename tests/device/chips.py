"""Sensors as their data sheets describe them, and a bus they hang on; with the faults of real ones.

Uses only what MicroPython has. A chip takes `write(bytes)` and gives `read(size)`, as one
transaction of I2C each; `None` as a chip's answer is a NACK.
"""

import struct

ENODEV, ETIMEDOUT = 19, 110


class Wiring:
    """What `device.board.wiring` is on a board. `now_ms` goes on while a driver pauses."""

    def __init__(self):
        self.now_ms = 0
        self.chips = {}  # address -> chip
        self.stuck = None  # what every bit reads, 0 or 1; "clock": no transaction ever ends
        self.raw = 0
        self.wire = b""
        self.counter = Counter()

    def pause_ms(self, duration_ms):
        self.now_ms += duration_ms

    def i2c(self, bus, sda, scl):
        return Bus(self)

    def analogue(self, pin):
        return self

    def read_u16(self):
        return self.raw

    def dht22(self, pin):
        return self

    def measure(self):
        """As the firmware's `dht`: OSError where nobody answers, Exception for a wrong sum."""
        data = self.wire if self.stuck is None else bytes(5)
        if len(data) < 5:
            raise OSError(ETIMEDOUT)
        if sum(data[:4]) & 0xFF != data[4]:
            raise Exception("checksum error")
        return data

    def pulses(self, pin, debounce_ms):
        return self.counter


class Counter:
    count = 0
    mask = 0x3FFFFFFF


class Bus:
    """`machine.I2C`."""

    def __init__(self, wiring):
        self._wiring = wiring

    def _chip(self, address):
        if self._wiring.stuck == "clock":
            raise OSError(ETIMEDOUT)
        chip = self._wiring.chips.get(address)
        if chip is None and self._wiring.stuck is None:
            raise OSError(ENODEV)
        return chip

    def writeto(self, address, data):
        chip = self._chip(address)
        # held low, the line reads as if every byte was acknowledged
        if self._wiring.stuck is None:
            chip.write(bytes(data), self._wiring.now_ms)
        return len(data)

    def readfrom_into(self, address, into):
        chip = self._chip(address)
        if self._wiring.stuck is None:
            data = chip.read(len(into), self._wiring.now_ms)
            if data is None:
                raise OSError(ENODEV)
        else:
            data = bytes([0xFF * self._wiring.stuck] * len(into))
        into[:] = data

    def writeto_mem(self, address, register, data):
        self.writeto(address, bytes([register]) + data)

    def readfrom_mem_into(self, address, register, into):
        self.writeto(address, bytes([register]))
        self.readfrom_into(address, into)


class Sht31:
    """Sensirion SHT3x-DIS: answers a single shot once it is measured, and only once."""

    MEASURING_MS = 15

    def __init__(self, temperature, humidity):
        self.words = [temperature, humidity]
        self.flip = 0  # bits of the third byte of an answer that are wrong
        self._ready_ms = None

    def write(self, data, now_ms):
        assert data == b"\x24\x00", data
        self._ready_ms = now_ms + self.MEASURING_MS

    def read(self, size, now_ms):
        if self._ready_ms is None or now_ms < self._ready_ms:
            return None
        self._ready_ms = None
        answer = bytearray()
        for word in self.words:
            data = struct.pack(">H", word)
            answer += data + bytes([crc8(data)])
        answer[2] ^= self.flip
        return bytes(answer[:size])


def crc8(data):
    """Sensirion's, bit by bit over one long number: another way than the driver's."""
    register = int.from_bytes(data, "big") << 8 ^ 0xFF << 8 * len(data)
    for bit in range(8 * len(data) + 7, 7, -1):
        if register >> bit & 1:
            register ^= 0x131 << bit - 8
    return register


class Bme280:
    """Bosch's BME280: registers, forced mode, and data that stay whole for one transaction.

    `samples` are (pressure, temperature, humidity) as its converter gives them; the next one is
    measured with each start, and in the data registers from the moment it ends.
    """

    MEASURING_MS = 9
    ID = 0x60

    def __init__(self, calibration, samples):
        self.samples = samples
        self.endless = False
        self._calibration = calibration
        self.lose_power()

    def lose_power(self):
        """All registers as after power on; the calibration is in its own memory."""
        self._registers = bytearray(256)
        self._registers[0xD0] = self.ID
        t, p, h = self._calibration
        self._registers[0x88:0xA0] = struct.pack("<HhhHhhhhhhhh", *(t + p))
        self._registers[0xA1] = h[0]
        self._registers[0xE1:0xE8] = struct.pack("<hB", h[1], h[2]) + bytes(
            [h[3] >> 4 & 0xFF, h[3] & 0x0F | (h[4] & 0x0F) << 4, h[4] >> 4 & 0xFF, h[5] & 0xFF]
        )
        self._registers[0xF7:0xFF] = b"\x80\x00\x00\x80\x00\x00\x80\x00"
        self._pointer = 0
        self._done_ms = None
        self._started = 0
        self._humidity_once = False

    def write(self, data, now_ms):
        self._pointer = data[0]
        if len(data) < 2:
            return
        self._registers[data[0]] = data[1]
        if data[0] == 0xF4 and data[1] & 3:
            # what 0xF2 says counts from the next write of 0xF4 on
            self._humidity_once = bool(self._registers[0xF2] & 7)
            self._done_ms = now_ms + self.MEASURING_MS

    def read(self, size, now_ms):
        if self._done_ms is not None and now_ms >= self._done_ms and not self.endless:
            self._finish()
        self._registers[0xF3] = 0x08 if self._done_ms is not None else 0
        return bytes(self._registers[self._pointer : self._pointer + size])

    def _finish(self):
        self._done_ms = None
        pressure, temperature, humidity = self.samples[self._started % len(self.samples)]
        self._started += 1
        data = (pressure << 4).to_bytes(3, "big") + (temperature << 4).to_bytes(3, "big")
        last = humidity if self._humidity_once else 0x8000
        self._registers[0xF7:0xFF] = data + last.to_bytes(2, "big")
        self._registers[0xF4] &= 0xFC  # sleeps again
