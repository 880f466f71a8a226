"""Numbers that no start uses again, durable before their first use: epochs, and OSCORE's.

Two slots take turns, so a torn write leaves the number before it, and wastes one. They are
written in place: a rename is not durable on every file system, a synced file is.
"""

import os

from device import store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Files

FIRST_EPOCH = 1
_EPOCH_BYTES = 4


class WornOutError(Exception):
    """No number is left: the device needs a new name."""


def next_epoch(files: "Files", folder: str, *, used_before: bool) -> int:
    """The epoch of this start, already durable; `used_before` says that other state exists."""
    return reserve(files, folder + "/epoch", _EPOCH_BYTES, 1, used_before=used_before)


def reserve(files: "Files", path: str, size: int, count: int, *, used_before: bool) -> int:
    """The last of the next `count` numbers of `size` bytes, which are ours alone, durably.

    The first ever is 1. With both slots lost though `used_before`, nobody knows how many were
    used: it goes on in the upper half, where counting does not get, from a random number.
    """
    paths = [path + ".0", path + ".1"]
    found = [_load(slot, size) for slot in paths]
    last = max(found)
    newest = found.index(last)
    if last >= 0:
        free = last + count
        if found[1 - newest] < 0 and not (last == count and _is_missing(paths[1])):
            free += count  # the unreadable slot may have held the next ones, and those were used
    elif used_before:
        free = (1 << 8 * size - 1) + (files.random_bits(30) << 8 * size - 32)
    else:
        free = count
    if free >> 8 * size:
        raise WornOutError("all numbers are used: enrol this device under a new name")
    oldest = 1 - newest if last >= 0 else 0
    store.write(files, paths[oldest], free.to_bytes(size, "big"))
    return free


def is_kept(folder: str, epoch: int) -> bool:
    """Whether the flash gives `epoch` back as the newest: another start will have another."""
    return max([_load(folder + slot, _EPOCH_BYTES) for slot in ("/epoch.0", "/epoch.1")]) == epoch


def _load(path: str, size: int) -> int:
    data = store.load(path)
    return int.from_bytes(data, "big") if data is not None and len(data) == size else -1


def _is_missing(path: str) -> bool:
    try:
        os.stat(path)
    except OSError:
        return True
    return False
