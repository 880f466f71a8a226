"""Exchanges: the confirmable messages of ours that nobody has acknowledged yet (RFC 7252 §4.2).

Pure: time and dice in, datagrams to send again out. Bounded: past `MAX_EXCHANGES` a message is
sent once, as if the rest had been lost.
"""

from collections.abc import Iterator

from gateway.coap.bulk import Address, Peer
from protocol.exchange import WAITING, Exchange

MAX_EXCHANGES = 4096


class Exchanges:
    def __init__(self) -> None:
        self._open: dict[tuple[Address, int], tuple[Exchange, Peer]] = {}

    def __len__(self) -> int:
        return len(self._open)

    def add(self, datagram: bytes, peer: Peer, now_ms: int, jitter: float) -> None:
        """`datagram` is sent for the first time now; `jitter` is from 0 to 1."""
        if len(self._open) < MAX_EXCHANGES:
            key = (peer.address, datagram[2] << 8 | datagram[3])
            self._open[key] = (Exchange(datagram, now_ms, jitter), peer)

    def settled(self, address: Address, message_id: int) -> bool:
        """An ACK or RST came; False where it was for nothing of ours."""
        return self._open.pop((address, message_id), None) is not None

    def gone(self, address: Address) -> None:
        """Whoever is there cannot be reached."""
        for key in [key for key in self._open if key[0] == address]:
            del self._open[key]

    def due(self, now_ms: int) -> Iterator[tuple[bytes, Peer]]:
        """What to send again now; forgets what was sent often enough."""
        for key, (exchange, peer) in list(self._open.items()):
            datagram = exchange.due(now_ms)
            if datagram is not None:
                yield datagram, peer
            elif exchange.state != WAITING:
                del self._open[key]
