"""The load generator where there is no C compiler: prebuilt datagrams, a window, answers checked.

It shares the cores with the server and takes a good part of them: `load.c` is for figures.
"""

import select
import socket
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_SILENCE_S = 2.0
_BUFFER = 4 * 1024 * 1024


class Result(NamedTuple):
    answered: int
    lost: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.answered / self.seconds


def post_all(port: int, datagrams: list[bytes], window: int, codes: Sequence[int]) -> Result:
    """Sends `datagrams` to loopback, at most `window` unanswered; the token is bytes 4 to 8.

    An answer counts if its token is known and its code is in `codes`. What is not answered within
    two silent seconds is lost; its place in the window is given to the next.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        door.connect(("127.0.0.1", port))
        door.setblocking(False)
        waiting: set[bytes] = set()
        answered = lost = 0
        rest = iter(datagrams)
        started = time.perf_counter()
        _refill(door, rest, waiting, window)
        while waiting:
            if not select.select([door], [], [], _SILENCE_S)[0]:
                lost += len(waiting)
                waiting.clear()
            answered += _drain(door, waiting, codes)
            _refill(door, rest, waiting, window)
        ended = time.perf_counter() - (_SILENCE_S if lost else 0)
        return Result(answered, lost, ended - started)


def _refill(door: socket.socket, rest: Iterator[bytes], waiting: set[bytes], window: int) -> None:
    while len(waiting) < window:
        datagram = next(rest, None)
        if datagram is None:
            return
        waiting.add(datagram[4:8])
        door.send(datagram)


def _drain(door: socket.socket, waiting: set[bytes], codes: Sequence[int]) -> int:
    count = 0
    while True:
        try:
            answer = door.recv(2048)
        except BlockingIOError:
            return count
        token = answer[4:8]
        if token in waiting:
            assert answer[1] in codes, answer.hex()
            waiting.discard(token)
            count += 1
