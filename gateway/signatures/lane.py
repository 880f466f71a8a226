"""Lane: one worker process and what it was asked, in order.

Answers come in the order of the requests, so those of one device, which all take one lane,
stay in theirs. A worker that dies, or does not answer in time, is started anew, and what it was
asked is asked once more; then it is refused as busy, and the devices send it again.
"""

import asyncio
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from gateway.errors import BusyError
from gateway.signatures.worker import COUNT_BYTES

WORKER = [sys.executable, "-P", str(Path(__file__).with_name("worker.py"))]
_ANSWER_S = 10  # for all that waits: 4096 checks take two seconds on a small board
_RESTART_S = 1.0  # after a start, at the soonest
_READ_BYTES = 1 << 16
_log = structlog.get_logger("signatures")
Settle = Callable[[Sequence[bool] | BusyError], None]


class _Request:
    __slots__ = ("count", "data", "is_second", "settle")

    def __init__(self, records: Sequence[bytes], settle: Settle) -> None:
        self.count = len(records)
        self.data = self.count.to_bytes(COUNT_BYTES, "big") + b"".join(records)
        self.settle = settle
        self.is_second = False


class Lane:
    """Belongs to the event loop. The process is started when it is first needed."""

    def __init__(
        self, command: Sequence[str], died: Callable[[], None], *, answer_s: float = _ANSWER_S
    ) -> None:
        self._command = command
        self._answer_s = answer_s
        self._died = died
        self._asked: deque[_Request] = deque()
        self._answers = bytearray()
        self._unsent = bytearray()
        self._process: subprocess.Popen[bytes] | None = None
        self._started_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, records: Sequence[bytes], settle: Settle) -> None:
        """`settle` is called later, with an answer for each record.

        Bounded by whoever asks: at most 65,535 records at once.
        BusyError where there is no worker, and it is too soon to start another.
        """
        loop = asyncio.get_running_loop()
        if self._process is None:
            self._start(loop)
        request = _Request(records, settle)
        self._asked.append(request)
        self._send(loop, request.data)
        self._watch(loop)

    def close(self) -> None:
        """What was asked is refused; the process ends by itself when its socket does."""
        process = self._process
        if process is not None:
            self._stop()
            try:
                process.wait(1)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._refuse_all()

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._started_s is not None and loop.time() - self._started_s < _RESTART_S:
            raise BusyError("signatures are not checked at the moment")
        self._started_s = loop.time()
        ours, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(  # noqa: S603  # our own file, no word of others
                [*self._command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C is for the gateway, which has work to end
            )
        except OSError as error:
            ours.close()
            _log.error("no process to check signatures with", detail=str(error))
            raise BusyError("signatures cannot be checked") from error
        finally:
            theirs.close()
        ours.setblocking(False)
        self._socket = ours
        loop.add_reader(ours, self._readable, loop)

    def _send(self, loop: asyncio.AbstractEventLoop, data: bytes) -> None:
        if not self._unsent:
            try:
                data = data[self._socket.send(data) :]
            except OSError:  # full, or dead: then reading says so
                pass
        if data:
            self._unsent += data
            loop.add_writer(self._socket, self._writable, loop)

    def _writable(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            return
        except OSError:
            self._unsent.clear()
        if not self._unsent:
            loop.remove_writer(self._socket)

    def _readable(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            data = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lost(loop)
            return
        self._answers += data
        while self._asked and len(self._answers) >= self._asked[0].count:
            request = self._asked.popleft()
            answers = [answer == 1 for answer in self._answers[: request.count]]
            del self._answers[: request.count]
            self._settle(request, answers)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Looks again when the newest request should have been answered."""
        if self._timer is None and self._asked:
            self._timer = loop.call_later(self._answer_s, self._look, loop, self._asked[-1])

    def _look(self, loop: asyncio.AbstractEventLoop, request: _Request) -> None:
        self._timer = None
        if request in self._asked:
            self._lost(loop)
        self._watch(loop)

    def _lost(self, loop: asyncio.AbstractEventLoop) -> None:
        """The worker has died, or does not answer: what it was asked goes to the next one."""
        process = self._process
        self._stop()
        if process is not None:
            process.kill()
            process.wait()
            _log.error("a process that checks signatures was lost", status=process.returncode)
        self._died()
        again, self._asked = self._asked, deque()
        for request in again:
            if request.is_second:
                self._settle(request, _busy())
                continue
            request.is_second = True
            try:
                if self._process is None:
                    self._start(loop)
            except BusyError as error:
                self._settle(request, error)
                continue
            self._asked.append(request)
            self._send(loop, request.data)
        self._watch(loop)

    def _stop(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket)
        loop.remove_writer(self._socket)
        self._socket.close()
        if self._timer is not None:
            self._timer.cancel()
        self._process = self._timer = None
        self._answers.clear()
        self._unsent.clear()

    def _refuse_all(self) -> None:
        while self._asked:
            self._settle(self._asked.popleft(), _busy())

    def _settle(self, request: _Request, outcome: Sequence[bool] | BusyError) -> None:
        try:
            request.settle(outcome)
        except Exception as error:  # the others have to hear all the same
            _log.error("an answer was not told", error=repr(error))


def _busy() -> BusyError:
    return BusyError("the process that checks signatures was lost")
