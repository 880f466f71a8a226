"""Update: gets a signed release into the slot that does not run, and has it tried.

It has the board to itself: the agent is not loaded while it runs, so it needs no memory of the
agent's, and nothing it does can harm what waits in the outbox. Wherever the power goes, the slot
that runs stays as it is, and the next attempt goes on at the file and the block of this one.
"""

import asyncio
import os
import sys

from device import between, slot_files
from device.clock import Clock
from device.config import ConfigError
from device.endpoint import Endpoint
from device.fetching import CHANGED_MEANWHILE, NO_ANSWER, TOO_LARGE, Fetch
from device.slot_files import PART, is_file
from device.supervisor import Supervisor
from protocol import coap, manifest
from protocol.errors import BadSignatureError, ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from device.config import Config
    from device.shapes import Asker, Board, Report, Tick
    from device.slots import Slots
    from protocol.manifest import File, Head

_FLUSH_BYTES = 4096  # a flash block: a power cut takes no more, and none is erased twice
_ASKED_AGAIN = 3  # for one file; each time an exchange with all its retransmissions has failed
_PAUSE_MS = 5000
_ETAG_BYTES = 8  # the gateway's ETag of a file is the start of its hash (wire-format §16)
_NOT_FOUND, _TOO_MANY_REQUESTS, _SERVICE_UNAVAILABLE = 0x84, 0x9D, 0xA3
_LATER = (NO_ANSWER, _TOO_MANY_REQUESTS, _SERVICE_UNAVAILABLE)
_WHY = {
    _NOT_FOUND: "no such release",
    CHANGED_MEANWHILE: "not what was signed",
    TOO_LARGE: "larger than was signed",
}
_SPARE_BLOCKS = 8  # for folders, and for the outbox afterwards
_SILENT_MS = 600_000  # an exchange takes 62 s to fail, or 93 s, and there are three
_ENOSPC = 28
_NEW = manifest.NAME + ".new"


def main(folder: str, slots: "Slots") -> None:
    """One attempt, for the boot selector. All that was loaded for it is let go of again."""
    from device import start as front

    board = front.pick_board()
    try:
        settings = front.read_config(board, folder)
        asyncio.run(run(board, settings, slots, front.report))
    except ConfigError:
        return  # the agent tells
    finally:
        between.let_go()


class NoAnswerError(Exception):
    """The gateway cannot be reached, or has no time: later perhaps. Has no words."""


class RefusedError(Exception):
    """The release will not be taken: why."""


async def run(board: "Board", settings: "Config", slots: "Slots", report: "Report") -> None:
    """One attempt at what is wanted. The board is reset where it is there to be tried."""
    clock = Clock(board)
    endpoint = Endpoint(board, clock, settings.host, settings.port, settings.ack_timeout_ms)
    supervisor = Supervisor(board, clock, report)

    async def work(tick: "Tick") -> None:
        await attempt(Installer(board, slots, endpoint, report, tick), settings.update_key)
        await endpoint.close()

    async def join(tick: "Tick") -> None:
        ssid, password = settings.wifi or ("", "")
        await board.stay_joined(ssid, password, tick, _nothing, report)

    supervisor.start("update", _SILENT_MS, work, last=True)
    if settings.wifi is not None:
        supervisor.start("link", _SILENT_MS, join)
    await supervisor.run(watchdog=True)
    if slots.trial:
        board.reset()


def _nothing() -> None:
    """An update asks again by itself."""


async def attempt(installer: "Installer", key: bytes | None) -> None:
    """Ends with the release on trial, or given up, or wanted still."""
    slots, report = installer.slots, installer.report
    report("updating", version=slots.wanted, attempt=slots.attempts)
    try:
        await installer.install(key)
    except (RefusedError, ProtocolError, OSError, NoAnswerError) as error:
        why = _final(error)
        if why:
            slots.give_up(why)
        else:
            report("update-waits", reason=repr(error))
            return
    report("updated", outcome=slots.outcome, trial=slots.trial)


def _final(error: Exception) -> str:
    """Why another attempt would end as this one; empty where it need not."""
    if isinstance(error, OSError):
        return "flash full" if error.errno == _ENOSPC else ""
    if isinstance(error, BadSignatureError):
        return "bad signature"
    return "malformed" if isinstance(error, ProtocolError) else str(error)


