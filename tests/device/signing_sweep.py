"""Cuts the power at every flash operation of a board that signs, inside MicroPython.

First while its key is made, then while it lives: draws an epoch, makes coupons, signs, and fills
its outbox. Its dice always fall the same way, so only the epoch keeps its nonces apart. Run by
test_power_cut_signing.py; the arguments are the program size and the folder of p256.tab.
"""

import json
import os
import sys

import vfs

from device import counter, enrol, keys, signing
from device.config import Config
from device.outbox import Outbox
from tests.device.powercut_sweep import ROOT, Files, RamFlash, mount, unmount

KEY = bytes(range(1, 33))
ENTROPY = bytes(range(100, 132))
PACKS = 6
LIVES = 2


class Board(Files):
    """Dice that always fall the same way."""

    def random_bytes(self, size):
        return b"\x05" * size


class Told:
    """What the board has said outside: the truth that later starts must agree with."""

    def __init__(self):
        self.public_keys = []
        self.signed = []  # r of each signature, whether it got anywhere or not


def make_key(told):
    folder = ROOT
    table = signing.open_table(sys.path[0])
    try:
        told.public_keys.append(enrol.made(folder, table, Board()))
    finally:
        table.close()


def live(told):
    """One start: an epoch, a few coupons, and more packs than those."""
    board = Board()
    outbox = Outbox(board, ROOT + "/outbox", 16_384, mode="always")
    epoch = counter.next_epoch(board, ROOT, used_before=not outbox.was_made)
    settings = Config("greenhouse-3", bytes(32), [])
    settings.key = KEY
    own = signing.make(board, settings, ROOT, epoch)
    while own.ready < PACKS // 2:
        own.step(True)
    for sequence in range(PACKS):
        sealed = own.seal(sequence, b"a pack")
        told.signed.append((epoch, sequence, sealed[-64:-32]))
        outbox.put(sealed, 0)
        if outbox.flash_errors:
            raise OSError("the power is gone")
    own.close()
    outbox.close()


def image_of(program_bytes, entropy):
    flash = RamFlash()
    vfs.VfsLfs2.mkfs(flash, progsize=program_bytes)
    mount(flash, program_bytes)
    if entropy:
        with open(ROOT + "/entropy", "wb") as file:
            file.write(ENTROPY)
    unmount()
    return bytes(flash.data)


def cut(image, cut_at, program_bytes, act):
    """Acts until the cut; the flash as it was left, and how many operations there were."""
    flash = RamFlash(image, cut_at)
    mounted = False
    try:
        mount(flash, program_bytes)
        mounted = True
        act()
    except OSError:
        pass
    flash.dead = True
    if mounted:
        unmount()
    return flash


def sweep_keys(program_bytes):
    """(cuts, keys that are neither whole nor none, keys that changed after they were told)."""
    image = image_of(program_bytes, True)
    operations = cut(image, -1, program_bytes, lambda: make_key(Told())).operations
    broken = changed = 0
    for cut_at in range(1, operations + 1):
        told = Told()
        flash = cut(image, cut_at, program_bytes, lambda told=told: make_key(told))
        mount(RamFlash(flash.data), program_bytes)
        pair = keys.load(ROOT)
        if pair is None and "entropy" not in os.listdir(ROOT):
            broken += 1
        make_key(told)
        again = keys.load(ROOT)
        if again is None or again[1] != told.public_keys[-1] or (pair and pair != again):
            broken += 1
        changed += len(set(told.public_keys)) != 1
        unmount()
    return operations, broken, changed


def sweep_nonces(program_bytes):
    """(cuts, nonces that signed two different packs)."""
    image = image_of(program_bytes, False)

    def lives(told):
        for _ in range(LIVES):
            live(told)

    operations = cut(image, -1, program_bytes, lambda: lives(Told())).operations
    reused = 0
    for cut_at in range(1, operations + 1):
        told = Told()
        flash = cut(image, cut_at, program_bytes, lambda told=told: lives(told))
        mount(RamFlash(flash.data), program_bytes)
        live(told)
        unmount()
        reused += len(told.signed) - len({r for _, _, r in told.signed})
    return operations, reused


def main(program_bytes):
    cuts, broken, changed = sweep_keys(program_bytes)
    print(json.dumps({"key_cuts": cuts, "broken_keys": broken, "changed_keys": changed}))
    cuts, reused = sweep_nonces(program_bytes)
    print(json.dumps({"cuts": cuts, "reused_nonces": reused}))


if __name__ == "__main__":
    os.stat("/")
    sys.path.insert(0, sys.argv[2])
    main(int(sys.argv[1]))
