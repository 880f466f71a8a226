"""What comes before a slot is entered: limits for one on trial, a look at the files of another.

On a board it is /slot_start.mpy, which the boot selector loads for that, and forgets. No update
ever changes it, and it needs nothing of a slot: any of that may have rotted. It checks no
signature: that was done before a release was tried, and who can write to flash has the board.
"""

import binascii
import hashlib
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from device.slots import Slots

_MANIFEST = "manifest"
_PIECE_BYTES = 512
_DIGITS = 64  # of a SHA-256, in a line as sha256sum has it
# wire-format §16.1: what is before the head of the payload, and before the signature
_BEFORE_PAYLOAD, _BEFORE_SIGNATURE = 6, b"\x58\x40"
_SIGNED, _SIGNATURE_BYTES = b"\x84", 64
_MAX_WHY = 64  # as what an update came to
_WATCHDOG_MS = 8000  # as the agent's own, which goes on feeding it; rp2 counts no longer
_TRIAL_MS = 1_200_000  # of one start; the agent itself begins the next one after 15 minutes
_PAUSE_MS = 60_000


def prepare(slots: "Slots") -> None:
    """Chooses what is started now. What it raises, a trial is not entered for."""
    slots.choose()
    if slots.trial:
        _watch(slots)
    elif not _has_slept():
        _check(slots)


def pause(error: Exception) -> None:
    """A board that stands still helps nobody; whoever started a program knows."""
    try:
        from machine import reset  # noqa: F401  # only whether this is one
    except ImportError:
        raise error
    print("failed:", repr(error))
    time.sleep_ms(_PAUSE_MS)  # a fault of each start is not to wear out the flash


def _watch(slots: "Slots") -> None:
    """A trial that hangs is reset, also before it can have a watchdog of its own.

    So is one that feeds the watchdog and is not confirmed, whatever it does.
    """
    try:
        from machine import WDT, Timer
    except ImportError:  # a machine that is no board
        return
    number = 0 if sys.platform == "esp32" else -1  # rp2 has no other, and each esp32 that one
    slots.timer = Timer(number, period=_TRIAL_MS, callback=slots.end_start)
    WDT(timeout=_WATCHDOG_MS)


def _check(slots: "Slots") -> None:
    """Has the other slot run where a file of the active one has rotted, and none of that one's.

    Twice bad is bad: flash reads wrong once where the supply is weak. What was found is told,
    once.
    """
    bad = first_bad(slots.root + slots.active) and first_bad(slots.root + slots.active)
    if not bad:
        return
    if not first_bad(slots.root + slots.other):
        slots.active, why = slots.other, "fell back: "
    elif bad != slots.bad:
        why = "rotten: "
    else:
        return
    slots.bad, slots.outcome = bad, (why + bad)[:_MAX_WHY]
    slots.save()


def _has_slept() -> bool:
    """Whether this is the end of a deep sleep, of which a battery has many: as little as may be.

    Those of rp2 are resets like all others.
    """
    try:
        from machine import DEEPSLEEP_RESET, reset_cause
    except ImportError:
        return False
    return bool(reset_cause() == DEEPSLEEP_RESET)


def first_bad(folder: str) -> str:
    """The first file in `folder` that is not what its manifest says; "" where all are.

    "manifest" where that one cannot be read to its end.
    """
    at, count = _MANIFEST, 0
    try:
        with open(folder + "/" + _MANIFEST, "rb") as listed:
            for path, digest in _files(listed):
                at = path
                if _digest(folder + "/" + path) != digest:
                    return path
                at, count = _MANIFEST, count + 1
    except (OSError, ValueError, IndexError, MemoryError):  # a length may be anything
        return at
    return "" if count else _MANIFEST


def _files(listed: "BinaryIO") -> "Iterator[tuple[str, bytes]]":
    """Path and digest of each file; ValueError or IndexError where it is not a manifest."""
    if listed.read(1) != _SIGNED:  # the one that `tallystick flash` makes
        listed.seek(0)
        for line in listed:
            yield str(line[_DIGITS + 2 : -1], "utf-8"), binascii.unhexlify(line[:_DIGITS])
        return
    listed.seek(_BEFORE_PAYLOAD)
    for _ in range(3):  # the payload's length, the map, the label of the version
        _head(listed)
    listed.read(_head(listed))
    for _ in range(7):  # three labels with their numbers, and the label of the files
        _head(listed)
    for _ in range(_head(listed)):
        _head(listed)
        path = str(listed.read(_head(listed)), "utf-8")
        for _ in range(2):  # its size, and how long its digest is
            _head(listed)
        yield path, listed.read(32)
    rest = listed.read()
    if rest[:2] != _BEFORE_SIGNATURE or len(rest) != 2 + _SIGNATURE_BYTES:
        raise ValueError


def _head(listed: "BinaryIO") -> int:
    """The number in one head of CBOR."""
    number: int = listed.read(1)[0] & 31
    if number >= 24:
        number = int.from_bytes(listed.read(1 << (number & 3)), "big")
    return number


def _digest(path: str) -> bytes:
    hashed = hashlib.sha256()
    with open(path, "rb") as held:
        piece = held.read(_PIECE_BYTES)
        while piece:
            hashed.update(piece)
            piece = held.read(_PIECE_BYTES)
    digest: bytes = hashed.digest()
    return digest
