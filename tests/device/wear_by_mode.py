"""Counts what an outbox does to a flash, inside MicroPython: erases and bytes for each envelope.

Run by test_budgets.py. The flash is that of powercut_sweep.py under a real LittleFS; the
envelopes take 150 bytes, or, of one reading in the profile `mac`, 112. The arguments are
modes; without any, all of them.
"""

import json
import sys

import vfs

from device.outbox import SPILL_AFTER_MS, TEND_MS, Outbox
from tests.device.powercut_sweep import Files, RamFlash, envelope, mount, unmount

_HOUR = 360  # envelopes, one every ten seconds
_EVERY_MS = 10_000
_DAY_MS = 86_400_000
# The outbox's own, and the small profile's (device/small.py): room for eight of its envelopes.
_USUAL = {"capacity_bytes": 65_536}
_SMALL = {"capacity_bytes": 16_384, "ring_bytes": 1024}
_ENVELOPE_BYTES, _ONE_READING_BYTES = 150, 112


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


def use(outbox, count, *, answered, every_ms=_EVERY_MS, first=0, size=_ENVELOPE_BYTES):
    """`count` envelopes, and receipts for all that wait where `answered`."""
    outbox.unreachable = not answered
    for number in range(first, first + count):
        now_ms = number * every_ms
        outbox.put(envelope(1, number)[:size], now_ms)
        for late_ms in range(0, every_ms, TEND_MS):
            outbox.tend(now_ms + late_ms)
            while answered and outbox.peek() is not None:
                outbox.advance()
    return count


def online(outbox):
    return use(outbox, 2 * _HOUR, answered=True)


def fast_outage(outbox):
    """An envelope a second, and nobody answers: their number decides when to spill."""
    return use(outbox, 2 * _HOUR, answered=False, every_ms=1000)


def outage(outbox):
    """One in ten seconds: the time that one may wait lets nine gather."""
    return use(outbox, 2 * _HOUR, answered=False)


def outage_and_after(outbox):
    """An hour of that, and then all is delivered."""
    count = use(outbox, _HOUR, answered=False)
    while outbox.peek() is not None:
        outbox.advance()
    return count


def default_outage(outbox):
    """One in ten seconds with one reading in each, as a device sends that is told nothing else."""
    return use(outbox, 2 * _HOUR, answered=False, size=_ONE_READING_BYTES)


def default_outage_and_after(outbox):
    """An hour of that, and then all is delivered."""
    count = use(outbox, _HOUR, answered=False, size=_ONE_READING_BYTES)
    while outbox.peek() is not None:
        outbox.advance()
    return count


def slow_outage(outbox):
    """One a minute: time decides, and two are spilled at once."""
    return use(outbox, _HOUR, answered=False, every_ms=60_000)


def worst_outage(outbox):
    """Each comes just after the one before was spilled: there are no more spills in a day."""
    return use(outbox, _HOUR, answered=False, every_ms=SPILL_AFTER_MS + TEND_MS)


def day(outbox):
    """Six hours with the network, one without, and one in which all is caught up."""
    use(outbox, 6 * _HOUR, answered=True)
    use(outbox, _HOUR, answered=False, first=6 * _HOUR)
    use(outbox, _HOUR, answered=True, first=7 * _HOUR)
    return 8 * _HOUR


def small_outage(outbox):
    """One in ten seconds, in the small profile."""
    return use(outbox, 2 * _HOUR, answered=False, size=_ONE_READING_BYTES)


# Each with what its outbox is made of, and how far apart its envelopes are.
SCENARIOS = (
    (online, _USUAL, _EVERY_MS),
    (fast_outage, _USUAL, 1000),
    (outage, _USUAL, _EVERY_MS),
    (outage_and_after, _USUAL, _EVERY_MS),
    (default_outage, _USUAL, _EVERY_MS),
    (default_outage_and_after, _USUAL, _EVERY_MS),
    (slow_outage, _USUAL, 60_000),
    (worst_outage, _USUAL, SPILL_AFTER_MS + TEND_MS),
    (day, _USUAL, _EVERY_MS),
    (small_outage, _SMALL, _EVERY_MS),
)


def measured(program_bytes, mode, scenario, made_of):
    flash = CountingFlash()
    vfs.VfsLfs2.mkfs(flash, progsize=program_bytes)
    mount(flash, program_bytes)
    flash.erases = flash.programmed = 0
    outbox = Outbox(Files(), "/flash/outbox", mode=mode, **made_of)
    count = scenario(outbox)
    found = {"erases": flash.erases / count, "bytes": flash.programmed // count}
    unmount()
    return found


def main(modes):
    for program_bytes in (32, 256):
        for mode in modes:
            for scenario, made_of, every_ms in SCENARIOS:
                found = measured(program_bytes, mode, scenario, made_of)
                found["erases_a_day"] = found["erases"] * _DAY_MS / every_ms
                found["scenario"], found["mode"] = scenario.__name__, mode
                found["program_bytes"] = program_bytes
                print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:] or ("always", "batch", "outage"))
