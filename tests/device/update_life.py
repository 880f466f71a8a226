"""One life of a board that is updated, inside MicroPython, on a real LittleFS in a file.

From the wish for an update to the told outcome: the boot selector, the installer, the outbox and
the counters of the device; or from a file that has rotted to the same release, whole, again. What
the gateway would send lies in a folder. The power may go at one operation of the flash, which
ends this process. Run by test_update_power_cut.py.
"""

import hashlib
import os
import sys

import vfs

from device import counter, slot_start, slots, update
from device.board.unix import Board
from device.clock import Clock
from device.identity import Identity
from device.outbox import Outbox
from device.packer import Packer
from device.updating import Updating
from tests.device.serving import Gateway

OLDER, OLD, NEW = "0.9.0", "1.0.0", "1.1.0"
_ROOT = "/flash"
_BLOCK_BYTES = 4096
_MOST_STARTS = 12


class Flash:
    """A flash in a file of the host. At operation `cut_at`, in its middle, this process is dead."""

    def __init__(self, path, cut_at):
        self._file = open(path, "r+b")
        self._blocks = os.stat(path)[6] // _BLOCK_BYTES
        self._cut_at = cut_at
        self.operations = 0

    def readblocks(self, block, buffer, offset=0):
        self._file.seek(block * _BLOCK_BYTES + offset)
        self._file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=0):
        torn = self._cut_at * 37 % (len(buffer) + 1)
        self._write(block * _BLOCK_BYTES + offset, buffer, torn)

    def ioctl(self, operation, block):
        if operation == 4:
            return self._blocks
        if operation == 5:
            return _BLOCK_BYTES
        if operation == 6:
            torn = self._cut_at * 131 % _BLOCK_BYTES
            self._write(block * _BLOCK_BYTES, b"\xff" * _BLOCK_BYTES, torn)
        return 0

    def _write(self, start, data, torn):
        self.operations += 1
        self._file.seek(start)
        if self.operations == self._cut_at:
            self._file.write(bytes(memoryview(data)[:torn]))
            os.system("kill -9 $PPID")
        self._file.write(data)


def silent(event, **fields):
    pass


class Uplink:
    kept = 0


class Agent:
    """What of the agent an update touches."""

    def __init__(self, board, epoch, outbox):
        self.board = board
        self.folder = _ROOT + "/data"
        self.clock = Clock(board)
        self.outbox = outbox
        self.identity = Identity("d", bytes(32), epoch)
        self.packer = Packer(self.identity, outbox, self.clock, silent_wake)
        self.uplink = Uplink()
        self.report = silent


def silent_wake():
    pass


class Witness:
    """Tells the world outside at once what it saw of the board: no power cut takes it back."""

    def __init__(self, path):
        self._file = open(path, "a")

    def saw(self, what, value):
        self._file.write(what + " " + str(value) + "\n")
        self._file.flush()


class Life:
    """One board, and what a test does with it; of the kind "bad" the new release hears nothing."""

    def __init__(self, gateway, key, kind):
        self.gateway = gateway
        self.key = key
        self.works = kind != "bad"

    def start(self, witness):
        """One start; True once there is nothing left to do for an update."""
        board = Board()
        chosen = slots.Slots(_ROOT + "/", _ROOT + "/data")
        slot_start.prepare(chosen)
        version = version_in(chosen.trial or chosen.active, self.gateway.folder)
        witness.saw("booted", version)
        outbox = Outbox(board, _ROOT + "/data/outbox", 16_384, mode="batch")
        epoch = counter.next_epoch(board, _ROOT + "/data", used_before=not outbox.was_made)
        witness.saw("epoch", epoch)
        if chosen.begins():
            installer = update.Installer(board, chosen, self.gateway, silent, silent_wake)
            finish(update.attempt(installer, self.key))
            if chosen.trial:
                outbox.close()
                return False
        agent = Agent(board, epoch, outbox)
        updating = Updating(agent, chosen)
        if version == OLD or self.works:
            agent.uplink.kept = 1  # a receipt was heard
        updating.look()
        self.send(witness, outbox)
        outbox.close()
        if version == OLDER and not chosen.is_pending:  # the owner has read what it told
            chosen.want(OLD)
        return not chosen.is_pending

    def send(self, witness, outbox):
        sealed = outbox.peek()
        while sealed is not None:
            witness.saw("delivered", sealed.hex())
            outbox.advance()
            sealed = outbox.peek()


def finish(attempt):
    import asyncio  # found once `device` was imported

    asyncio.run(attempt)


def version_in(slot, folder):
    """Whose files all of a slot's are; a slot that is not whole is nobody's."""
    for version in (OLDER, OLD, NEW):
        if digests(folder + "/" + version) == digests(_ROOT + "/" + slot):
            return version
    return "broken"


def digests(folder, inside=""):
    found = []
    for name in sorted(os.listdir(folder + inside)):
        path = inside + "/" + name
        if os.stat(folder + path)[0] & 0x4000:
            found += digests(folder, path)
        elif name != "manifest" and not path.endswith(".new"):
            with open(folder + path, "rb") as file:
                found.append((path, hashlib.sha256(file.read()).digest()))
    return found


def copy(source, target):
    try:
        os.mkdir(target)
    except OSError:
        pass
    for name in os.listdir(source):
        if os.stat(source + "/" + name)[0] & 0x4000:
            copy(source + "/" + name, target + "/" + name)
            continue
        with open(source + "/" + name, "rb") as read, open(target + "/" + name, "wb") as write:
            write.write(read.read())


def prepare(flash, folder, program_bytes, kind):
    """The old release in /a, something older in /b, and the wish for the new one, or some rot."""
    vfs.VfsLfs2.mkfs(flash, progsize=program_bytes)
    vfs.mount(vfs.VfsLfs2(flash, progsize=program_bytes), _ROOT)
    copy(folder + "/" + OLD, _ROOT + "/a")
    copy(folder + "/0.9.0", _ROOT + "/b")
    os.mkdir(_ROOT + "/data")
    state = slots.Slots(_ROOT + "/", _ROOT + "/data")
    state.floor = 1
    state.want("" if kind == "rotten" else NEW)
    if kind == "rotten":
        with open(_ROOT + "/a/device/main.mpy", "r+b") as file:
            file.seek(1000)
            file.write(b"rot")
    vfs.umount(_ROOT)


def main(folder, key, program_bytes, kind, image, seen, cut_at):
    """Starts the board until all is settled. With `seen` "" makes the image instead."""
    flash = Flash(image, cut_at)
    if not seen:
        prepare(flash, folder, program_bytes, kind)
        return
    vfs.mount(vfs.VfsLfs2(flash, progsize=program_bytes), _ROOT)
    life, witness = Life(Gateway(folder), bytes.fromhex(key), kind), Witness(seen)
    for _ in range(_MOST_STARTS):
        if life.start(witness):
            witness.saw("settled", flash.operations)
            break
    vfs.umount(_ROOT)


if __name__ == "__main__":
    program, cut = int(sys.argv[3]), int(sys.argv[7])
    main(sys.argv[1], sys.argv[2], program, sys.argv[4], sys.argv[5], sys.argv[6], cut)
