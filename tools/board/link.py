"""A board on a serial port: files, code, reset. Everything has a limit in time.

Over mpremote's SerialTransport, whose names are the same from 1.24 to 1.29. What is written goes
as file data: never on a command line, never into a log.
"""

import contextlib
import errno
import io
import json
import os
import time
from collections.abc import Iterator
from typing import Any

from tools.board import ports
from tools.board.faults import BoardError, FullError, RefusedError, SilentError, UnpluggedError
from tools.board.limited import GoneError, LateError, Limited

_WRITE_TIMEOUT_S = 5
_QUICK_S = 10
_PER_KILOBYTE_S = 2  # the slowest line we know is UART at 115200 baud; and an erase a block
_ENTER_S = (1, 2, 4, 5)  # each try: what is sent while a board starts is lost
_BACK_S = 15  # after a reset: USB disappears, and has to be found again
_PIECE_BYTES = 1024
_POLL_S = 0.05
_TAKEN_S = 1.0  # services of the machine look at a port that has just come
_GOING_S = 0.2
_TREE = """
import os, json, hashlib
def _file(path):
    h = hashlib.sha256()
    b = bytearray(512)
    m = memoryview(b)
    with open(path, 'rb') as f:
        n = f.readinto(b)
        while n:
            h.update(m[:n])
            n = f.readinto(b)
    print(json.dumps([path, h.digest().hex()]))
def _tree(path):
    try:
        is_folder = os.stat(path)[0] & 0x4000
    except OSError:
        return
    if not is_folder:
        return _file(path)
    print(json.dumps([path, '']))
    for entry in os.ilistdir(path):
        _tree(path + '/' + entry[0])
"""


