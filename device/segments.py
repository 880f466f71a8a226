"""Segments: envelopes on flash, in files of about one flash block, and the place of the reader.

What `append` returned from is durable. At least once: after a power cut up to
`_ADVANCES_PER_SAVE` envelopes come again, which the gateway knows.
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

_HEADER = ">BBHI"  # magic, version, length, CRC-32 of the envelope
HEADER_BYTES = 8
_MAGIC = 0xA5
_CURSOR = ">II"  # segment, position; what `mark` was follows
_CURSOR_BYTES = 8
# A little under a flash block, so that a segment is one erase.
_SEGMENT_BYTES = 4000
# Restarts without a network leave short segments: their number is bounded as well.
_SHORT_SEGMENTS = 4
_ADVANCES_PER_SAVE = 32  # about a segment of them: each save wears metadata
_READ_ATTEMPTS = 8
_ENOENT, _ENOSPC = 2, 28


class Segments:
    """`dropped` counts envelopes given up for newer ones, `corrupt` those that came back damaged.

    `total_bytes` is what all segments hold, headers and all. `mark` is a few bytes of the owner's
    that are kept with the place; `flash_errors` counts the times that it could not be. `last` is
    the newest segment ever, `opened` its file while it is written.
    """

    def __init__(self, files: "Files", folder: str, capacity_bytes: int) -> None:
        self.dropped = self.corrupt = self.flash_errors = 0
        self._in_doubt = 0  # given up while on its way: dropped, unless it is kept after all
        self._files = files
        self._folder = folder
        self._capacity_bytes = capacity_bytes
        self._segment_bytes = min(_SEGMENT_BYTES, capacity_bytes // 4)
        self._max_segments = _SHORT_SEGMENTS * (capacity_bytes // self._segment_bytes)
        self.was_made = store.make_folder(folder)
        self.sizes: dict[int, int] = {}  # segment -> bytes in it
        for name in os.listdir(folder):
            if name.startswith("s") and len(name) == 9:
                self.sizes[int(name[1:], 16)] = os.stat(folder + "/" + name)[6]
        self._segments = sorted(self.sizes)  # oldest first
        self.total_bytes = sum(self.sizes.values())
        self._segment = self._at = 0
        self.mark = self.saved_mark = b""
        self._load_cursor()
        # A segment of an earlier start may end in a torn envelope: never append to one.
        self.last = max(self._segments + [self._segment])
        self.opened: BinaryIO | None = None
        self._peeked_bytes = 0
        self._unsaved = 0
        self._read_faults = 0
        at = self._at
        while self._segments and self._segments[0] < self._segment:
            self._remove(self._segments[0])
            self._at = at

    @property
    def used_bytes(self) -> int:
        """Bytes that wait, headers and all."""
        return self.total_bytes - (self._at if self._segment in self.sizes else 0)

    def has_room(self, size: int) -> bool:
        """Whether nothing must be given up for so many bytes more, headers and all."""
        if self.total_bytes + size > self._capacity_bytes:
            return False
        return self.opened is not None or len(self._segments) < self._max_segments

    def append(self, envelopes: list[bytes]) -> None:
        """Appends durably, and gives up the oldest for it. OSError where the flash will not.

        All go into one segment, so that they cost one flush.
        """
        size = sum([HEADER_BYTES + len(envelope) for envelope in envelopes])
        if self.opened is not None and self.sizes[self.last] + size > self._segment_bytes:
            self._close_segment()
        for envelope in envelopes:
            size = HEADER_BYTES + len(envelope)
            while not self.has_room(size) and self._drop_oldest():
                pass
            while True:
                try:
                    self._write(envelope)
                    break
                except OSError as error:
                    if error.errno != _ENOSPC or not self._drop_oldest():
                        raise
        self._sync()

    def peek(self) -> bytes | None:
        """The oldest envelope, or None. Steps over what the flash no longer gives back whole.

        OSError where the flash fails to read; after some of those the segment is given up.
        """
        self.dropped += self._in_doubt
        self._in_doubt = 0
        while self._segments:
            if self._segment != self._segments[0]:
                self._segment, self._at = self._segments[0], 0
            envelope = self._read()
            if envelope is not None:
                return envelope
            if self._segment == self.last and self.opened is not None:
                return None
            self.save_cursor()  # with these envelopes goes the proof that there were any
            self._remove(self._segment)
        return None

    def advance(self) -> None:
        """Steps over what `peek` has just returned; nothing where it was given up meanwhile."""
        self._at += self._peeked_bytes
        self._peeked_bytes = self._in_doubt = 0
        self._unsaved += 1
        if self._unsaved >= _ADVANCES_PER_SAVE:
            self.save_cursor()

    def save_cursor(self) -> None:
        """Makes the place durable now, and `mark` with it. Without it a few come again."""
        if self._unsaved or self.mark != self.saved_mark:
            place = struct.pack(_CURSOR, self._segment, self._at)
            try:
                store.save(self._files, self._folder + "/cursor", place + self.mark)
            except OSError:
                self.flash_errors += 1
            self._unsaved = 0
            self.saved_mark = self.mark

    def newest(self) -> bytes | None:
        """The last whole envelope of the newest segment, read or not; None where there is none."""
        newest = None
        if self._segments:
            place = self._segment, self._at, self.corrupt
            self._segment, self._at = self._segments[-1], 0
            try:
                envelope = self._read()
                while envelope is not None:
                    newest = envelope
                    self._at += self._peeked_bytes
                    envelope = self._read()
            except OSError:
                pass  # whoever reads it next is told
            self._segment, self._at, self.corrupt = place
            self._peeked_bytes = 0
        return newest

    def close(self) -> None:
        """No file stays open."""
        self._close_segment()

    def _load_cursor(self) -> None:
        place = store.load(self._folder + "/cursor")
        if place is not None and len(place) >= _CURSOR_BYTES:
            self._segment, self._at = struct.unpack(_CURSOR, place[:_CURSOR_BYTES])
            self.mark = self.saved_mark = place[_CURSOR_BYTES:]

    # Writing

    def _write(self, envelope: bytes) -> None:
        if self.opened is None:
            self.last += 1
            self.opened = open(self.path(self.last), "wb")
            self._segments.append(self.last)
            self.sizes[self.last] = 0
        crc = binascii.crc32(envelope) & 0xFFFFFFFF
        try:
            self.opened.write(struct.pack(_HEADER, _MAGIC, 0, len(envelope), crc) + envelope)
        except OSError:
            self._close_segment()
            raise
        self.sizes[self.last] += HEADER_BYTES + len(envelope)
        self.total_bytes += HEADER_BYTES + len(envelope)

    def _sync(self) -> None:
        if self.opened is not None:
            try:
                self._files.sync(self.opened)
            except OSError:
                # How much reached the flash is unknown: this segment is closed for good.
                self._close_segment()
                raise

    def _close_segment(self) -> None:
        file, self.opened = self.opened, None
        if file is not None:
            try:
                file.close()
            except OSError:
                pass  # it is given up; what was synced is on the flash

    def _drop_oldest(self) -> bool:
        """Whether there was a segment to drop; never the one being written."""
        if not self._segments or (self.opened is not None and self._segments[0] == self.last):
            return False
        if self._segment != self._segments[0]:
            self._segment, self._at = self._segments[0], 0
        if self._peeked_bytes:
            self.dropped -= 1
            self._in_doubt = 1
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
            with open(self.path(self._segment), "rb") as file:
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
            magic, version, size, crc = struct.unpack(_HEADER, header)
            if magic != _MAGIC or version or not 0 < size <= MAX_ENVELOPE_BYTES:
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
        self.total_bytes -= self.sizes.pop(segment)
        self._at = 0
        try:
            os.remove(self.path(segment))
        except OSError:
            pass  # then it is found, and sent, again at the next start

    def path(self, segment: int) -> str:
        return self._folder + f"/s{segment:08x}"
