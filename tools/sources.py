"""What `verify` needs of a ledger, and where it gets one: files, or a running gateway."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from protocol.rulings import Ruling

# index, kind, source, received_ms, leaf, chain value, salt, body: as stored, text as bytes.
# A deleted body is None, its salt empty.
Row = tuple[int, bytes, bytes, int, bytes, bytes, bytes, bytes | None]
GIVEN, BESIDE, NO_KEY = "you gave it", "it lay beside the ledger", "none"


class UnusableError(Exception):
    """The target cannot be read; the message says what to do."""


class Ledger(Protocol):
    """`notes` are the checkpoints it shows; `size` is how many entries we saw last."""

    name: str
    origin: str  # what the ledger calls itself; "" where it does not
    notes: list[str]
    vkey: str
    key_from: str  # GIVEN, BESIDE or NO_KEY
    is_copy: bool  # a collector's, which is judged more gently
    calls_itself_copy: bool  # nothing but what is to be judged says so
    shows_nodes: bool  # stored subtree hashes
    size: int
    way: str  # how it is read, for people

    def rows(self, start: int, stop: int) -> list[Row]:
        """Entries from `start` on, in order, in one view; at least one if there are any."""

    def rulings(self, start: int, stop: int) -> Iterator[Ruling]: ...

    def look_again(self) -> None:
        """Sets `size` to what is there now."""

    def check_node(self, level: int, n: int, value: bytes) -> None:
        """TamperedError where this subtree's stored hash is another or missing."""

    def check_strays(self) -> None:
        """TamperedError where something is stored that belongs to no entry."""

    def close(self) -> None: ...


def trusted_keys(path: Path) -> dict[str, str]:
    """origin -> verifier key, of a collector's directory."""
    try:
        trusted = tomllib.loads((path / "collector.toml").read_text()).get("trust", [])
    except ValueError as error:
        raise UnusableError(f"{path / 'collector.toml'}: {error}") from error
    # as the collector itself: the first key of a ledger that it was told is the one it goes by
    return {key.split("+", 1)[0]: key for key in reversed(trusted)}


def text_of(path: Path) -> str:
    return path.read_text(errors="replace") if path.is_file() else ""
