"""Outbox: the queue of sealed envelopes, in RAM first and on flash when that is due.

At least once: what a receipt has not been heard for comes again, which the gateway knows.
Knows nothing of what is in an envelope but its number.

The modes, and what a power cut may cost of what was sealed:

- `always`: every envelope is durable when `put` returns. Nothing.
- `batch`: durable once ten wait, or as many as RAM is for, or one has waited for
  `SPILL_AFTER_MS`. That, at most.
- `outage`: the same, but of time only while the gateway does not answer. What waits for its
  answer when power goes, until the request is given up.
"""

import hashlib

from device import store
from device.segments import HEADER_BYTES, Segments
from protocol import envelope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Files

ALWAYS, BATCH, OUTAGE = "always", "batch", "outage"
MODES = (ALWAYS, BATCH, OUTAGE)
OLDEST, NEWEST = "oldest", "newest"
SPILL_AFTER_MS = 95_000
TEND_MS = 3000
RING_BYTES = 3072  # of ten signed readings it has room for seven envelopes
_RING = 10  # one flush costs about one erase, however much it writes up to a flash block
_QUARANTINED = 4
MARK_BYTES = 24  # epoch and sequence, and the start of the hash of that envelope


class Outbox:
    """`peek` the oldest, `advance` past it once it is kept, `put` at the end.

    `quarantined` counts envelopes set aside, `flash_errors` times that the flash would not take
    something; both, like `dropped` and `corrupt`, since this start. `ended` is the mark of the last
    envelope known of the start before, or empty. Who sends says `unreachable`. `segments` is
    the part on flash.
    """

    def __init__(
        self,
        files: "Files",
        folder: str,
        capacity_bytes: int,
        *,
        mode: str,
        drop: str = OLDEST,
        ring_bytes: int = RING_BYTES,
    ) -> None:
        self.quarantined = 0
        self.capacity_bytes = capacity_bytes
        self.unreachable = False
        self._files = files
        self._folder = folder
        self._mode = mode
        self._drops_newest = drop == NEWEST
        self._ring_limit = ring_bytes
        self.segments = Segments(files, folder, capacity_bytes)
        self.was_made = self.segments.was_made
        newest = self.segments.newest()
        if newest is not None:
            self.segments.mark = max(self.segments.mark, _mark(newest))
        self.ended = self.segments.mark
        self._ring: list[bytes] = []  # newer than all on flash
        self._ring_ms: list[int] = []  # when each of them was put
        self._ring_bytes = 0
        self._dropped = 0
        self._in_flight = False  # `peek` has returned the first of the ring

    @property
    def dropped(self) -> int:
        return self.segments.dropped + self._dropped

    @property
    def corrupt(self) -> int:
        return self.segments.corrupt

    @property
    def flash_errors(self) -> int:
        return self.segments.flash_errors

    @property
    def used_bytes(self) -> int:
        """Bytes that wait, headers and all."""
        return self.segments.used_bytes + self._ring_bytes

    def put(self, sealed: bytes, now_ms: int) -> None:
        """Adds one. Where the flash fails it stays in RAM; overflow drops, and counts."""
        self._ring.append(sealed)
        self._ring_ms.append(now_ms)
        size = HEADER_BYTES + len(sealed)
        self._ring_bytes += size
        if self._mode == ALWAYS or len(self._ring) >= _RING:
            self.spill()
        elif self._ring_bytes + size > self._ring_limit:  # no room for another like it
            self.spill()
        while self._ring_bytes > self._ring_limit:
            self._drop(-1 if self._drops_newest else 0)

    def loss_window_ms(self, ack_timeout_ms: int) -> int:
        """How old an envelope can get before it is durable, at most."""
        if self._mode == ALWAYS:
            return 0
        # RFC 7252 §4.8.2: after 46.5 timeouts a request is given up, and after as many more one
        # that was acknowledged and not answered
        asking_ms = 93 * ack_timeout_ms
        return SPILL_AFTER_MS + TEND_MS + (asking_ms if self._mode == OUTAGE else 0)

    def tend(self, now_ms: int) -> None:
        """To be called every TEND_MS: spills what has waited in RAM for too long."""
        if self._ring and now_ms - self._ring_ms[0] >= SPILL_AFTER_MS:
            if self._mode != OUTAGE or self.unreachable:
                self.spill()

    def spill(self) -> None:
        """Makes all that waits durable now, if the flash will."""
        while self._drops_newest and self._ring and not self.segments.has_room(self._ring_bytes):
            self._drop(-1)
        if not self._ring:
            return
        try:
            self.segments.append(self._ring)
        except OSError:
            self.segments.flash_errors += 1
            return
        # of what neither the flash nor the gateway has, the next start is better told nothing
        self.segments.mark = _mark(self._ring[-1])
        self._ring, self._ring_ms = [], []
        self._ring_bytes = 0
        if self._in_flight:
            self.segments.peek()  # what is on its way is now the first on flash
            self._in_flight = False

    def peek(self) -> bytes | None:
        """The oldest envelope, or None. OSError where the flash fails to read."""
        self._in_flight = False
        sealed = self.segments.peek()
        if sealed is None and self._ring:
            self._in_flight = True
            sealed = self._ring[0]
        return sealed

    def advance(self) -> None:
        """Steps over what `peek` has just returned; nothing where overflow took it meanwhile."""
        if self._in_flight:
            self.segments.mark = _mark(self._ring[0])
            self._take(0)
            return
        self.segments.advance()

    def set_aside(self, sealed: bytes) -> None:
        """Moves what `peek` has just returned to the quarantine, which keeps the last few."""
        slot = self._folder + f"/quarantine.{self.quarantined % _QUARANTINED}"
        store.save(self._files, slot, sealed)
        self.quarantined += 1
        self.advance()

    def close(self) -> None:
        """For a planned stop or a sleep: nothing is lost, or comes twice; no file stays open."""
        self.spill()
        self.segments.save_cursor()
        self.segments.close()

    def _drop(self, index: int) -> None:
        self._take(index)
        self._dropped += 1

    def _take(self, index: int) -> None:
        self._ring_bytes -= HEADER_BYTES + len(self._ring.pop(index))
        self._ring_ms.pop(index)
        if not self._ring or index == 0:
            self._in_flight = False


def _mark(sealed: bytes) -> bytes:
    """Later envelopes have larger ones."""
    digest: bytes = hashlib.sha256(sealed).digest()
    return envelope.number_in(sealed) + digest[: MARK_BYTES - 8]
