"""Bulk: up to 64 datagrams in one system call, each way (recvmmsg(2), sendmmsg(2)).

Python has neither, so libc's own are called; `Singly` does the same where there are none. They
never wait and are called with Python's lock held: a lock that is let go for each datagram is
taken by the writer's thread each time, and has to be waited for. The owner is the event loop.
"""

import ctypes
import errno
import os
import socket
import sys
from collections.abc import Sequence
from struct import Struct
from typing import NamedTuple

Address = tuple[str, int, int, int]  # host, port, flow, scope; IPv4 as ::ffff:a.b.c.d
Ancillary = list[tuple[int, int, bytes]]

COUNT = 64  # datagrams in one call
MAX_BYTES = 2048  # longer ones are cut by the kernel, and refused here
_MAX_PEERS = 4096  # whose addresses are kept in both forms
_PKTINFO_BYTES = 20
_CONTROL_BYTES = socket.CMSG_SPACE(_PKTINFO_BYTES)
_MSG_DONTWAIT, _MSG_TRUNC = int(socket.MSG_DONTWAIT), int(socket.MSG_TRUNC)  # enums are slow
# As <sys/socket.h> and <linux/in6.h> have them, on 32 and 64 bits, in glibc and musl.
_IOVEC = Struct("@PN")
_MMSGHDR = Struct("@PIPNPNi0PI0P")  # name, iovec, control, each with its size; flags; bytes
_CONTROL_SIZE = Struct("@PIPNPN").size - Struct("@N").size  # where it stands in a mmsghdr
_SIZE = Struct("@N")
_CMSGHDR = Struct("@Nii")
_FAMILY, _PORT, _SCOPE = Struct("=H"), Struct("!HI"), Struct("=I")
_NAME_BYTES = 28


class Peer(NamedTuple):
    """Where a datagram came from, and (`ancillary`) to which of our addresses."""

    address: Address
    ancillary: Ancillary

    @property
    def pktinfo(self) -> bytes | None:
        """Our address and interface, an in6_pktinfo (RFC 3542 §6)."""
        return self.ancillary[0][2] if self.ancillary else None


Datagram = tuple[bytes, Peer]


class Singly:
    """One datagram a call, as Python can."""

    def __init__(self, door: socket.socket) -> None:
        self._socket = door

    def receive(self) -> list[Datagram]:
        """What has come, at most COUNT datagrams; those that were too long are left out."""
        datagrams: list[Datagram] = []
        for _ in range(COUNT):
            try:
                data, ancillary, flags, address = self._socket.recvmsg(MAX_BYTES, _CONTROL_BYTES)
            except OSError:  # no more, or an ICMP error, which waits in its own queue
                break
            if not flags & _MSG_TRUNC:
                datagrams.append((data, Peer(address, ancillary)))
        return datagrams

    def send(self, datagrams: Sequence[Datagram]) -> int:
        """How many the kernel took, from the first on; OSError where it was none."""
        for sent, (data, peer) in enumerate(datagrams):
            try:
                self._socket.sendmsg((data,), peer.ancillary, 0, peer.address)
            except OSError:
                if not sent:
                    raise
                return sent
        return len(datagrams)


class Bulk:
    """As Singly, COUNT datagrams a call."""

    def __init__(self, door: socket.socket, libc: ctypes.CDLL) -> None:
        self._socket = door
        self._receive, self._send = libc.recvmmsg, libc.sendmmsg
        self._incoming, self._outgoing = _Ring(), _Ring()
        self._peers: dict[bytes, Peer] = {}
        self._names: dict[tuple[Address, bytes | None], tuple[bytes, bytes]] = {}

    def receive(self) -> list[Datagram]:
        ring = self._incoming
        ring.headers[:] = ring.fresh  # the kernel writes the sizes it found over those it was given
        count = self._receive(
            self._socket.fileno(), ctypes.c_void_p(ring.address), COUNT, _MSG_DONTWAIT, None
        )
        if count <= 0:
            return []
        datagrams: list[Datagram] = []
        names, controls = bytes(ring.names), bytes(ring.controls)
        headers = memoryview(ring.headers)[: count * _MMSGHDR.size]
        for place, header in enumerate(_MMSGHDR.iter_unpack(headers)):
            _, _, _, _, _, control_bytes, flags, size = header
            if flags & _MSG_TRUNC:
                continue
            at, end = place * _CONTROL_BYTES, place * _CONTROL_BYTES + control_bytes
            name = names[place * _NAME_BYTES : (place + 1) * _NAME_BYTES]
            start = place * MAX_BYTES
            data = bytes(ring.data[start : start + size])
            datagrams.append((data, self._peer(name + controls[at:end])))
        return datagrams

    def send(self, datagrams: Sequence[Datagram]) -> int:
        ring = self._outgoing
        count = 0
        for data, peer in datagrams[:COUNT]:
            if len(data) > MAX_BYTES:
                break
            ring.put(count, data, *self._name(peer))
            count += 1
        if not count:
            raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
        sent: int = self._send(
            self._socket.fileno(), ctypes.c_void_p(ring.address), count, _MSG_DONTWAIT
        )
        if sent < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return sent

    def _peer(self, raw: bytes) -> Peer:
        """`raw`: a sockaddr_in6, and all control messages behind it."""
        peer = self._peers.get(raw)
        if peer is None:
            if len(self._peers) >= _MAX_PEERS:
                self._peers.clear()
            peer = self._peers[raw] = _decoded(raw)
        return peer

    def _name(self, peer: Peer) -> tuple[bytes, bytes]:
        key = peer.address, peer.pktinfo
        raw = self._names.get(key)
        if raw is None:
            if len(self._names) >= _MAX_PEERS:
                self._names.clear()
            raw = self._names[key] = _encoded(peer)
        return raw


