"""A board that is not there: real MicroPython on a pseudo-terminal, with a real LittleFS image.

`VirtualBoard.port` is what mpremote takes. Its flash is a file that outlives every reset, power
cut and unplugging. A thread passes the bytes on, and is the board's power supply.
"""

import json
import os
import queue
import select
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.board import registers
from tests.board.child import Child, Files, Make
from tests.board.line import Line
from tests.board.registers import Registers

_POWER_ON, _HARD_RESET, _WATCHDOG, _WOKEN, _SOFT_RESET = range(1, 6)  # machine.reset_cause()
CUT = 3
_STOPPED = {  # what inside/host.py stops with: the next start's reason and cause
    1: ("reset", _HARD_RESET),
    2: ("deep sleep", _WOKEN),
    CUT: ("power cut", _POWER_ON),
}
_PLUGGED_IN = "power on"
_TICK_S = 0.02
_BOOT_LOOP_S = 0.1
_AWAY_S = 0.3  # a USB board, at a reset
_ANSWER_S = 10
_WORLD_BYTES = 2048
_ROOM_TEMPERATURE = 14_071  # ADC counts of 26.4 degrees on the RP2040


class VirtualBoard(threading.Thread):
    """`port` is its pseudo-terminal, `link` a name of that which stays the same.

    `resets` names each start's reason; `said` is all that it printed; `world` is around it.
    """

    def __init__(self, folder: Path, make: Make | None = None) -> None:
        super().__init__(daemon=True)
        self.make = make or Make()
        folder.mkdir(parents=True, exist_ok=True)
        self.image = folder / "flash.img"
        self._line = Line(folder / "tty")
        self.link = self._line.link
        if not self.image.exists():
            self.image.write_bytes(b"\xff" * (4096 * self.make.flash_blocks))
        self._registers = Registers(folder / "registers")
        self._files = Files(
            self.image, self._registers.path, folder / "world.json", folder / "rtc.bin"
        )
        self.world: dict[str, Any] = {
            "wifi": {"up": True, "ssid": None, "password": None},  # None: any
            "adc": {"4": _ROOM_TEMPERATURE},
            "pins": {},
            "hurries": False,  # what it sleeps through takes no time
            "minute_ms": 60_000,  # of its timers
        }
        self.change_world()
        self.resets: list[str] = []
        self.said = bytearray()
        self._unplugs = False
        self._orders: queue.SimpleQueue[tuple[Callable[[], None], threading.Event]] = (
            queue.SimpleQueue()
        )
        self._woken, self._waking = os.pipe()
        self._child: Child | None = None
        self._fed = (0, 0.0)
        self._running = True

    def __enter__(self) -> "VirtualBoard":
        self._plug_in()
        self.start()
        self.wait_until_up()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def port(self) -> str:
        return self._line.port

    # --- what a test does to it -------------------------------------------------------------

    def change_world(self, **changes: object) -> None:
        """Seen at the board's next look: `wifi`, `adc`, `pins`."""
        self.world.update(changes)
        self._files.world.touch()
        with self._files.world.open("r+") as file:  # in place: the board holds it open
            file.write(json.dumps(self.world).ljust(_WORLD_BYTES))

    @property
    def operations(self) -> int:
        """Programs and erases of the flash so far."""
        return self._registers.get(registers.OPERATIONS)

    def cut_after(self, operations: int, *, torn: bool = False, unplug: bool = False) -> None:
        """The power goes at the n-th flash operation from now: before it, or `torn` in its middle.

        It is back at once; with `unplug` not before `plug_in`, and the port is gone.
        """
        self._unplugs = unplug
        self._registers.set(registers.TORN, int(torn))
        self._registers.set(registers.CUT_AT, self.operations + operations)

    def power_cut(self) -> None:
        self._order(lambda: self._cut("power cut", _POWER_ON))

    def press_reset(self) -> None:
        self._order(lambda: self._cut("reset", _HARD_RESET))

    def unplug(self) -> None:
        self._order(self._unplug)

    def plug_in(self) -> None:
        self._order(self._plug_in)

    @property
    def is_plugged_in(self) -> bool:
        return self._child is not None

    def wait_until_up(self) -> None:
        """Until its flash is mounted and boot.py begins."""
        deadline = time.monotonic() + _ANSWER_S
        while self._child is None or not self._child.repl.is_up:
            assert time.monotonic() < deadline, f"it does not start: {self.resets}"
            time.sleep(0.005)

    def close(self) -> None:
        self._order(self._end)
        self.join(_ANSWER_S)
        self._registers.close()
        os.close(self._woken)
        os.close(self._waking)

    # --- in its thread ----------------------------------------------------------------------

    def run(self) -> None:
        while self._running:
            ready, _, _ = select.select(self._readable(), self._writable(), [], _TICK_S)
            if self._woken in ready:
                os.read(self._woken, 64)
            while not self._orders.empty():
                order, done = self._orders.get()
                order()
                done.set()
            if self._child is not None:
                self._serve(self._child, ready)

    def _serve(self, child: Child, ready: list[int]) -> None:
        if self._line.master in ready:
            child.write(self._line.read())
        if child.descriptor in ready:
            self._from_board(child)
        child.deliver()
        self._line.flush()
        if child.end_code() is None:
            self._watch(child)
        else:
            while select.select([child.descriptor], [], [], 0)[0] and self._from_board(child):
                pass
            self._ended(child)

    def _readable(self) -> list[int]:
        found = [self._woken]
        if self._child is not None:
            found.append(self._line.master)
            if self._line.has_room:
                found.append(self._child.descriptor)
        return found

    def _writable(self) -> list[int]:
        return [self._line.master] if self._line.has_unread and self._child is not None else []

    def _from_board(self, child: Child) -> bool:
        data = child.read()
        shown, answer = child.repl.from_board(data)
        if answer:
            child.answer(answer)
        self.said += shown
        self._line.show(shown)
        return bool(data)

    def _watch(self, child: Child) -> None:
        """The watchdog's teeth."""
        timeout_ms = self._registers.get(registers.WATCHDOG_MS)
        fed = self._registers.get(registers.FED)
        now = time.monotonic()
        if not timeout_ms or fed != self._fed[0]:
            self._fed = (fed, now)
        elif (now - self._fed[1]) * 1000 > timeout_ms:
            self._cut("watchdog", _WATCHDOG)

    def _ended(self, child: Child) -> None:
        """A process that ends by itself was reset, in one of the ways boards are."""
        why = self._registers.get(registers.STOPPED)
        code = child.close()
        self._child = None
        if why == CUT:
            self._registers.set(registers.CUT_AT, registers.NEVER)
        if why == CUT and self._unplugs:
            self._line.close()
            self.resets.append("unplugged")
        elif why:
            time.sleep(self._registers.get(registers.SLEEP_MS) / 1000)
            self._boot(*_STOPPED[why])
        else:
            self._soft_reset(child, code)

    def _soft_reset(self, child: Child, code: int) -> None:
        """Or a Ctrl-C in the middle of a collection, which this port does not survive."""
        raw, crashed = child.repl.raw, child.was_interrupted and code != 0
        if not crashed:
            self._line.show(b"MPY: soft reboot\r\n")
        if not raw and code:
            time.sleep(_BOOT_LOOP_S)  # main.py that exits is started again, for ever
        self._boot("soft reset", _SOFT_RESET, raw=raw, runs_main=not raw and not crashed)

    def _boot(self, why: str, cause: int, *, raw: bool = False, runs_main: bool = True) -> None:
        for number in (registers.STOPPED, registers.SLEEP_MS):
            self._registers.set(number, 0)
        if cause != _SOFT_RESET:
            self._registers.set(registers.WATCHDOG_MS, 0)
            self._reappear(why)
        if cause == _POWER_ON:
            self._files.rtc.write_bytes(bytes(4))
        self.resets.append(why)
        self._child = Child(self.make, self._files, raw=raw, cause=cause, runs_main=runs_main)

    def _cut(self, why: str, cause: int) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.close()
            self._boot(why, cause)

    def _plug_in(self) -> None:
        if self._child is None:
            self._line.open()
            self._boot(_PLUGGED_IN, _POWER_ON)

    def _unplug(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.close()
            self._child = None
            self._line.close()
            self.resets.append("unplugged")

    def _reappear(self, why: str) -> None:
        if self.make.usb and why != _PLUGGED_IN:
            self._line.close()
            time.sleep(_AWAY_S)
            self._line.open()

    def _end(self) -> None:
        self._unplug()
        self._running = False

    def _order(self, what: Callable[[], None]) -> None:
        done = threading.Event()
        self._orders.put((what, done))
        os.write(self._waking, b"!")
        assert done.wait(_ANSWER_S), "the virtual board's thread does not answer"
