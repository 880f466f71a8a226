"""The notifier's side of aiocoap's socket: datagrams out, and ACKs and RSTs before aiocoap.

aiocoap has no public place for this: `request_interfaces`, `message_interface`, its `_ctx`,
and `_next_message_id` are its own, which is why its version is pinned.
"""

from collections.abc import Hashable
from socket import IPPROTO_IPV6, IPV6_PKTINFO
from typing import Any, cast

import aiocoap

from gateway.coap.observe import Observers
from gateway.coap.site import peer_of


class Tap:
    """Between an aiocoap context's socket and its message manager."""

    def __init__(self, context: aiocoap.Context) -> None:
        self._manager: Any = context.request_interfaces[0].token_interface
        self._socket: Any = self._manager.message_interface
        self.observers: Observers | None = None
        self._socket._ctx = self

    def next_message_id(self) -> int:
        return int(self._manager._next_message_id())

    def send(self, data: bytes, peer: Hashable) -> None:
        address, pktinfo = cast(tuple[Any, bytes | None], peer)
        packed = [] if pktinfo is None else [(IPPROTO_IPV6, IPV6_PKTINFO, pktinfo)]
        self._socket.transport.sendmsg(data, packed, 0, address)

    def dispatch_message(self, message: aiocoap.Message) -> None:
        observers = self.observers
        if observers is not None and message.code is aiocoap.Code.EMPTY:
            peer = peer_of(message.remote)
            if message.mtype is aiocoap.ACK and observers.acknowledged(peer, message.mid):
                return
            if message.mtype is aiocoap.RST and observers.reset(peer, message.mid):
                return
        self._manager.dispatch_message(message)

    def dispatch_error(self, error: Exception, remote: object) -> None:
        self._manager.dispatch_error(error, remote)