class _Ring:
    """COUNT datagrams as the kernel has them: `address` is that of the first header."""

    def __init__(self) -> None:
        self.data = bytearray(COUNT * MAX_BYTES)
        self.names = bytearray(COUNT * _NAME_BYTES)
        self.controls = bytearray(COUNT * _CONTROL_BYTES)
        self.headers = bytearray(COUNT * _MMSGHDR.size)
        self._iovecs = bytearray(COUNT * _IOVEC.size)
        data, names, controls, iovecs, self.address = map(
            _address_of, (self.data, self.names, self.controls, self._iovecs, self.headers)
        )
        for place in range(COUNT):
            iovec = place * _IOVEC.size
            _IOVEC.pack_into(self._iovecs, iovec, data + place * MAX_BYTES, MAX_BYTES)
            name, control = names + place * _NAME_BYTES, controls + place * _CONTROL_BYTES
            pointers = (name, _NAME_BYTES, iovecs + iovec, 1, control, _CONTROL_BYTES)
            _MMSGHDR.pack_into(self.headers, place * _MMSGHDR.size, *pointers, 0, 0)
        self.fresh = bytes(self.headers)

    def put(self, place: int, data: bytes, name: bytes, control: bytes) -> None:
        start, size = place * MAX_BYTES, len(data)
        self.data[start : start + size] = data
        _SIZE.pack_into(self._iovecs, place * _IOVEC.size + _SIZE.size, size)
        start = place * _NAME_BYTES
        self.names[start : start + _NAME_BYTES] = name
        start, size = place * _CONTROL_BYTES, len(control)
        self.controls[start : start + size] = control
        _SIZE.pack_into(self.headers, place * _MMSGHDR.size + _CONTROL_SIZE, size)


def bulk_or_singly(door: socket.socket) -> Bulk | Singly:
    """The faster one that this system has."""
    libc = ctypes.PyDLL(None, use_errno=True)
    if sys.platform != "linux" or not hasattr(libc, "recvmmsg"):
        return Singly(door)
    return Bulk(door, libc)


def _address_of(room: bytearray) -> int:
    """Where it is, for as long as it lives: what is exported is never moved."""
    return ctypes.addressof(ctypes.c_char.from_buffer(room))


def _decoded(raw: bytes) -> Peer:
    port, flow = _PORT.unpack_from(raw, 2)
    (scope,) = _SCOPE.unpack_from(raw, 24)
    address = (socket.inet_ntop(socket.AF_INET6, raw[8:24]), port, flow, scope)
    control = raw[_NAME_BYTES:]
    if not control:
        return Peer(address, [])
    size, level, kind = _CMSGHDR.unpack_from(control)
    return Peer(address, [(level, kind, control[_CMSGHDR.size : size])])


def _encoded(peer: Peer) -> tuple[bytes, bytes]:
    host, port, flow, scope = peer.address
    packed = socket.inet_pton(socket.AF_INET6, host)
    family, where = _FAMILY.pack(socket.AF_INET6), _PORT.pack(port, flow)
    name = family + where + packed + _SCOPE.pack(scope)
    if not peer.ancillary:
        return name, b""
    ((level, kind, info),) = peer.ancillary
    head = _CMSGHDR.pack(socket.CMSG_LEN(len(info)), level, kind)
    return name, (head + info).ljust(_CONTROL_BYTES, b"\x00")
