"""Chains: whether all packs that a device has signed are here, in the order it signed them.

Each pack has a number and the hash of the one before it. So what is missing between two shows,
and what is missing at the end of a start shows once the next start names another one. In
constant memory for each device.
"""

from collections import deque
from dataclasses import dataclass, field

from protocol import resolve, sign1
from protocol.errors import ProtocolError
from protocol.senml import Reading
from protocol.sign1_reader import UNKNOWN_BEFORE, Signed

_RECENT = 256  # packs that a start may go on from: what came after them was never on flash
_MAX_GAPS = 64  # that are remembered, to tell what is late from what is there twice
_LOSSES = ("dropped", "quarantined", "corrupt")  # how a device tells of packs that nobody will get


@dataclass
class Sender:
    """What is known of one device. `lost` packs are told by itself; of the `missing` ones the
    first few are named. `unlinked` starts say nothing of the one before them.
    """

    name: str
    signed: int = 0
    by_gateway: int = 0
    deleted: int = 0
    missing: int = 0
    lost: int = 0
    unlinked: int = 0
    missing_named: list[str] = field(default_factory=list)

    @property
    def withheld(self) -> int:
        """Missing packs that the device does not tell of: withheld, or lost on their way."""
        return max(self.missing - self.lost, 0)


class Chain:
    """One key of a device. `links` are the newest packs of all keys of its name.

    `goes_on`: the ledger goes on from another one, where what came before may be.
    """

    def __init__(self, sender: Sender, links: "deque[bytes]", *, goes_on: bool) -> None:
        self._sender = sender
        self._links = links
        self._goes_on = goes_on
        self._epoch = -1
        self._next = 0
        self._last = b""
        self._gaps: list[tuple[int, int]] = []  # (start, stop) in this epoch, not seen
        self._told = dict.fromkeys(_LOSSES, 0)  # in this epoch

    def add(self, signed: Signed, body: bytes, deleted: int) -> str | None:
        """The next pack, whose signature holds; what is wrong with its place, if anything.

        `deleted` packs of this device came since the last one, and have no bodies any more.
        """
        if signed.epoch < self._epoch:
            return f"epoch {signed.epoch} after epoch {self._epoch}: not the order it was signed in"
        step = self._start if signed.epoch > self._epoch else self._go_on
        objection = step(signed, deleted)
        if objection and signed.sequence < self._next:
            return objection
        self._next, self._last = signed.sequence + 1, body
        self._links.append(sign1.link(body))
        self._hear(signed)
        return objection

    def _start(self, signed: Signed, deleted: int) -> str | None:
        """The first one here of a start of the device."""
        epoch, seen = self._epoch, self._next
        self._epoch, self._next, self._gaps = signed.epoch, 0, []
        self._told = dict.fromkeys(_LOSSES, 0)
        goes_on, self._goes_on = self._goes_on, False
        if signed.before == UNKNOWN_BEFORE or goes_on:
            self._sender.unlinked += 1
        if goes_on:
            return None
        if signed.sequence:
            self._miss(signed, deleted)
        elif signed.before != UNKNOWN_BEFORE and not deleted and signed.before not in self._links:
            self._miss_end(signed, epoch, seen)
        return None

    def _go_on(self, signed: Signed, deleted: int) -> str | None:
        number = f"{signed.epoch}.{signed.sequence}"
        if signed.sequence < self._next:
            for place, (start, stop) in enumerate(self._gaps):
                if start <= signed.sequence < stop:
                    rest = [(start, signed.sequence), (signed.sequence + 1, stop)]
                    self._gaps[place : place + 1] = [gap for gap in rest if gap[0] < gap[1]]
                    self._sender.missing -= 1
                    return f"pack {number} came too late: not the order it was signed in"
            return f"pack {number} is there twice"
        if signed.sequence > self._next:
            self._miss(signed, deleted)
        elif not deleted and signed.before != sign1.link(self._last):
            return f"pack {number} does not go on from the one before it: another was signed there"
        return None

    def _miss(self, signed: Signed, deleted: int) -> None:
        """The packs from `_next` on, but for those that are here without a body."""
        count = signed.sequence - self._next - deleted
        if count > 0:
            first, last = f"{signed.epoch}.{self._next}", f"{signed.epoch}.{signed.sequence - 1}"
            if not deleted and len(self._gaps) < _MAX_GAPS:
                self._gaps.append((self._next, signed.sequence))
            among = "among " if deleted else ""
            self._note(count, among + (first if first == last else f"{first} to {last}"))

    def _miss_end(self, signed: Signed, epoch: int, seen: int) -> None:
        """The start before went on after pack `seen` - 1 of `epoch`: as far as this one says."""
        ended_epoch, ended = _ended(self._sender.name, signed)
        first = seen if ended_epoch == epoch else 0
        if not 0 <= epoch <= ended_epoch < signed.epoch or ended < first:
            self._note(1, f"the one before {signed.epoch}.0")
            return
        one, last = f"{ended_epoch}.{first}", f"{ended_epoch}.{ended}"
        self._note(ended + 1 - first, one if one == last else f"{one} to {last}")

    def _note(self, count: int, what: str) -> None:
        self._sender.missing += count
        if len(self._sender.missing_named) < _MAX_GAPS:
            self._sender.missing_named.append(what)

    def _hear(self, signed: Signed) -> None:
        """The device counts what it lost since its start, and tells when that has changed."""
        if not any(word.encode() in signed.payload for word in _LOSSES):
            return
        for reading in _readings(signed):
            for word in _LOSSES:
                count = reading.value
                if reading.name == f"{self._sender.name}/{word}" and isinstance(count, int):
                    self._sender.lost += max(count - self._told[word], 0)
                    self._told[word] = max(count, self._told[word])


def _readings(signed: Signed) -> list[Reading]:
    """None, of what is no pack."""
    try:
        return resolve.decode_pack(signed.payload)
    except ProtocolError:
        return []


def _ended(name: str, signed: Signed) -> tuple[int, int]:
    """Epoch and sequence of the last pack that this first one of a start knows of; else -1, -1."""
    for reading in _readings(signed):
        if reading.name == f"{name}/ended" and isinstance(reading.value, str):
            words = reading.value.split()
            if len(words) == 2 and all(word.isascii() and word.isdigit() for word in words):
                return int(words[0]), int(words[1])
    return -1, -1


def new_links() -> "deque[bytes]":
    return deque(maxlen=_RECENT)
