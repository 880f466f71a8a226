"""The boot counter: each start's epoch, durable before its first use, never the same twice.

Two slots take turns, so a torn write leaves the number before it, and wastes one. They are
written in place: a rename is not durable on every file system, a synced file is.
"""

import os

from device import store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Files

FIRST_EPOCH = 1
MAX_EPOCH = (1 << 32) - 1
_SLOTS = ("epoch.0", "epoch.1")
_EPOCH_BYTES = 4
# Counting from 1 never gets here, so a number drawn from here on is one nobody has used.
_LOST_BASE = 1 << 31


class WornOutError(Exception):
    """No epoch is left: the device needs a new name."""


def next_epoch(files: "Files", folder: str, *, used_before: bool) -> int:
    """The epoch of this start, already durable.

    `used_before` says that other state exists: with both slots lost the count is unknown
    then, and goes on from a random number in the upper half instead of from the first.
    """
    paths = [folder + "/" + slot for slot in _SLOTS]
    epochs = [_load(path) for path in paths]
    last = max(epochs)
    newest = epochs.index(last)
    if last >= 0:
        epoch = last + 1
        if epochs[1 - newest] < 0 and not (last == FIRST_EPOCH and _is_missing(paths[1])):
            epoch += 1  # the unreadable slot may have held the next one, and that was used
    elif used_before:
        epoch = _LOST_BASE + files.random_bits(30)
    else:
        epoch = FIRST_EPOCH
    if epoch > MAX_EPOCH:
        raise WornOutError("all epochs are used: enrol this device under a new name")
    oldest = 1 - newest if last >= 0 else 0
    store.write(files, paths[oldest], epoch.to_bytes(_EPOCH_BYTES, "big"))
    return epoch


def _load(path: str) -> int:
    data = store.load(path)
    return int.from_bytes(data, "big") if data is not None and len(data) == _EPOCH_BYTES else -1


def _is_missing(path: str) -> bool:
    try:
        os.stat(path)
    except OSError:
        return True
    return False
