"""The UDP socket: both families, answers from the address that was asked, errors by their peer.

Knows datagrams and where they come from; CoAP is not its business.
"""

import asyncio
import errno
import socket
from collections.abc import Callable
from contextlib import suppress

from gateway.coap.bulk import COUNT, Address, Bulk, Datagram, Peer, Singly, bulk_or_singly
from gateway.errors import ConfigError

# From linux/in6.h, in.h and socket.h: Python has no names for them before 3.14.
_IP_RECVERR, _IPV6_RECVERR, _MSG_ERRQUEUE = 11, 25, 0x2000
_ERROR_BYTES = 512
_DRAIN = 64  # errors in one turn of the loop
# Small ones take about 1.1 kB each: some two thousand, a tenth of a second of work at most. A
# longer queue would only hold what its senders have given up waiting for.
_BUFFER_BYTES = 2 << 20

Make = Callable[[int, int], socket.socket]  # of a family and a type


class UdpSocket:
    """`received` gets what arrived, at most 64 datagrams at once; `failed` whom we cannot reach."""

    def __init__(
        self,
        host: str,
        port: int,
        wire: Callable[[socket.socket], Bulk | Singly] = bulk_or_singly,
        make: Make = socket.socket,
    ) -> None:
        """ConfigError where the address cannot be had, or another process has it."""
        self._socket = _bound(host, port, make)
        self._wire = wire(self._socket)
        self._outgoing: list[Datagram] = []  # of this turn of the loop
        self._loop = asyncio.get_running_loop()
        self.send_failures = 0

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def listen(
        self,
        received: Callable[[list[Datagram]], None],
        failed: Callable[[Address], None],
    ) -> None:
        self._received, self._failed = received, failed
        self._loop.add_reader(self._socket.fileno(), self._readable)

    def send(self, data: bytes, peer: Peer) -> None:
        """As UDP does: it may be lost, and nobody is told. It goes before the loop next waits."""
        self._outgoing.append((data, peer))
        if len(self._outgoing) == 1:
            self._loop.call_soon(self._flush)
        elif len(self._outgoing) == COUNT:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _flush(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        while outgoing:
            outgoing = outgoing[self._sent(outgoing) :]

    def _sent(self, outgoing: list[Datagram]) -> int:
        """How many of them are done with, at least one."""
        try:
            return self._wire.send(outgoing)
        except OSError:
            self._read_errors()  # it may speak of somebody else: once more
        try:
            return self._wire.send(outgoing[:1])
        except OSError:
            self.send_failures += 1
            return 1

    def _readable(self) -> None:
        datagrams = self._wire.receive()
        if datagrams:
            self._received(datagrams)
        else:
            self._read_errors()

    def _read_errors(self) -> None:
        """Whom ICMP said we cannot reach: the queue names the destination of what was sent."""
        for _ in range(_DRAIN):
            try:
                _, _, _, address = self._socket.recvmsg(0, _ERROR_BYTES, _MSG_ERRQUEUE)
            except OSError:  # none left
                return
            self._failed(address)


def _bound(host: str, port: int, make: Make) -> socket.socket:
    door = None
    try:
        door = make(socket.AF_INET6, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        found = socket.getaddrinfo(
            host, port, socket.AF_INET6, socket.SOCK_DGRAM, 0, socket.AI_V4MAPPED
        )
        door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        with suppress(OSError):  # not Linux: without news of peers that have gone
            door.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
            door.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        door.bind(found[0][4])
    except OSError as error:
        if door is not None:
            door.close()
        raise ConfigError(
            f"cannot listen for CoAP on {host}:{port}: {error.strerror}", _fix(error)
        ) from error
    return door


def _fix(error: OSError) -> str:
    if error.errno == errno.EAFNOSUPPORT:
        return (
            "this kernel has no IPv6, and CoAP over IPv4 goes through it, too: load the module"
            " (modprobe ipv6), or boot without ipv6.disable=1. net.ipv6.conf.all.disable_ipv6=1"
            " may stay: without IPv6 addresses it works"
        )
    return "stop what has the port, or set [coap] host and port"
