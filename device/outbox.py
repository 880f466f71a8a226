"""Outbox: the durable queue of sealed envelopes, a log of segments on flash.

Returns from `put` mean durable. At least once: after a power cut up to `_ADVANCES_PER_SAVE`
envelopes come again, which the gateway knows. Overflow drops the oldest segment and counts.
Knows nothing of what is in an envelope.
"""

import binascii
import os
import struct

from device import store
from protocol.limits import MAX_ENVELOPE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from device.shapes import Files

HEADER = ">BBHI"  # magic, version, length, CRC-32 of the envelope
HEADER_BYTES = 8
MAGIC = 0xA5
_CURSOR = ">II"  # segment, position
_CURSOR_BYTES = 8
# A little under a flash block, so that a segment is one erase.
_SEGMENT_BYTES = 4000
# Restarts without a network leave short segments: their number is bounded as well.
_SHORT_SEGMENTS = 4
_ADVANCES_PER_SAVE = 8
_QUARANTINED = 4
_READ_ATTEMPTS = 8
_ENOENT, _ENOSPC = 2, 28


class Outbox:
    """`peek` the oldest, `advance` past it once it is kept, `put` at the end.

    `dropped` counts envelopes lost to overflow, `corrupt` those the flash gave back damaged,
    `quarantined` those set aside, all since this start.
    """

    def __init__(self, files: "Files", folder: str, capacity_bytes: int) -> None:
        self.dropped = self.corrupt = self.quarantined = 0
        self.capacity_bytes = capacity_bytes
        self._files = files
        self._folder = folder
        self._segment_bytes = min(_SEGMENT_BYTES, capacity_bytes // 4)
        self._max_segments = _SHORT_SEGMENTS * (capacity_bytes // self._segment_bytes)
        self.was_made = store.make_folder(folder)
        self._sizes = self._find_segments()  # segment -> bytes in it
        self._segments = sorted(self._sizes)  # oldest first
        self._total_bytes = sum(self._sizes.values())
        self._segment, self._at = self._load_cursor()
        # A segment of an earlier start may end in a torn envelope: never append to one.
        self._last = max(self._segments + [self._segment])
        self._open: BinaryIO | None = None
        self._peeked_bytes = 0
        self._unsaved = 0
        self._read_faults = 0
        while self._segments and self._segments[0] < self._segment:
            at = self._at
            self._remove(self._segments[0])
            self._at = at

    @property
    def used_bytes(self) -> int:
        """Bytes that wait, headers and all."""
        if self._segment not in self._sizes:
            return self._total_bytes
        return self._total_bytes - self._at

    def put(self, envelope: bytes) -> None:
        """Appends durably. OSError where the flash will not, whatever is dropped for it."""
        size = HEADER_BYTES + len(envelope)
        self._make_room(size)
        while True:
            try:
                self._append(envelope)
                break
            except OSError as error:
                if error.errno != _ENOSPC or not self._drop_oldest():
                    raise
        self._sizes[self._last] += size
        self._total_bytes += size

    def peek(self) -> bytes | None:
        """The oldest envelope, or None. Steps over what the flash no longer gives back whole.

        OSError where the flash fails to read; after some of those the segment is given up.
        """
        while self._segments:
            if self._segment != self._segments[0]:
                self._segment, self._at = self._segments[0], 0
            envelope = self._read()
            if envelope is not None:
                return envelope
            if self._segment == self._last and self._open is not None:
                return None
            self._remove(self._segment)
        return None

    def advance(self) -> None:
        """Steps over what `peek` has just returned; nothing where overflow took it meanwhile."""
        self._at += self._peeked_bytes
        self._peeked_bytes = 0
        self._unsaved += 1
        if self._unsaved >= _ADVANCES_PER_SAVE:
            self.save_cursor()

    def set_aside(self, envelope: bytes) -> None:
        """Moves what `peek` has just returned to the quarantine, which keeps the last few."""
        slot = self._folder + f"/quarantine.{self.quarantined % _QUARANTINED}"
        store.save(self._files, slot, envelope)
        self.quarantined += 1
        self.advance()

    def save_cursor(self) -> None:
        """Makes the place durable now."""
        if self._unsaved:
            place = struct.pack(_CURSOR, self._segment, self._at)
            store.save(self._files, self._folder + "/cursor", place)
            self._unsaved = 0

    def close(self) -> None:
        """For a planned stop: nothing comes twice, and no file stays open."""
        self.save_cursor()
        self._close_segment()

    # Start

    def _find_segments(self) -> dict[int, int]:
        sizes: dict[int, int] = {}
        for name in os.listdir(self._folder):
            if name.startswith("s") and len(name) == 9:
                sizes[int(name[1:], 16)] = os.stat(self._folder + "/" + name)[6]
        return sizes

    def _load_cursor(self) -> tuple[int, int]:
        place = store.load(self._folder + "/cursor")
        if place is None or len(place) != _CURSOR_BYTES:
            return 0, 0
        segment, at = struct.unpack(_CURSOR, place)
        return segment, at

    # Writing

    def _append(self, envelope: bytes) -> None:
        if self._open is None:
            self._last += 1
            self._open = open(self._path(self._last), "wb")
            self._segments.append(self._last)
            self._sizes[self._last] = 0
        crc = binascii.crc32(envelope) & 0xFFFFFFFF
        try:
            self._open.write(struct.pack(HEADER, MAGIC, 0, len(envelope), crc) + envelope)
            self._files.sync(self._open)
        except OSError:
            # How much reached the flash is unknown: this segment is closed for good.
            self._close_segment()
            raise

    def _make_room(self, size: int) -> None:
        if self._open is not None and self._sizes[self._last] + size > self._segment_bytes:
            self._close_segment()
        full = self._total_bytes + size > self.capacity_bytes
        while full or (self._open is None and len(self._segments) >= self._max_segments):
            if not self._drop_oldest():
                break
            full = self._total_bytes + size > self.capacity_bytes

    def _close_segment(self) -> None:
        file, self._open = self._open, None
        if file is not None:
            try:
                file.close()
            except OSError:
                pass  # it is given up; what was synced is on the flash

    def _drop_oldest(self) -> bool:
        """Whether there was a segment to drop; never the one being written."""
        if not self._segments or (self._open is not None and self._segments[0] == self._last):
            return False
        if self._segment != self._segments[0]:
            self._segment, self._at = self._segments[0], 0
        while self._read() is not None:
            self._at += self._peeked_bytes
            self.dropped += 1
        self._peeked_bytes = 0
        self._remove(self._segment)
        return True

    # Reading

    def _read(self) -> bytes | None:
        """The envelope at the cursor; None at the end of the segment or of what is readable."""
        try:
            with open(self._path(self._segment), "rb") as file:
                file.seek(self._at)
                envelope = self._next_whole(file)
        except OSError as error:
            self._read_faults += 1
            if error.errno != _ENOENT and self._read_faults < _READ_ATTEMPTS:
                raise
            self.corrupt += 1
            envelope = None
        self._read_faults = 0
        return envelope

    def _next_whole(self, file: "BinaryIO") -> bytes | None:
        while True:
            header = file.read(HEADER_BYTES)
            if len(header) < HEADER_BYTES:
                return None
            magic, version, size, crc = struct.unpack(HEADER, header)
            if magic != MAGIC or version or size > MAX_ENVELOPE_BYTES:
                self.corrupt += 1
                return None
            envelope = file.read(size)
            if len(envelope) < size:
                return None
            if binascii.crc32(envelope) & 0xFFFFFFFF == crc:
                self._peeked_bytes = HEADER_BYTES + size
                return envelope
            self.corrupt += 1
            self._at += HEADER_BYTES + size

    def _remove(self, segment: int) -> None:
        self._segments.remove(segment)
        self._total_bytes -= self._sizes.pop(segment)
        self._at = 0
        try:
            os.remove(self._path(segment))
        except OSError:
            pass  # then it is found, and sent, again at the next start

    def _path(self, segment: int) -> str:
        return self._folder + f"/s{segment:08x}"
