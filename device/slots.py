"""The boot selector: which of the slots /a and /b a board runs. No update ever changes it.

On a board it is /slots.mpy, and /main.py is `import slots; slots.run()`. All it knows is in one
small file in the state folder, and in a copy of that, written one after the other: a power cut
leaves the old state or the new, and one that rots is made anew from the other. Whoever is
started finds it as `sys.modules["slots"].running`.
"""

import binascii
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import BinaryIO

FILE = "slot"
_COPY = "slot.2"
_MAX_STARTS = 2  # of a slot on trial; then the old one is taken again
_MAX_WAKES = 100  # of one that says that it only slept: half an hour, with 20 s for each
_MAX_ATTEMPTS = 8  # to get a release, in a row, without a file of it
_MAX_WHY = 64
_CRC_BYTES = 4
running: "Slots | None" = None


class Slots:
    """What is on which slot, and what becomes of an update.

    `active` has shown that it works; `trial` has still to show it, "" where none has. `starts`
    counts the starts of the trial that failed so far, `wakes` all of them, `attempts` the starts
    to get `wanted`. `outcome` is to be told. `floor` is the counter of the newest release that
    ever worked here, `counter` that of the one on trial: no update below the floor is taken.
    `bad` is the file that was found rotten last.
    """

    def __init__(self, root: str, folder: str) -> None:
        self.root = root
        self._paths = (folder + "/" + FILE, folder + "/" + _COPY)
        self.active, self.trial, self.wanted, self.outcome, self.bad = "", "", "", "", ""
        self.starts, self.attempts, self.floor, self.counter, self.wakes = 0, 0, 0, 0, 0
        self.timer: object = None  # of a trial: what nobody holds is collected, and never comes
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
        if self.trial and (self.starts >= _MAX_STARTS or self.wakes >= _MAX_WAKES):
            self.roll_back("no receipt in " + str(self.wakes) + " starts")
        elif self.trial:
            self.starts += 1
            self.wakes += 1
            try:
                self.save()
            except OSError:  # what cannot be counted is not entered
                self.trial = ""
        return self.trial or self.active

    def end_start(self, _: object) -> None:
        """By a timer: a trial that was not confirmed has had the time of one start."""
        if self.trial:
            _restart()

    def begins(self) -> bool:
        """Whether this start is to get what is wanted. Counted, durably, before it does."""
        if not self.wanted or self.trial:
            return False
        if self.attempts >= _MAX_ATTEMPTS:
            self.give_up("gave up after " + str(_MAX_ATTEMPTS) + " attempts")
            return False
        self.attempts += 1
        try:
            self.save()
        except OSError:  # what cannot be counted is not begun
            return False
        return True

    def confirm(self) -> None:
        """The slot on trial works: from now on it is the active one."""
        self.active, self.floor, self.bad = self.trial, self.counter, ""
        self._end(" ok")

    def roll_back(self, why: str) -> None:
        """The slot on trial does not work: the active one stays, and never falls back to it."""
        try:
            os.remove(self.root + self.other + "/manifest")
        except OSError:
            pass  # there is none
        self._end(" rolled back: " + why)

    def try_out(self, counter: int) -> None:
        """The other slot holds the wanted release: it is started next."""
        self.trial, self.counter = self.other, counter
        self.starts, self.wakes = 0, 0
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
        """Durable on return. Cut off, it is as if nothing, or all, had been written."""
        numbers = (self.starts, self.attempts, self.floor, self.counter, self.wakes)
        texts = [self.active, self.trial, self.wanted, self.outcome]
        data = "\n".join(texts + [str(number) for number in numbers] + [self.bad]).encode()
        for path in self._paths:
            with open(path, "wb") as file:
                file.write(data + _crc(data))
                _sync(file)

    def _end(self, outcome: str) -> None:
        # as bytes: the letters of a text, looked at one by one, stay on a board for ever
        text = (self.wanted + outcome).encode("utf-8", "replace")
        plain = bytes([c if 32 <= c <= 126 else 32 for c in text if c >> 6 != 2])
        self.outcome = str(plain[:_MAX_WHY], "utf-8")
        self.trial, self.wanted = "", ""
        self.starts, self.attempts, self.counter, self.wakes = 0, 0, 0, 0
        self._try_to_save()

    def _try_to_save(self) -> None:
        """Where the flash takes nothing, it is so for this start."""
        try:
            self.save()
        except OSError:
            pass

    def _load(self) -> None:
        held = [_read(path) for path in self._paths]
        data = held[0] or held[1]
        if not data:
            return
        fields = str(data, "utf-8").split("\n")
        fields += ["0", ""][len(fields) - 8 :]  # earlier selectors knew eight
        self.active, self.trial, self.wanted, self.outcome = fields[:4]
        numbers = [int(field) for field in fields[4:9]]
        self.starts, self.attempts, self.floor, self.counter, self.wakes = numbers
        self.bad = fields[9]
        if held[0] != held[1]:
            self._try_to_save()


def run(root: str = "/", folder: str = "/data") -> None:
    """Starts the right slot: what it has to update with, where that is wanted; then its agent.

    What a trial raises ends the trial.
    """
    global running  # noqa: PLW0603  # one board, one selector
    running = Slots(root, folder)
    try:
        _beside().prepare(running)
    except Exception as error:  # whatever it is: what is not watched is not tried
        if running.trial:
            running.roll_back(repr(error))
    sys.path.insert(0, root + (running.trial or running.active))
    if running.begins():
        _update(folder, running)
    try:
        from device import main

        main.is_trial = running.trial != ""
        main.main(folder)
    except Exception as error:
        if running.trial:
            running.roll_back(repr(error))
        else:
            _beside().pause(error)
        _restart()


def _beside() -> "ModuleType":
    """The file beside this one, for one use: no board has it in RAM longer."""
    name = __name__.replace("slots", "slot_start")
    __import__(name)
    return sys.modules.pop(name)


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


def _sync(file: "BinaryIO") -> None:
    file.flush()
    if hasattr(os, "sync"):  # FAT keeps its tables in RAM until told
        os.sync()


def _read(path: str) -> bytes:
    """Nothing where there is no such file, or it is not as it was written."""
    try:
        with open(path, "rb") as file:
            content: bytes = file.read()
    except OSError:
        return b""
    data = content[:-_CRC_BYTES]
    return data if content[-_CRC_BYTES:] == _crc(data) else b""


def _crc(data: bytes) -> bytes:
    # & keeps the number unsigned on every firmware
    crc: int = binascii.crc32(data) & 0xFFFFFFFF
    return crc.to_bytes(_CRC_BYTES, "big")