class Installer:
    """Writes to the other slot only, and to the file of `slots` when it is done."""

    def __init__(
        self, board: "Board", slots: "Slots", asker: "Asker", report: "Report", tick: "Tick"
    ) -> None:
        self.slots = slots
        self.report = report
        self._board = board
        self._asker = asker
        self._tick = tick
        self._into = slots.root + slots.other + "/"
        self._from = slots.root + slots.active + "/"
        self._new = self._into + _NEW

    async def install(self, key: bytes | None) -> None:
        """What it raises leaves the other slot half done, and the next attempt to go on there."""
        if key is None:
            raise RefusedError("no update_key in config.json")
        slot_files.make_folders(self._new)
        head = await self._manifest(key)
        self._judge(head)
        slot_files.remove(self._into + manifest.NAME)  # from here on the slot is not whole
        with open(self._new, "rb") as listed:
            self._make_room(listed)
            for file in manifest.files(listed):
                await self._board.sleep_ms(0)  # for the watchdog: a copy takes no turn of its own
                self._tick()
                await self._get(file)
        os.rename(self._new, self._into + manifest.NAME)
        self.slots.try_out(head.counter)

    async def _manifest(self, key: bytes) -> "Head":
        """The head of the wanted release's manifest, which is in the slot then, and checked."""
        try:
            with open(self._new, "rb") as held:
                head = manifest.open_signed(held, key)
            if head.version == self.slots.wanted:
                return head
        except (OSError, ProtocolError):
            pass  # there is none, or in part
        slot_files.remove(self._new)
        await self._fetch(manifest.NAME, self._new, manifest.MAX_BYTES)
        with open(self._new, "rb") as held:
            return manifest.open_signed(held, key)

    def _judge(self, head: "Head") -> None:
        """RefusedError for a release that this board must not or cannot run."""
        ours: int = getattr(sys.implementation, "_mpy", 0)
        if head.version != self.slots.wanted:
            raise RefusedError("it is " + head.version)
        if head.counter < self.slots.floor or (
            head.counter == self.slots.floor and self._is_running()
        ):
            raise RefusedError("not newer than what works")
        if head.mpy != ours & 0xFF or head.arch not in (0, ours >> 10):
            raise RefusedError("bytecode of another firmware")

    def _is_running(self) -> bool:
        """Whether the active slot has all of the release. One that has rotted can come again."""
        with open(self._new, "rb") as listed:
            return all([is_file(self._from + file.path, file) for file in manifest.files(listed)])

    def _make_room(self, listed: "BinaryIO") -> None:
        """Removes what is not of the release; RefusedError where the rest will not fit."""
        block_bytes: int = os.statvfs(self.slots.root)[0]
        wanted = [_NEW]
        missing = _SPARE_BLOCKS
        for file in manifest.files(listed):
            path = self._into + file.path
            wanted.append(file.path)
            if not is_file(path, file):
                slot_files.remove(path)
                there = slot_files.size_of(path + PART)
                missing += (file.size + block_bytes - 1 - there) // block_bytes
        slot_files.remove_others(self._into, wanted)
        free: int = os.statvfs(self.slots.root)[3]
        if missing > free:
            raise RefusedError("flash full")

    async def _get(self, file: "File") -> None:
        """Puts `file` into the slot, and reads it back. What runs is copied, if it is the same."""
        path = self._into + file.path
        if is_file(path, file):
            return
        slot_files.make_folders(path)
        if is_file(self._from + file.path, file):
            slot_files.copy(self._board, self._from + file.path, path + PART)
        else:
            await self._fetch(file.path, path + PART, file.size, file.digest[:_ETAG_BYTES])
        os.rename(path + PART, path)
        if not is_file(path, file):
            slot_files.remove(path)
            raise RefusedError(file.path + " is not what was signed")
        self.report("got", file=file.path)
        if self.slots.attempts:
            self.slots.attempts = 0
            self.slots.save()

    async def _fetch(self, name: str, target: str, most: int, etag: bytes = b"") -> None:
        """Goes on where `target` ends; RefusedError for more than `most` bytes."""
        at = slot_files.size_of(target)
        if at > most or not etag:
            at = 0
        with open(target, "r+b" if at else "wb") as file:

            def write(place: int, data: bytes) -> None:
                file.seek(place)
                file.write(data)
                if not (place + len(data)) % _FLUSH_BYTES:
                    self._board.sync(file)
                self._tick()

            path = "fw/" + self.slots.wanted + "/" + name
            await self._ask(Fetch(self._asker, path, write, at, etag, most))
            self._board.sync(file)

    async def _ask(self, fetch: Fetch) -> None:
        for _ in range(_ASKED_AGAIN):
            code = await fetch.run()
            if code == coap.CONTENT:
                return
            if code not in _LATER:
                raise RefusedError(_WHY.get(code, "answered " + coap.code_text(code)))
            await self._board.sleep_ms(_PAUSE_MS)
        raise NoAnswerError()
