"""One confirmable CoAP exchange (RFC 7252 §4.2, §5.2), as its sender sees it.

The caller owns the socket, the clock and the dice; this module owns the rules. Tell it what
happened and when, and do what it returns. Times are ms of any clock that never goes back.
"""

from protocol.errors import OutOfStateError
from protocol.limits import ACK_TIMEOUT_MS, MAX_RETRANSMIT

WAITING, ACKED, DONE, FAILED = "waiting", "acked", "done", "failed"

# (state, event) -> state. What is not in the table is a fault of the peer; nothing changes.
TRANSITIONS = {
    (WAITING, "ack"): ACKED,  # empty ACK: the response comes later, on its own (§5.2.2)
    (WAITING, "response"): DONE,  # piggybacked, or separate with its ACK lost
    (WAITING, "reset"): FAILED,
    (WAITING, "gave-up"): FAILED,
    (ACKED, "ack"): ACKED,  # a duplicate
    (ACKED, "response"): DONE,
    (ACKED, "reset"): FAILED,
    (ACKED, "gave-up"): FAILED,
    (DONE, "ack"): DONE,  # late duplicates, after the answer
    (DONE, "response"): DONE,
}


class Exchange:
    """`state` is one of WAITING, ACKED, DONE, FAILED; the last two are final."""

    def __init__(
        self,
        datagram: bytes,
        now_ms: int,
        jitter: float,
        *,
        ack_timeout_ms: int = ACK_TIMEOUT_MS,
        max_retransmit: int = MAX_RETRANSMIT,
    ) -> None:
        """`datagram` has just been sent. `jitter` is a random number in [0, 1]."""
        self.datagram = datagram
        self.state = WAITING
        self.retransmissions = 0
        self._max_retransmit = max_retransmit
        # After an empty ACK the answer comes by itself, or it does not within MAX_TRANSMIT_WAIT
        # (§4.8.2): 93 s with the defaults.
        self._patience_ms = ack_timeout_ms * ((2 << max_retransmit) - 1) * 3 // 2
        self._wait_ms = int(ack_timeout_ms * (1 + jitter / 2))  # ACK_RANDOM_FACTOR 1.5
        self.due_ms = now_ms + self._wait_ms

    def received(self, event: str, now_ms: int) -> None:
        """Moves on for "ack", "response", "reset" or "gave-up"."""
        state = TRANSITIONS.get((self.state, event))
        if state is None:
            raise OutOfStateError(f"{event} while {self.state}")
        if state == ACKED and self.state == WAITING:
            self.due_ms = now_ms + self._patience_ms
        self.state = state

    def due(self, now_ms: int) -> bytes | None:
        """The datagram to send again now, if it is time; may give up instead."""
        if self.state not in (WAITING, ACKED) or now_ms < self.due_ms:
            return None
        if self.state == ACKED or self.retransmissions == self._max_retransmit:
            self.received("gave-up", now_ms)
            return None
        self.retransmissions += 1
        self._wait_ms *= 2
        self.due_ms = now_ms + self._wait_ms
        return self.datagram
