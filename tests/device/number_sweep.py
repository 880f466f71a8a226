"""Cuts the power at every flash operation while OSCORE numbers are reserved, inside MicroPython.

What was used before the cut must never be used after it, nor by the start after that. The
argument is the program size of the flash; run by test_asking_micropython.py.
"""

import json
import sys

from device import counter
from tests.device.powercut_sweep import ROOT, Files, RamFlash, mount, unmount

_SIZE, _COUNT = 5, 64  # as in device/oscore.py
_RESERVATIONS, _LIVES = 10, 5
_PATH = ROOT + "/oscore"


def live(used):
    """One start: takes numbers a few times, each of which is used as soon as it is there."""
    before = bool(used)
    for _ in range(_RESERVATIONS):
        last = counter.reserve(Files(), _PATH, _SIZE, _COUNT, used_before=before)
        used.append(last)
        before = True


def sweep_one(image, cut_at, program_bytes):
    """(repeated, wasted) reservations of lives that are cut at `cut_at`."""
    used = []
    flash = RamFlash(image, cut_at)
    mounted = False
    try:
        mount(flash, program_bytes)
        mounted = True
        for _ in range(_LIVES):
            live(used)
    except OSError:
        pass
    flash.dead = True
    if mounted:
        unmount()
    for _ in range(2):
        flash = RamFlash(flash.data)
        mount(flash, program_bytes)
        live(used)
        unmount()
    steps = [used[n + 1] - used[n] for n in range(len(used) - 1)]
    repeated = sum([step < _COUNT for step in steps])
    return repeated, (used[-1] - used[0]) // _COUNT + 1 - len(used)


def main(program_bytes):
    flash = RamFlash()
    mount_new(flash, program_bytes)
    image = bytes(flash.data)
    whole = RamFlash(image)
    mount(whole, program_bytes)
    used = []
    for _ in range(_LIVES):
        live(used)
    unmount()
    repeated = wasted = 0
    for cut_at in range(1, whole.operations + 1):
        found = sweep_one(image, cut_at, program_bytes)
        repeated, wasted = repeated + found[0], max(wasted, found[1])
    print(json.dumps({"cuts": whole.operations, "repeated": repeated, "most_wasted": wasted}))


def mount_new(flash, program_bytes):
    import vfs

    vfs.VfsLfs2.mkfs(flash, progsize=program_bytes)


if __name__ == "__main__":
    main(int(sys.argv[1]))
