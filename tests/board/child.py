"""One life of the virtual board: a MicroPython process on a pseudo-terminal of its own."""

import os
import pty
import signal
import subprocess
import termios
from dataclasses import dataclass
from pathlib import Path

from tests.board.repl import Repl
from tests.interpreters import micropython

_INSIDE = Path(__file__).parent / "inside"
_CONTROL_C = b"\x03"
_READ_BYTES = 65_536


@dataclass(frozen=True)
class Make:
    """What board it is: its port, firmware, heap and flash."""

    platform: str = "rp2"
    firmware: str = "micropython"
    version: str = "1.28.0"
    heap: str = "270K"  # what a Pico W has free, on a machine of 64 bits
    program_bytes: int = 256
    flash_blocks: int = 352  # of 4096 bytes, as on a Pico
    usb: bool = False  # its port goes away at a reset, as a Pico's does


@dataclass(frozen=True)
class Files:
    """What of the board outlives its power, on the host."""

    image: Path
    registers: Path
    world: Path
    rtc: Path


def raw_terminal(descriptor: int) -> None:
    """Bytes go through as they are. ECHOK marks a terminal that no REPL is reading."""
    settings = termios.tcgetattr(descriptor)
    settings[0] = settings[1] = 0
    settings[2] = (settings[2] & ~termios.CSIZE) | termios.CS8
    settings[3] = termios.ECHOK
    settings[6][termios.VMIN], settings[6][termios.VTIME] = 1, 0
    termios.tcsetattr(descriptor, termios.TCSANOW, settings)


class Child:
    def __init__(self, make: Make, files: Files, *, raw: bool, cause: int, runs_main: bool) -> None:
        self.repl = Repl(raw)
        self.was_interrupted = False
        self.descriptor, self._slave = pty.openpty()
        raw_terminal(self._slave)
        command = ["-X", f"heapsize={make.heap}", "-i", str(_INSIDE / "boot.py")]
        self._process = subprocess.Popen(
            [micropython(), *command],
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            env=_environment(make, files, cause) | {"BOARD_MAIN": "1" if runs_main else "0"},
            start_new_session=True,
        )
        self._pending = b""

    def read(self) -> bytes:
        """b"" once it has ended and all it said was read."""
        try:
            return os.read(self.descriptor, _READ_BYTES)
        except OSError:
            return b""

    def write(self, data: bytes) -> None:
        """From the client. Ctrl-C ends what runs; the rest waits until somebody reads it."""
        if _CONTROL_C in data and self.repl.is_up and self._is_executing():
            self.was_interrupted = True
            self._process.send_signal(signal.SIGINT)
            data = data[data.rindex(_CONTROL_C) + 1 :]
        self._pending += data
        self.deliver()

    def deliver(self) -> None:
        """In the friendly REPL a line at a time: between lines the terminal forgets its input."""
        if not self._pending or not self.repl.is_up:
            return
        if self.repl.raw:
            sent, self._pending = self._pending, b""
        elif self._is_executing():
            return
        else:
            end = self._pending.find(b"\r") + 1 or len(self._pending)
            sent, self._pending = self._pending[:end], self._pending[end:]
        self.repl.to_board(sent)
        os.write(self.descriptor, sent)

    def answer(self, data: bytes) -> None:
        os.write(self.descriptor, data)

    def end_code(self) -> int | None:
        return self._process.poll()

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()

    def close(self) -> int:
        """Its exit code."""
        code = self._process.wait()
        os.close(self.descriptor)
        os.close(self._slave)
        return code

    def _is_executing(self) -> bool:
        if self.repl.raw:
            return self.repl.executing
        return bool(termios.tcgetattr(self._slave)[3] & termios.ECHOK)


def _environment(make: Make, files: Files, cause: int) -> dict[str, str]:
    return os.environ | {
        "BOARD_PLATFORM": make.platform,
        "BOARD_FIRMWARE": make.firmware,
        "BOARD_VERSION": make.version,
        "BOARD_PROGRAM_BYTES": str(make.program_bytes),
        "BOARD_IMAGE": str(files.image),
        "BOARD_REGISTERS": str(files.registers),
        "BOARD_WORLD": str(files.world),
        "BOARD_RTC": str(files.rtc),
        "BOARD_FAKES": str(_INSIDE / "fakes"),
        "BOARD_CAUSE": str(cause),
        "MICROPYPATH": f"{_INSIDE / 'fakes'}:{_INSIDE}:.frozen",
        "HOME": str(files.image.parent),
    }
