"""Cuts the power at every flash operation of a device's life, inside MicroPython.

A RAM flash under a real LittleFS: a cut tears the program or the erase it falls into, and the
flash is dead from then on. Run by test_power_cut.py; the argument is the program size.
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
        self.put = []
        self.delivered = []


def envelope(epoch, sequence):
    return epoch.to_bytes(4, "big") + sequence.to_bytes(4, "big") + bytes(150 + sequence % 90)


def live(witness, files):
    """One start of a device: takes an epoch, fills its outbox, delivers some of it."""
    outbox = Outbox(files, ROOT + "/outbox", 16_384)
    # used before this start drew its number, so a cut may waste one but never repeat it
    epoch = counter.next_epoch(files, ROOT, used_before=not outbox.was_made)
    witness.epochs.append(epoch)
    for sequence in range(_ENVELOPES_A_LIFE):
        sealed = envelope(epoch, sequence)
        outbox.put(sealed)
        witness.put.append(sealed)
        if sequence % 3 == 2:
            deliver(witness, outbox, 2)
    outbox.close()


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


def sweep_one(image, cut_at, program_bytes):
    """(lost, corrupt, repeated epochs, out of order, duplicates) of a life cut at `cut_at`."""
    witness, files = Witness(), Files()
    flash = RamFlash(image, cut_at)
    mounted = False
    try:
        mount(flash, program_bytes)
        mounted = True
        for _ in range(_LIVES):
            live(witness, files)
    except OSError:
        pass
    flash.dead = True
    if mounted:
        unmount()
    # The dead flash stays dead: finalisers of its open files must not write to the next one.
    revived = RamFlash(flash.data)
    mount(revived, program_bytes)
    live(witness, files)
    deliver(witness, Outbox(files, ROOT + "/outbox", 16_384), 10_000)
    unmount()
    return judge(witness)


def judge(witness):
    delivered = witness.delivered
    lost = [one for one in witness.put if one not in delivered]
    corrupt = [one for one in delivered if one != envelope(number(one) >> 32, one[7])]
    first_seen = []
    for one in delivered:
        if one not in first_seen:
            first_seen.append(one)
    numbers = [number(one) for one in first_seen]
    repeated = len(witness.epochs) - len(set(witness.epochs))
    disorder = numbers != sorted(numbers)
    return len(lost), len(corrupt), repeated, int(disorder), len(delivered) - len(first_seen)


def number(sealed):
    return int.from_bytes(sealed[:8], "big")


def main(program_bytes):
    flash = RamFlash()
    vfs.VfsLfs2.mkfs(flash, progsize=program_bytes)
    image = bytes(flash.data)
    whole = RamFlash(image)
    mount(whole, program_bytes)
    witness = Witness()
    for _ in range(_LIVES):
        live(witness, Files())
    unmount()
    names = ("lost", "corrupt", "repeated_epochs", "disordered", "duplicates")
    totals = [0] * len(names)
    for cut_at in range(1, whole.operations + 1):
        for index, count in enumerate(sweep_one(image, cut_at, program_bytes)):
            totals[index] += count
    counts = {name: totals[index] for index, name in enumerate(names)}
    counts["cuts"] = whole.operations
    print(json.dumps(counts))


if __name__ == "__main__":
    os.stat("/")
    main(int(sys.argv[1]))
