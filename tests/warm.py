"""Starts `tallystick` from a process that has loaded it already: a fork instead of half a second.

What is started is a process of its own, with its own memory, files and end. Where the loading
itself is what a test is about, start the program anew: `tools.processes.launched`.
"""

import atexit
import contextlib
import functools
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from gateway.errors import FatalError
from tools.__main__ import main
from tools.commands import COMMANDS, program

ROOT = Path(__file__).parent.parent
_END_S = 10
_LATE = (
    "anyio._backends._asyncio",
    "encodings.idna",
    "httpcore2",
    "mpremote.transport_serial",
    "serial.tools.list_ports",
    "uvicorn.lifespan.off",
    "uvicorn.protocols.http.auto",
)


class Started:
    """One start, as `subprocess.Popen` shows it."""

    def __init__(self, arguments: list[str], pid: int, ended: int) -> None:
        self.args = arguments
        self.pid = pid
        self.returncode: int | None = None
        self._ended = ended  # a pipe: its exit code comes there

    def poll(self) -> int | None:
        return self._code_within(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._code_within(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def _code_within(self, timeout_s: float | None) -> int | None:
        if self.returncode is None and select.select([self._ended], [], [], timeout_s)[0]:
            self.returncode = int(os.read(self._ended, 16))
            os.close(self._ended)
        return self.returncode


class Warm:
    """The loaded process; it ends with the tests."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        self._asking = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )
        theirs.close()

    def start(self, arguments: list[str], stdout: IO[Any], stderr: IO[Any]) -> Started:
        ended, ending = os.pipe()
        request = json.dumps([arguments, os.getcwd()]).encode()
        with self._asking:
            outputs = [stdout.fileno(), stderr.fileno()]
            socket.send_fds(self._control, [request], [*outputs, ending])
            pid = int(self._control.recv(16))
        os.close(ending)
        return Started(arguments, pid, ended)

    def end(self) -> None:
        self._control.close()
        self._process.wait(_END_S)


@functools.cache
def _warm() -> Warm:
    made = Warm()
    atexit.register(made.end)
    return made


def launched(arguments: list[str], output: IO[bytes]) -> Started:
    """A service, for `tools.processes.Service`."""
    return _warm().start(arguments, output, output)


def command(arguments: list[str], stdout: IO[Any], stderr: IO[Any]) -> Started:
    return _warm().start(arguments, stdout, stderr)


# --- in the loaded process ------------------------------------------------------------------


class Nursery:
    """Forks for whoever asks through `control`, and tells each child's end."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._woken, self._waking = socket.socketpair()
        self._waking.setblocking(False)
        self._running: dict[int, int] = {}  # pid -> where its exit code is told

    def serve(self) -> None:
        """Returns in each child that is to become `tallystick`; ends with the tests."""
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self._waking.fileno())
        while True:
            ready, _, _ = select.select([self._control, self._woken], [], [])
            if self._woken in ready:
                self._woken.recv(4096)
                self._tell_ends()
            if self._control in ready and self._is_child():
                return

    def _is_child(self) -> bool:
        request, files, _, _ = socket.recv_fds(self._control, 65536, 3)
        if not request:
            sys.exit()
        *outputs, ending = files
        pid = os.fork()
        if pid == 0:
            self._close()
            os.close(ending)
            _become(*json.loads(request), outputs)
            return True
        for file in outputs:
            os.close(file)
        self._running[pid] = ending
        self._control.send(str(pid).encode())
        return False

    def _close(self) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for unneeded in (self._control, self._woken, self._waking):
            unneeded.close()
        for file in self._running.values():
            os.close(file)

    def _tell_ends(self) -> None:
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            ending = self._running.pop(pid)
            os.write(ending, str(os.waitstatus_to_exitcode(status)).encode())
            os.close(ending)


def _become(arguments: list[str], folder: str, outputs: list[int]) -> None:
    os.setsid()
    os.chdir(folder)
    for target, file in enumerate(outputs, start=1):
        os.dup2(file, target)
        os.close(file)
    sys.argv[1:] = arguments


def load() -> None:
    """Everything that any command needs, and what libraries put off until then."""
    for place in COMMANDS.values():
        import_module(f"tools.{place.split(':')[0]}")
    for late in _LATE:
        import_module(late)
    with contextlib.suppress(FatalError):
        program("fsck")(["fsck", "/nowhere"])
    gc.freeze()


class Ending:
    """Of a child: its threads and what is to be done `atexit`, as always, then at once.

    To take apart all that was loaded would be most of what a short command does.
    """

    def __init__(self) -> None:
        self._code = 1  # of an error that nobody catches
        atexit.register(self._end)  # before any other: the last that is done

    def run(self) -> None:
        try:
            main()
            self._code = 0
        except SystemExit as error:
            self._code = error.code if isinstance(error.code, int) else int(bool(error.code))
            raise

    def _end(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(self._code)


if __name__ == "__main__":
    ending = Ending()
    load()
    Nursery(socket.socket(fileno=int(sys.argv[1]))).serve()
    ending.run()
