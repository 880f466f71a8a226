"""What a running board says: one line of JSON an event, told to people in a line of words."""

import json
import time
from collections.abc import Iterator
from typing import Any

from tools.board.faults import BoardError, UnpluggedError
from tools.board.limited import GoneError
from tools.board.link import closed, opened

Event = dict[str, Any]
_MAX_LINE_BYTES = 4096
_AWAY_S = 15  # USB disappears at a reset


class Listener:
    """Reads without interrupting what runs. A port that goes away at a reset is opened again."""

    def __init__(self, port: str) -> None:
        self.port = port
        self._transport: Any = None
        self._line = b""
        self._away_since: float | None = None

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *error: object) -> None:
        self._close()

    def events(self) -> Iterator[Event]:
        """What has come since the last call. UnpluggedError where the port stays away."""
        try:
            data = self._read()
        except (GoneError, BoardError) as error:
            self._close()
            now = time.monotonic()
            self._away_since = self._away_since or now
            if now - self._away_since > _AWAY_S:
                raise UnpluggedError(self.port) from error
            return
        self._away_since = None
        *lines, self._line = (self._line + data).split(b"\n")
        self._line = self._line[-_MAX_LINE_BYTES:]
        for line in lines:
            text = line.decode(errors="replace").strip()
            if text:
                yield parsed(text)

    def _read(self) -> bytes:
        if self._transport is None:
            self._transport = opened(self.port)
        port = self._transport.serial
        port.until = time.monotonic() + 1
        waiting = port.inWaiting()
        return bytes(port.read(waiting)) if waiting else b""

    def _close(self) -> None:
        if self._transport is not None:
            closed(self._transport)
            self._transport = None


def parsed(line: str) -> Event:
    """The event; "said" with the text for what is none, such as a traceback."""
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    if isinstance(event, dict) and isinstance(event.get("event"), str):
        return event
    return {"event": "said", "text": line}


def told(event: Event) -> str:
    """In a line, for people. Control characters of a line that is no event are shown as ?."""
    if event["event"] == "said":
        return "".join(c if c.isprintable() else "?" for c in str(event["text"]))
    rest = "  ".join(f"{key} {value}" for key, value in event.items() if key != "event")
    return f"{event['event']:<14} {rest}".rstrip()
