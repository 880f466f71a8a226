"""Bodies that arrive in blocks (Block1, RFC 7959 §2.5), bounded in size, number and time.

Pure. A body is known by its request-key (RFC 9175 §3.3): who sends it from where, and every
option that says what is meant. Those who are nobody share a few places of their own, so that
they cannot keep out those who are somebody.
"""

from collections import Counter
from collections.abc import Hashable
from typing import NamedTuple

from gateway.coap.blocks import Block
from gateway.coap.requests import BLOCK1, BLOCK2, OBSERVE, Request
from gateway.errors import BusyError, GatewayError, IncompleteError, RateError
from protocol.errors import MalformedError, TooLargeError

# RFC 7252 §4.8.2: nobody retransmits a block for longer than MAX_TRANSMIT_WAIT.
IDLE_MS = 93_000
_NO_CACHE_KEY, _NO_CACHE_KEY_MASK = 0x1C, 0x1E  # RFC 7252 §5.4.2


class Limits(NamedTuple):
    """At most so many bodies at once, in all and of one peer, of so many bytes together."""

    bodies: int
    bodies_per_peer: int
    total_bytes: int


OF_SOMEBODY = Limits(bodies=64, bodies_per_peer=4, total_bytes=16 << 20)
OF_NOBODY = Limits(bodies=64, bodies_per_peer=2, total_bytes=128 << 10)


class _Body:
    def __init__(self, peer: Hashable) -> None:
        self.peer = peer
        self.data = bytearray()
        self.last = Block(-1, True, 0)
        self.touched_ms = 0


class Assembly:
    """The bodies under way of one kind of sender, the one idle for longest first."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._bodies: dict[Hashable, _Body] = {}
        self._of_peer: Counter[Hashable] = Counter()
        self._total_bytes = 0

    def __len__(self) -> int:
        return len(self._bodies)

    @property
    def total_bytes(self) -> int:
        return self._total_bytes

    def add(self, request: Request, block: Block, *, max_bytes: int, now_ms: int) -> bytes | None:
        """The whole body with its last block, None while more follow.

        MalformedError where a block has not its size, IncompleteError where one is missing,
        TooLargeError over `max_bytes`, RateError and BusyError where there is no place. After
        any of these nothing of the body is left.
        """
        self._expire(now_ms)
        key = request_key(request)
        if not block.number:
            self._drop(key)
        if (block.more and len(request.payload) != block.size) or len(request.payload) > block.size:
            self._drop(key)
            raise MalformedError(f"{len(request.payload)} bytes in a block of {block.size}")
        if not block.number and not block.more:
            return request.payload
        body = self._body(key, request.peer, block, now_ms)
        self._append(key, body, block, request.payload, max_bytes)
        body.touched_ms = now_ms
        if block.more:
            self._bodies[key] = self._bodies.pop(key)  # the newest last
            return None
        self._drop(key)
        return bytes(body.data)

    def _body(self, key: Hashable, peer: Hashable, block: Block, now_ms: int) -> _Body:
        body = self._bodies.get(key)
        if body is not None:
            return body
        if block.number:
            raise IncompleteError(f"block {block.number} of a body that has not begun, or is gone")
        if self._of_peer[peer] >= self._limits.bodies_per_peer:
            oldest = min(body.touched_ms for body in self._bodies.values() if body.peer == peer)
            raise _later(RateError("too many bodies at once"), oldest, now_ms)
        if len(self._bodies) >= self._limits.bodies:
            oldest = next(iter(self._bodies.values())).touched_ms
            raise _later(BusyError("too many bodies under way"), oldest, now_ms)
        body = self._bodies[key] = _Body(peer)
        self._of_peer[peer] += 1
        return body

    def _append(
        self, key: Hashable, body: _Body, block: Block, payload: bytes, max_bytes: int
    ) -> None:
        if block == body.last and body.data.endswith(payload):
            return  # its answer was lost: the same block again, under a new message ID
        if block.start != len(body.data):
            self._drop(key)
            raise IncompleteError(f"block {block.number} is not the next one")
        if len(body.data) + len(payload) > max_bytes:
            self._drop(key)
            raise TooLargeError(f"over {max_bytes} bytes", max_bytes)
        if self._total_bytes + len(payload) > self._limits.total_bytes:
            self._drop(key)
            raise BusyError("too many bytes under way")
        body.data += payload
        body.last = block
        self._total_bytes += len(payload)

    def _expire(self, now_ms: int) -> None:
        while self._bodies:
            key, body = next(iter(self._bodies.items()))
            if now_ms - body.touched_ms < IDLE_MS:
                return
            self._drop(key)

    def _drop(self, key: Hashable) -> None:
        body = self._bodies.pop(key, None)
        if body is None:
            return
        self._total_bytes -= len(body.data)
        self._of_peer[body.peer] -= 1
        if not self._of_peer[body.peer]:
            del self._of_peer[body.peer]


def request_key(request: Request) -> Hashable:
    """What has to be the same in every block of one body (RFC 9175 §3.3)."""
    options = tuple(
        option
        for option in request.options
        if option[0] not in (BLOCK1, BLOCK2, OBSERVE)
        and option[0] & _NO_CACHE_KEY_MASK != _NO_CACHE_KEY
    )
    return request.peer, request.who, request.code, options


def _later(error: GatewayError, touched_ms: int, now_ms: int) -> GatewayError:
    """The error, with when the body touched last at `touched_ms` gives up its place."""
    error.retry_after_s = max(1, (touched_ms + IDLE_MS - now_ms + 999) // 1000)
    return error
