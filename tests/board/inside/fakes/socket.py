"""`socket` as on lwIP: of the datagrams that nobody reads, four are kept and the rest is lost.

While the world's network is down nothing comes in and what is sent is lost.
"""

from io import IOBase

import host
import usocket
from usocket import *

_QUEUED = 4  # LWIP's UDP receive queue in extmod/modlwip.c
_EAGAIN = 11
_EINVAL = 22
_POLL, _GET_FILENO, _READABLE, _WRITABLE = 3, 10, 1, 4  # py/stream.h
_LARGEST = 1500


class socket(IOBase):
    """A UDP socket of the host, as far as a device uses one."""

    def __init__(self, family=usocket.AF_INET, kind=usocket.SOCK_STREAM, protocol=0):
        self._socket = usocket.socket(family, kind, protocol)
        self._is_udp = kind == usocket.SOCK_DGRAM
        self._waiting = []
        if self._is_udp:
            self._socket.setblocking(False)

    def ioctl(self, request, argument):
        if request == _GET_FILENO and not self._waiting:
            return self._socket.fileno()  # the system waits for it, instead of us asking always
        if request != _POLL:
            return -_EINVAL
        self._drain()
        readable = _READABLE if self._waiting else 0
        return (readable | _WRITABLE) & argument

    def recv(self, limit):
        if not self._is_udp:
            return self._socket.recv(limit)
        self._drain()
        if not self._waiting:
            raise OSError(_EAGAIN)
        first = self._waiting.pop(0)
        if isinstance(first, OSError):
            raise first
        return first[:limit]

    def send(self, data):
        if not host.world()["wifi"]["up"]:
            return len(data)
        return self._socket.send(data)

    def _drain(self):
        """Takes what has come; what the queue has no room for is lost, as it came later."""
        while self._is_udp:
            try:
                datagram = self._socket.recv(_LARGEST)
            except OSError as error:
                if error.errno == _EAGAIN:
                    return
                datagram = error
            if len(self._waiting) < _QUEUED and host.world()["wifi"]["up"]:
                self._waiting.append(datagram)

    def __getattr__(self, name):
        return getattr(self._socket, name)

    def close(self):
        self._socket.close()
