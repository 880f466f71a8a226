"""Counts what an outbox does to a flash, inside MicroPython: erases and bytes for each envelope.

Run by test_budgets.py. The flash is that of powercut_sweep.py under a real LittleFS; the
envelopes take 150 bytes.
"""

import json
import sys

import vfs

from device.outbox import Outbox
from tests.device.powercut_sweep import Files, RamFlash, envelope, mount, unmount

_HOUR = 360  # envelopes, one every ten seconds
_EVERY_MS = 10_000


class CountingFlash(RamFlash):
    def __init__(self):
        super().__init__()
        self.erases = 0
        self.programmed = 0

    def writeblocks(self, block, buffer, offset=0):
        self.programmed += len(buffer)
        super().writeblocks(block, buffer, offset)

    def _erase(self, start):
        self.erases += 1
        super()._erase(start)


def use(outbox, count, *, answered, every_ms=_EVERY_MS, first=0):
    """`count` envelopes, and receipts for all that wait where `answered`."""
    outbox.unreachable = not answered
    for number in range(first, first + count):
        now_ms = number * every_ms
        outbox.put(envelope(1, number)[:150], now_ms)
        for late_ms in range(0, every_ms, 3000):
            outbox.tend(now_ms + late_ms)
            while answered and outbox.peek() is not None:
                outbox.advance()


def online(outbox):
    use(outbox, 2 * _HOUR, answered=True)
    return 2 * _HOUR


def outage(outbox):
    """A packet a second, and nobody answers."""
    use(outbox, 2 * _HOUR, answered=False, every_ms=1000)
    return 2 * _HOUR


def slow_outage(outbox):
    """One every ten seconds, so that time decides, not the number of them."""
    use(outbox, 2 * _HOUR, answered=False)
    return 2 * _HOUR


def day(outbox):
    """Six hours with the network, one without, and one in which all is caught up."""
    use(outbox, 6 * _HOUR, answered=True)
    use(outbox, _HOUR, answered=False, first=6 * _HOUR)
    use(outbox, _HOUR, answered=True, first=7 * _HOUR)
    return 8 * _HOUR


def main(modes):
    for program_bytes in (32, 256):
        for mode in modes:
            for scenario in (online, outage, slow_outage, day):
                flash = CountingFlash()
                vfs.VfsLfs2.mkfs(flash, progsize=program_bytes)
                mount(flash, program_bytes)
                flash.erases = flash.programmed = 0
                outbox = Outbox(Files(), "/flash/outbox", 100_000, mode=mode)
                count = scenario(outbox)
                erases, programmed = flash.erases, flash.programmed
                unmount()
                print(
                    json.dumps(
                        {
                            "program_bytes": program_bytes,
                            "mode": mode,
                            "scenario": scenario.__name__,
                            "erases": erases / count,
                            "bytes": programmed // count,
                            "dropped": outbox.dropped,
                        }
                    )
                )


if __name__ == "__main__":
    main(sys.argv[1:] or ("always", "batch", "outage"))
