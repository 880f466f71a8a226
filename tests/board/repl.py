"""What the interpreter on the board is doing, told from the bytes that come from it.

Sans I/O: bytes in, bytes out. The Unix port's REPL is the firmware's, but for two things that
are made up for here: a soft reset ends the process, and Ctrl-C comes as a signal.
"""

MARKER = b"\x00BOARD\x00"  # printed by inside/boot.py once the flash is mounted
RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
ENTER_RAW = b"\x01"
_PROMPT, _DONE = b">>> ", b"\x04>"
_FRIENDLY_BANNER = b"MicroPython "
_TAIL_BYTES = 40

# stages of a start
BOOTING = "booting"  # nothing is shown until the marker
HIDDEN = "hidden"  # raw before the soft reset: the friendly prompt is not to be seen
ENTERING = "entering raw"  # Ctrl-A was sent to it in the client's name
UP = "up"


class Repl:
    """One life of an interpreter; `was_raw` says that the life before it ended in the raw REPL."""

    def __init__(self, was_raw: bool) -> None:
        self.stage = BOOTING
        self.raw = was_raw
        self.executing = not was_raw
        self._after_marker = HIDDEN if was_raw else UP
        self._held = b""

    @property
    def is_up(self) -> bool:
        return self.stage == UP

    def from_board(self, data: bytes) -> tuple[bytes, bytes]:
        """(for the client, for the board)."""
        if self.stage == UP:
            self._follow(data)
            return data, b""
        self._held += data
        if self.stage == BOOTING and MARKER in self._held:
            self._held = self._held.replace(MARKER, b"")
            self.stage = self._after_marker
        if self.stage == UP:
            return self._release(0)
        if self.stage == HIDDEN and self._held.endswith(_PROMPT):
            shown = self._held[: self._held.find(_FRIENDLY_BANNER)]
            self._held, self.stage = b"", ENTERING
            return shown, ENTER_RAW
        if self.stage == ENTERING and RAW_BANNER in self._held:
            self.stage = UP
            return self._release(self._held.find(RAW_BANNER))
        return b"", b""

    def to_board(self, data: bytes) -> None:
        """Ctrl-D in the raw REPL starts what was sent before it."""
        if self.raw and data.endswith(b"\x04"):
            self.executing = True

    def _release(self, start: int) -> tuple[bytes, bytes]:
        shown, self._held = self._held[start:], b""
        self._follow(shown)
        return shown, b""

    def _follow(self, data: bytes) -> None:
        self._held = tail = (self._held + data)[-_TAIL_BYTES:]
        if tail.endswith(_PROMPT):
            self.raw = self.executing = False
        elif tail.endswith(RAW_BANNER):
            self.raw, self.executing = True, False
        elif tail.endswith(_DONE):
            self.executing = False
