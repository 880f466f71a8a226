"""Cuts the power at every flash operation of a device's life, inside MicroPython.

A RAM flash under a real LittleFS: a cut tears the program or the erase it falls into, and the
flash is dead from then on. Run by test_power_cut.py; the arguments are the program size, the
mode of the outbox, and how many cuts to step over each time.
"""

import json
import os
import sys

import vfs

from device import counter
from device.outbox import Outbox

_BLOCKS, _BLOCK_BYTES = 64, 4096
ROOT = "/flash"
_EIO = 5
_ENVELOPES_A_LIFE = 14
_LIVES = 2
_EVERY_MS = 5000
HARMS = ("lost", "corrupt", "repeated_epochs", "disordered", "ended_wrong", "duplicates")


class RamFlash:
    """What LittleFS asks of a block device; dies at operation `cut_at`, with a torn write."""

    def __init__(self, image=None, cut_at=-1):
        erased = b"\xff" * (_BLOCKS * _BLOCK_BYTES)
        self.data = bytearray(erased if image is None else image)
        self.operations = 0
        self.cut_at = cut_at
        self.dead = False

    def readblocks(self, block, buffer, offset=0):
        if self.dead:
            raise OSError(_EIO)
        start = block * _BLOCK_BYTES + offset
        buffer[:] = memoryview(self.data)[start : start + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        start = block * _BLOCK_BYTES + offset
        if self._is_cut():
            torn = self.cut_at * 37 % (len(buffer) + 1)
            self.data[start : start + torn] = memoryview(buffer)[:torn]
            raise OSError(_EIO)
        self.data[start : start + len(buffer)] = buffer

    def ioctl(self, operation, block):
        if operation == 4:
            return _BLOCKS
        if operation == 5:
            return _BLOCK_BYTES
        if operation == 6:
            self._erase(block * _BLOCK_BYTES)
        return 0

    def _erase(self, start):
        if self._is_cut():
            for offset in range(0, self.cut_at * 131 % _BLOCK_BYTES, 7):
                self.data[start + offset] = 0xF0
            raise OSError(_EIO)
        self.data[start : start + _BLOCK_BYTES] = b"\xff" * _BLOCK_BYTES

    def _is_cut(self):
        if self.dead:
            raise OSError(_EIO)
        self.operations += 1
        self.dead = self.operations == self.cut_at
        return self.dead


class Files:
    def sync(self, file):
        file.flush()

    def random_bits(self, bits):
        return 5


class Witness:
    """What the world outside has seen of one device: the truth that flash must agree with."""

    def __init__(self):
        self.epochs = []
        self.flushed = []
        self.delivered = []
        self.last_flushed = b""  # number of the last envelope that a flush covered
        self.ended_wrong = 0


def envelope(epoch, sequence):
    """With its number where those of the profile mac have it."""
    number = epoch.to_bytes(4, "big") + sequence.to_bytes(4, "big")
    return b"\x84\x58\x19" + bytes(17) + number + bytes(150 + sequence % 90)


def live(witness, files, mode):
    """One start of a device: takes an epoch, fills its outbox, delivers some of it."""
    outbox = Outbox(files, ROOT + "/outbox", 16_384, mode=mode)
    outbox.unreachable = True  # so that an outage's mode uses the flash, too
    if outbox.ended[:8] < witness.last_flushed:
        witness.ended_wrong += 1
    # used before this start drew its number, so a cut may waste one but never repeat it
    epoch = counter.next_epoch(files, ROOT, used_before=not outbox.was_made)
    witness.epochs.append(epoch)
    for sequence in range(_ENVELOPES_A_LIFE):
        sealed = envelope(epoch, sequence)
        outbox.put(sealed, sequence * _EVERY_MS)
        outbox.tend(sequence * _EVERY_MS)
        if outbox.flash_errors:
            raise OSError("the power is gone")
        in_ram = len(outbox._ring)
        if not in_ram:
            witness.last_flushed = number(sealed)
        witness.flushed.extend(sealed_so_far(witness, epoch, sequence + 1 - in_ram))
        if sequence % 3 == 2:
            deliver(witness, outbox, 2)
    outbox.close()
    if not outbox.flash_errors:
        witness.last_flushed = number(sealed)
        witness.flushed.extend(sealed_so_far(witness, epoch, _ENVELOPES_A_LIFE))


def sealed_so_far(witness, epoch, count):
    """The first `count` of an epoch, but for those the witness has."""
    known = [one for one in witness.flushed if number(one)[:4] == epoch.to_bytes(4, "big")]
    return [envelope(epoch, sequence) for sequence in range(len(known), count)]


def deliver(witness, outbox, most):
    for _ in range(most):
        sealed = outbox.peek()
        if sealed is None:
            return
        witness.delivered.append(sealed)
        outbox.advance()


def mount(flash, program_bytes):
    vfs.mount(vfs.VfsLfs2(flash, progsize=program_bytes), ROOT)


def unmount():
    try:
        vfs.umount(ROOT)
    except OSError:
        pass


def sweep_one(image, cut_at, program_bytes, mode):
    """The harms, in the order of HARMS, of a life cut at `cut_at`."""
    witness, files = Witness(), Files()
    flash = RamFlash(image, cut_at)
    mounted = False
    try:
        mount(flash, program_bytes)
        mounted = True
        for _ in range(_LIVES):
            live(witness, files, mode)
    except OSError:
        pass
    flash.dead = True
    if mounted:
        unmount()
    # The dead flash stays dead: finalisers of its open files must not write to the next one.
    revived = RamFlash(flash.data)
    mount(revived, program_bytes)
    live(witness, files, mode)
    deliver(witness, Outbox(files, ROOT + "/outbox", 16_384, mode=mode), 10_000)
    unmount()
    return judge(witness)


def judge(witness):
    delivered = witness.delivered
    lost = [one for one in witness.flushed if one not in delivered]
    corrupt = [one for one in delivered if one != envelope(*number_of(one))]
    first_seen = []
    for one in delivered:
        if one not in first_seen:
            first_seen.append(one)
    numbers = [number(one) for one in first_seen]
    repeated = len(witness.epochs) - len(set(witness.epochs))
    disorder = numbers != sorted(numbers)
    duplicates = len(delivered) - len(first_seen)
    return len(lost), len(corrupt), repeated, int(disorder), witness.ended_wrong, duplicates


def number(sealed):
    return sealed[20:28]


def number_of(sealed):
    return int.from_bytes(sealed[20:24], "big"), int.from_bytes(sealed[24:28], "big")


def main(program_bytes, mode, step):
    flash = RamFlash()
    vfs.VfsLfs2.mkfs(flash, progsize=program_bytes)
    image = bytes(flash.data)
    whole = RamFlash(image)
    mount(whole, program_bytes)
    witness = Witness()
    for _ in range(_LIVES):
        live(witness, Files(), mode)
    unmount()
    totals = [0] * len(HARMS)
    cuts = range(1, whole.operations + 1, step)
    for cut_at in cuts:
        for index, count in enumerate(sweep_one(image, cut_at, program_bytes, mode)):
            totals[index] += count
    counts = {name: totals[index] for index, name in enumerate(HARMS)}
    counts["cuts"] = len(cuts)
    print(json.dumps(counts))


if __name__ == "__main__":
    os.stat("/")
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