class Board:
    """One that listens: its program was interrupted, and it waits at the raw REPL.

    Every method raises UnpluggedError, SilentError or RefusedError; after the first two the
    board is to be closed. What a file was, or is to be: `put` leaves no half of it.
    """

    def __init__(self, port: str, slowness: float = 1) -> None:
        """`slowness` is how much longer each limit is: for a board that is emulated."""
        self.port = port
        self._slowness = slowness
        self._transport: Any = None
        self._open()

    def __enter__(self) -> "Board":
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """What was interrupted runs again, also where we give up."""
        if kind is not None and self._transport is not None:
            with contextlib.suppress(BoardError):
                self.reset()
        self.close()

    def exec(self, code: str, doing: str = "a question", limit_s: float = _QUICK_S) -> str:
        """What `code` prints."""
        with self._within(limit_s, doing):
            return str(self._transport.exec(code).decode())

    def ask(self, code: str, doing: str = "a question", limit_s: float = _QUICK_S) -> list[Any]:
        """The lines of JSON that `code` prints."""
        said = self.exec(code, doing, limit_s).split("\n")
        return [json.loads(line) for line in said if line.strip()]  # boards end a line with \r, too

    def ls(self, folder: str) -> list[str]:
        with self._within(_QUICK_S, f"listing {folder}"):
            return [entry.name for entry in self._transport.fs_listdir(folder)]

    def get(self, path: str) -> bytes | None:
        """None where there is no such file."""
        with self._within(_QUICK_S, f"reading {path}"):
            try:
                return bytes(self._transport.fs_readfile(path, chunk_size=_PIECE_BYTES))
            except FileNotFoundError:
                return None

    def put(self, path: str, data: bytes) -> None:
        """Writes the file beside `path`, then gives it its name: the old file or the new."""
        limit_s = _QUICK_S + len(data) * _PER_KILOBYTE_S / 1024
        with self._within(limit_s, f"writing {path}"):
            self._transport.fs_writefile(path + ".new", data, chunk_size=_PIECE_BYTES)
            self._transport.exec(f"import os\nos.rename({path + '.new'!r}, {path!r})")

    def remove(self, path: str) -> None:
        with self._within(_QUICK_S, f"removing {path}"), contextlib.suppress(FileNotFoundError):
            self._transport.fs_rmfile(path)

    def mkdir(self, path: str) -> None:
        """Also where it is there already."""
        with self._within(_QUICK_S, f"making {path}"), contextlib.suppress(FileExistsError):
            self._transport.fs_mkdir(path)

    def hash(self, path: str) -> bytes:
        with self._within(_QUICK_S, f"hashing {path}"):
            return bytes(self._transport.fs_hashfile(path, "sha256", chunk_size=_PIECE_BYTES))

    def tree(self, *roots: str) -> dict[str, str]:
        """Every path at and below `roots` with its SHA-256 in hex, "" for a folder."""
        code = f"{_TREE}for root in {list(roots)!r}: _tree(root)\n"
        return dict(self.ask(code, "hashing its files", 6 * _QUICK_S))

    def free_bytes(self) -> int:
        (free,) = self.ask("import os\ns = os.statvfs('/')\nprint(s[0] * s[4])")
        return int(free)

    def reset(self) -> None:
        """A hard one; the board starts its program, and this object is closed."""
        if self._transport is None:
            raise UnpluggedError(self.port)
        # on USB its port may be gone before it has said that it got this
        with contextlib.suppress(UnpluggedError), self._within(_QUICK_S, "resetting"):
            self._transport.exec_raw_no_follow("import machine\nmachine.reset()")
        self.close()

    def reset_and_return(self) -> None:
        """A hard reset, then the raw REPL again: as soon as the port is back."""
        self.reset_and_run(_GOING_S)

    def reset_and_run(self, run_s: float) -> None:
        """A hard reset; the program runs for a while, and is interrupted again."""
        self.reset()
        time.sleep(run_s)
        self._return()

    def close(self) -> None:
        if self._transport is not None:
            closed(self._transport)
            self._transport = None

    def _return(self) -> None:
        deadline = time.monotonic() + _BACK_S
        while True:
            try:
                return self._open()
            except BoardError:
                if time.monotonic() > deadline:
                    raise UnpluggedError(self.port) from None
                time.sleep(_POLL_S)

    def _open(self) -> None:
        self._transport = opened(self.port)
        try:
            self._enter()
        except BaseException:
            self.close()
            raise

    def _enter(self) -> None:
        """Interrupts whatever runs. A program that keeps the interrupt to itself is SilentError."""
        for limit_s in _ENTER_S:
            try:
                # it prints what it got where it was not what it hoped for
                with self._within(limit_s, "stopping its program"), _unheard():
                    self._transport.enter_raw_repl(timeout_overall=limit_s)
                return
            except SilentError:
                continue
        raise SilentError(self.port, "stopping its program", sum(_ENTER_S))

    @contextlib.contextmanager
    def _within(self, limit_s: float, doing: str) -> Iterator[None]:
        """Turns all that can go wrong on the way into one of ours."""
        from mpremote.transport import TransportError, TransportExecError

        if self._transport is None:
            raise UnpluggedError(self.port)
        limit_s *= self._slowness
        self._transport.serial.until = time.monotonic() + limit_s
        try:
            yield
        except GoneError:
            raise UnpluggedError(self.port) from None
        except TransportExecError as error:
            raise RefusedError(doing, error.error_output.strip().split("\n")[-1]) from None
        except (LateError, TransportError):
            is_there = os.path.exists(self.port)
            silent = SilentError(self.port, doing, limit_s)
            raise silent if is_there else UnpluggedError(self.port) from None
        except OSError as error:  # the board's file system: mpremote gives it our numbers
            is_full = error.errno == errno.ENOSPC
            why = str(error.strerror or error)
            raise FullError(doing) if is_full else RefusedError(doing, why) from None


def opened(port: str) -> Any:
    """mpremote's transport on `port`, with our limits in it; BoardError where it cannot be had."""
    from mpremote.transport import TransportError
    from mpremote.transport_serial import SerialTransport

    ports.check(port)
    until = time.monotonic() + _TAKEN_S
    while True:
        try:
            transport = SerialTransport(port)
            break
        except (TransportError, OSError):
            if time.monotonic() > until:
                raise ports.busy(port) from None
            time.sleep(_POLL_S)
    transport.serial.write_timeout = _WRITE_TIMEOUT_S
    transport.serial = Limited(transport.serial)
    transport.is_pty = True  # so it waits in `read`, where our limit is, and never naps
    return transport


def closed(transport: Any) -> None:
    """As mpremote closes it, which some boards take for a reset otherwise."""
    transport.serial = transport.serial.port
    try:
        transport.close()
    except OSError:  # it is unplugged
        transport.serial.close()


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()):
        yield
