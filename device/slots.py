"""The boot selector: which of the slots /a and /b a board runs. No update ever changes it.

On a board it is /slots.mpy, and /main.py is `import slots; slots.run()`. All it knows is in one
small file in the state folder, replaced in one step, so that a power cut leaves the old state or
the new. Whoever is started finds it as `sys.modules["slots"].running`.
"""

import binascii
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

FILE = "slot"
MAX_STARTS = 2  # of a slot on trial; then the old one is taken again
MAX_ATTEMPTS = 8  # to get a release, in a row, without a file of it
_MAX_WHY = 64
_WATCHDOG_MS = 8000  # as the agent's own, which goes on feeding it; rp2 counts no longer
_CRC_BYTES = 4
running: "Slots | None" = None


class Slots:
    """What is on which slot, and what becomes of an update.

    `active` has shown that it works; `trial` has still to show it, "" where none has. `starts`
    counts the starts of the trial, `attempts` those of getting `wanted`. `outcome` is to be
    told. `floor` is the counter of the newest release that ever worked here, `counter` that of
    the one on trial: no release below the floor is taken.
    """

    def __init__(self, root: str, folder: str) -> None:
        self.root = root
        self._path = folder + "/" + FILE
        self.active, self.trial, self.wanted, self.outcome = "", "", "", ""
        self.starts, self.attempts, self.floor, self.counter = 0, 0, 0, 0
        self._load()
        if not self.active:  # a new board, or a file that was lost: what is whole is taken
            self.active = "a" if self.is_whole("a") or not self.is_whole("b") else "b"

    @property
    def is_pending(self) -> bool:
        """Whether there is something to do for an update, besides another start."""
        return bool(self.trial or self.wanted or self.outcome)

    @property
    def other(self) -> str:
        """The slot that an update may write to."""
        return "b" if self.active == "a" else "a"

    def is_whole(self, slot: str) -> bool:
        """The manifest goes first and comes last."""
        try:
            os.stat(self.root + slot + "/manifest")
        except OSError:
            return False
        return True

    def choose(self) -> str:
        """The slot to start now. A trial is counted, durably, before it is entered."""
        if not self.trial:
            return self.active
        if self.starts >= MAX_STARTS:
            self.roll_back("no receipt in " + str(MAX_STARTS) + " starts")
            return self.active
        self.starts += 1
        self.save()
        return self.trial

    def begins(self) -> bool:
        """Whether this start is to get what is wanted. Counted, durably, before it does."""
        if not self.wanted or self.trial:
            return False
        if self.attempts >= MAX_ATTEMPTS:
            self.give_up("gave up after " + str(MAX_ATTEMPTS) + " attempts")
            return False
        self.attempts += 1
        self.save()
        return True

    def confirm(self) -> None:
        """The slot on trial works: from now on it is the active one."""
        self.active, self.floor = self.trial, self.counter
        self._end(" ok")

    def roll_back(self, why: str) -> None:
        """The slot on trial does not work: the active one stays."""
        self._end(" rolled back: " + why)

    def try_out(self, counter: int) -> None:
        """The other slot holds the wanted release: it is started next."""
        self.trial, self.counter, self.starts = self.other, counter, 0
        self.save()

    def want(self, version: str) -> None:
        self.wanted, self.attempts = version, 0
        self.save()

    def give_up(self, why: str) -> None:
        """The wanted release is not going to be installed."""
        self._end(" refused: " + why)

    def told(self) -> None:
        self.outcome = ""
        self.save()

    def save(self) -> None:
        """Durable on return, whole or not at all."""
        numbers = (self.starts, self.attempts, self.floor, self.counter)
        texts = [self.active, self.trial, self.wanted, self.outcome]
        data = "\n".join(texts + [str(number) for number in numbers]).encode()
        with open(self._path + ".tmp", "wb") as file:
            file.write(data + _crc(data))
            _sync(file)
        os.rename(self._path + ".tmp", self._path)

    def _end(self, outcome: str) -> None:
        # as bytes: the letters of a text, looked at one by one, stay on a board for ever
        text = (self.wanted + outcome).encode("utf-8", "replace")
        plain = bytes([c if 32 <= c <= 126 else 32 for c in text if c >> 6 != 2])
        self.outcome = str(plain[:_MAX_WHY], "utf-8")
        self.trial, self.wanted = "", ""
        self.starts, self.attempts, self.counter = 0, 0, 0
        self.save()

    def _load(self) -> None:
        for path in (self._path, self._path + ".tmp"):
            try:
                with open(path, "rb") as file:
                    content: bytes = file.read()
            except OSError:
                continue
            data = content[:-_CRC_BYTES]
            if len(content) >= _CRC_BYTES and _crc(data) == content[-_CRC_BYTES:]:
                fields = str(data, "utf-8").split("\n")
                self.active, self.trial, self.wanted, self.outcome = fields[:4]
                numbers = [int(field) for field in fields[4:]]
                self.starts, self.attempts, self.floor, self.counter = numbers
                return


def run(root: str = "/", folder: str = "/data") -> None:
    """Starts the right slot: what it has to update with, where that is wanted; then its agent.

    What a trial raises ends the trial.
    """
    global running  # noqa: PLW0603  # one board, one selector
    running = Slots(root, folder)
    sys.path.insert(0, root + running.choose())
    if running.trial:
        _watch()
    if running.begins():
        _update(folder, running)
    try:
        from device import main

        main.is_trial = running.trial != ""
        main.main(folder)
    except Exception as error:
        if not running.trial:
            raise
        running.roll_back(repr(error))
        _restart()


def _update(folder: str, slots: Slots) -> None:
    """With what the running slot has for that; whatever it raises, the board starts again."""
    try:
        from device import update

        update.main(folder, slots)
    except MemoryError:
        slots.give_up("not enough memory")
        _restart()
    except Exception:  # counted, so there is an end to it
        _restart()


def _restart() -> None:
    try:
        from machine import reset
    except ImportError:  # a machine that is no board
        sys.exit(1)
    reset()


def _watch() -> None:
    """A trial that hangs is reset, also before it can have a watchdog of its own."""
    try:
        from machine import WDT
    except ImportError:  # a machine that is no board
        return
    WDT(timeout=_WATCHDOG_MS)


def _sync(file: "BinaryIO") -> None:
    file.flush()
    if hasattr(os, "sync"):  # FAT keeps its tables in RAM until told
        os.sync()


def _crc(data: bytes) -> bytes:
    # & keeps the number unsigned on every firmware
    crc: int = binascii.crc32(data) & 0xFFFFFFFF
    return crc.to_bytes(_CRC_BYTES, "big")
