"""Child processes of the commands: simulated devices, gateways and collectors, by id.

Whatever is started here is ended here; nothing else is touched.
"""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO, Any, Protocol

from gateway.errors import ConfigError
from tools import firmware
from tools.board import program

DEVICE_HEAP = "96K"  # the budget of the agent, in either profile
_STOP_S = 10
_START_S = 15
_POLL_S = 0.02
_PORTS, _TRIES = range(20_000, 32_000), 200  # below those that Linux and others give away
_dice = random.SystemRandom()  # not one that processes which were forked share
_given: deque[int] = deque(maxlen=1000)
Event = dict[str, Any]


def micropython() -> str | None:
    """The MicroPython to run devices with: $MICROPYTHON, or the one installed beside us."""
    configured = os.environ.get("MICROPYTHON")
    if configured:
        return configured
    beside = Path(sys.executable).with_name("micropython")
    return str(beside) if beside.exists() else shutil.which("micropython")


def device_command(folder: Path, readings: int = 0, heap: str = DEVICE_HEAP) -> list[str]:
    """Runs the device whose config.json is in `folder`; for ever, or for `readings` readings."""
    arguments = ["-m", "device.main", str(folder), *([str(readings)] if readings else [])]
    interpreter = micropython()
    if interpreter is None:
        return [sys.executable, *arguments]
    return [interpreter, "-X", f"heapsize={heap}", *arguments]


class Process(Protocol):
    """What is used of `subprocess.Popen`."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


class Device:
    """A device process; each line it prints is an event for `on_event` (another thread)."""

    def __init__(
        self,
        folder: Path,
        on_event: Callable[[Event], None],
        *,
        readings: int = 0,
        heap: str = DEVICE_HEAP,
    ) -> None:
        folder = folder.resolve()  # the device's working directory is another
        self._on_event = on_event
        self._process = subprocess.Popen(  # noqa: S603  # our own file, our own arguments
            device_command(folder, readings, heap),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_device_environment(folder),
            cwd=_packages(),  # found by short paths, as on a board: each is in RAM
            text=True,
            start_new_session=True,  # Ctrl-C is ours to handle, in order
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(self, timeout_s: float) -> int:
        """Its exit code; subprocess.TimeoutExpired where it goes on."""
        code = self._process.wait(timeout_s)
        self._reader.join(timeout_s)
        return code

    def stop(self) -> None:
        end(self._process)
        self._reader.join(_STOP_S)

    def _read(self) -> None:
        assert self._process.stdout  # noqa: S101  # we asked for the pipe
        with self._process.stdout as lines:
            for line in lines:
                try:
                    event = json.loads(line)
                except ValueError:
                    event = {"event": "said", "text": line.rstrip()}
                self._on_event(event)


class Service:
    """`tallystick run` or `collect` as a process, up when its /healthz answers.

    `launch` starts it; by default the interpreter does, anew.
    """

    def __init__(
        self,
        arguments: list[str],
        http_port: int,
        log: Path,
        launch: Callable[[list[str], IO[bytes]], Process] | None = None,
    ) -> None:
        self.url = f"http://127.0.0.1:{http_port}"
        self._http_port = http_port
        self.log = log
        with log.open("ab") as output:
            self._process = (launch or launched)(arguments, output)
        try:
            self._wait_until_up()
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> int:
        return end(self._process)

    def kill(self) -> None:
        """As a power cut would."""
        self._process.kill()
        self._process.wait(_STOP_S)

    def get(self, path: str) -> Any:
        return json.loads(self.read(path))

    def read(self, path: str) -> bytes:
        """What is at `path`, whatever its status; OSError or HTTPException where nobody answers.

        Without httpx, which loads certificates for each connection: this is asked in loops.
        """
        with closing(HTTPConnection("127.0.0.1", self._http_port, timeout=_START_S)) as connection:
            connection.request("GET", path)
            return connection.getresponse().read()

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                self.read("/healthz")
                return
            except (OSError, HTTPException):
                time.sleep(_POLL_S)
        raise ConfigError(
            f"{self.log.stem} did not start: {self.log.read_text()[-2000:].strip()}",
            f"see {self.log}",
        )


def launched(arguments: list[str], output: IO[bytes]) -> Process:
    """`tallystick ARGUMENTS…`, started anew; all it says goes to `output`."""
    return subprocess.Popen(  # noqa: S603  # our own program
        [sys.executable, "-m", "tools", *arguments],
        stdout=output,
        stderr=subprocess.STDOUT,
        env=os.environ | {"PYTHONPATH": str(firmware.root())},
        start_new_session=True,
    )


def end(process: Process) -> int:
    """SIGTERM, and SIGKILL after a while; its exit code."""
    process.terminate()
    try:
        return process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait(_STOP_S)


def free_port(kind: socket.SocketKind) -> int:
    """A loopback port that nobody has right now, and that no system gives away by itself.

    So it is still free after whoever took it has stopped, and starts again. One that was given is
    not given again soon: whoever asked for it may not have taken it yet.
    """
    for port in _dice.sample(_PORTS, _TRIES):
        if port in _given:
            continue
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.append(port)
        return port
    raise ConfigError("no port is free on this machine", "stop what listens on thousands of them")


def _packages() -> Path:
    """Where the device finds its files: as bytecode, if MicroPython runs them."""
    if micropython() is None:
        return firmware.root()
    return firmware.compiled(firmware.cache(), program.needed("linux"))


def _device_environment(folder: Path) -> dict[str, str]:
    table = firmware.table(firmware.cache()).parent  # found where modules are
    return os.environ | {
        "MICROPYPATH": f"{table}:.frozen",
        "PYTHONPATH": str(table),
        "PYTHONUNBUFFERED": "1",
        "HOME": str(folder),
    }
