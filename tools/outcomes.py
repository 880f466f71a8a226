"""What came of a device's commands: its own readings, in the ledger beside whoever writes it."""

from gateway.directory import Directory
from gateway.ledger.batch import PACK
from gateway.store import Query
from gateway.store.sqlite import looking_at
from protocol import cbor_reader, resolve
from protocol.errors import MalformedError, ProtocolError

_RECENT = 20_000  # entries that are looked through


class Outcomes:
    """`found`: by a command's id, as far as `look` has looked."""

    def __init__(self, directory: Directory, name: str, *, from_now_on: bool = False) -> None:
        self.found: dict[int, str] = {}
        self._directory = directory
        self._name = name
        with looking_at(directory.ledger) as view:
            last = view.last()
        size = last.index + 1 if last else 0
        self._after = size - 1 if from_now_on else max(size - 1 - _RECENT, -1)

    def look(self) -> None:
        """Goes on where the last look ended."""
        marker = b"command"
        with looking_at(self._directory.ledger) as view:
            while True:
                page = view.select(Query(after=self._after, kind=PACK, source=self._name))
                for entry in page.entries:
                    if entry.body is not None and marker in entry.body:
                        self._read(entry.body)
                if page.next_after == self._after:
                    return
                self._after = page.next_after

    def _read(self, body: bytes) -> None:
        try:
            readings = resolve.decode_pack(_payload(body))
        except ProtocolError:
            return
        for reading in readings:
            if reading.name == f"{self._name}/command" and isinstance(reading.value, str):
                number, _, outcome = reading.value.partition(" ")
                if number.isdigit():
                    self.found[int(number)] = outcome


def _payload(body: bytes) -> bytes:
    """Of an envelope of either profile: both are arrays of four, the third of which it is."""
    parts = cbor_reader.decode(body)
    if not isinstance(parts, list) or len(parts) != 4 or not isinstance(parts[2], bytes):
        raise MalformedError("no envelope")
    return parts[2]
