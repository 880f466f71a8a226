"""What a device remembers of the time before a deep sleep: its place, its clock and its schedule.

A board with memory that outlives the sleep goes on in its epoch, and writes no flash for it. What
is recalled there is gone at once, before a number is used: a reset in the middle of a wake finds
nothing, and begins a new epoch. Elsewhere it is a small file, and each wake has its own epoch;
whichever start wrote it, it counts only for the very next one.
"""

import binascii
import struct

from device import counter, store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.agent import Agent
    from device.config import Config
    from device.segments import Segments
    from device.shapes import Board, Slept

_FILE = "/asleep"
_MAGIC = b"TSz1"
# epoch, sequence, link of the last envelope, how many wakes heard nothing, size of the newest
# segment, Unix time and uptime of waking in ms, whether a pack had Unix times, CRC of the
# schedule's sensors; for each sensor, ms ahead
_FORMAT = ">II16sHIQQBI"
_HEAD_BYTES = struct.calcsize(_FORMAT)
_CRC_BYTES = 4
_MOST_SILENT = 0xFFFF


class State:
    """All of it, at the moment of waking. `time_ms` 0 is unknown, `ahead_ms` of each sensor."""

    def __init__(self) -> None:
        self.epoch = self.sequence = self.silent = self.tail_bytes = self.time_ms = 0
        self.uptime_ms = 0
        self.is_placed = False
        self.goes_on = False  # in the same epoch
        self.link = bytes(16)
        self.plan = 0
        self.ahead_ms: list[int] = []


def recall(board: "Board", folder: str) -> "State | None":
    """What the start before this one kept; None after anything but its planned sleep."""
    rest = board.rest()
    if not rest.woke_from_sleep():
        return None
    data = rest.retained()
    in_memory = data is not None
    if data is None:
        data = store.load(folder + _FILE)
    else:
        rest.retain(b"")  # first: no other start may go on from here
    state = _unpacked(data or b"")
    if state is None or not counter.is_kept(folder, state.epoch):
        return None
    state.goes_on = in_memory
    return state


def keep(board: "Board", folder: str, state: State) -> bool:
    """For the next start; whether the epoch goes on then."""
    data, rest = _packed(state), board.rest()
    if rest.retained() is not None:
        rest.retain(data)
        return True
    try:
        store.write(board, folder + _FILE, data)
    except OSError:
        pass  # the next one knows no time until it hears a receipt
    return False


def resume(agent: "Agent", state: "Slept") -> None:
    """The clock, the schedule, the newest segment; and the sequence where the epoch goes on."""
    if state.goes_on:
        agent.packer.sequence, agent.packer.is_placed = state.sequence, state.is_placed
    agent.clock.learn(state.time_ms)
    _go_on(agent.outbox.segments, state.tail_bytes)
    if state.plan == plan_of(agent.settings):
        now_ms = agent.clock.uptime_ms()
        for slot, ahead_ms in zip(agent.sampler.slots, state.ahead_ms):  # noqa: B905 (no strict= on firmware)
            slot.due_ms = now_ms + ahead_ms


def _go_on(segments: "Segments", tail_bytes: int) -> None:
    """Appends to the newest segment, if it is whole, and as long, as the planned sleep left it."""
    if tail_bytes and segments.sizes.get(segments.last, 0) == tail_bytes:
        try:
            segments.opened = open(segments.path(segments.last), "ab")
        except OSError:
            pass  # then a new one is begun


def plan_of(settings: "Config") -> int:
    """Another number for other sensors: then all are due."""
    written = repr([(one.name, one.every_ms, one.at_ms) for one in settings.sensors])
    plan: int = binascii.crc32(written.encode()) & 0xFFFFFFFF
    return plan


def _packed(state: State) -> bytes:
    data = _MAGIC + struct.pack(
        _FORMAT,
        state.epoch,
        state.sequence,
        state.link,
        min(state.silent, _MOST_SILENT),
        state.tail_bytes,
        state.time_ms,
        state.uptime_ms,
        state.is_placed,
        state.plan,
    )
    data += b"".join([struct.pack(">I", ahead) for ahead in state.ahead_ms])
    return data + _crc(data)


def _unpacked(data: bytes) -> "State | None":
    at = len(_MAGIC)
    body = data[:-_CRC_BYTES]
    if len(body) < at + _HEAD_BYTES or data[:at] != _MAGIC or _crc(body) != data[-_CRC_BYTES:]:
        return None
    state = State()
    fields = struct.unpack(_FORMAT, body[at : at + _HEAD_BYTES])
    state.epoch, state.sequence, state.link, state.silent = fields[:4]
    state.tail_bytes, state.time_ms, state.uptime_ms, placed, state.plan = fields[4:]
    state.is_placed = bool(placed)
    for start in range(at + _HEAD_BYTES, len(body), 4):
        state.ahead_ms.append(int.from_bytes(body[start : start + 4], "big"))
    return state


def _crc(data: bytes) -> bytes:
    # & keeps the number unsigned on every firmware
    crc: int = binascii.crc32(data) & 0xFFFFFFFF
    return crc.to_bytes(_CRC_BYTES, "big")
