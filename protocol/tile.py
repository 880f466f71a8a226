"""Tiles: a ledger's hashes and leaves as files that never change (C2SP tlog-tiles).

Only arithmetic: which path is which tile, and which nodes of the tree it is made of.
"""

from collections import namedtuple

from protocol import note as notes
from protocol.errors import MalformedError, TooLargeError
from protocol.merkle import HASH_BYTES

STEP = 8  # levels of the tree in a tile
WIDTH = 1 << STEP
MAX_LEVEL = 63
ENTRIES = -1  # the level of entry bundles
_LENGTH_BYTES = 2
_PARTIAL = ".p"


class Tile(namedtuple("Tile", ("level", "index", "width"))):
    """Tile number `index` of `level`: `width` hashes, or leaves where `level` is ENTRIES."""

    level: int
    index: int
    width: int

    @property
    def tree_level(self) -> int:
        """Its hashes are the roots of complete subtrees of 2**tree_level leaves."""
        return STEP * max(self.level, 0)

    @property
    def start(self) -> int:
        """The number, within that level of the tree, of its first hash."""
        return self.index << STEP

    @property
    def stop(self) -> int:
        return self.start + self.width

    def fits(self, size: int) -> bool:
        """Whether all of it is in a tree of `size` leaves."""
        return self.stop << self.tree_level <= size


def format_path(tile: Tile) -> str:
    """tile/<L>/<N>[.p/<W>]: N in groups of three digits, all but the last after an x."""
    level = "entries" if tile.level == ENTRIES else str(tile.level)
    number, groups = tile.index // 1000, ["{:03d}".format(tile.index % 1000)]
    while number:
        groups.append("x{:03d}".format(number % 1000))
        number //= 1000
    path = "/".join(["tile", level] + groups[::-1])
    return path if tile.width == WIDTH else "{}{}/{}".format(path, _PARTIAL, tile.width)


def parse_path(path: str) -> Tile:
    """The tile of a path in its one spelling; MalformedError for any other text."""
    parts, width = path.split("/"), WIDTH
    if len(parts) > 3 and parts[-2].endswith(_PARTIAL):
        width = notes.parse_size(parts.pop())
        parts[-1] = parts[-1][: -len(_PARTIAL)]
    if len(parts) < 3 or not 0 < width <= WIDTH:
        raise MalformedError("a tile is tile/<L>/<N>[.p/<W>]")
    level = ENTRIES if parts[1] == "entries" else notes.parse_size(parts[1])
    digits = "".join([group[-3:] for group in parts[2:]]).lstrip("0")
    tile = Tile(level, notes.parse_size(digits or "0"), width)
    if level > MAX_LEVEL or format_path(tile) != path:
        raise MalformedError("a tile's path that is not in its one spelling")
    return tile


def encode_bundle(leaves: list[bytes]) -> bytes:
    """An entry bundle: each leaf after its length in two bytes, big endian."""
    for leaf in leaves:
        if len(leaf) >> 8 * _LENGTH_BYTES:
            raise TooLargeError(f"a leaf of {len(leaf)} bytes in a bundle")
    return b"".join([len(leaf).to_bytes(_LENGTH_BYTES, "big") + leaf for leaf in leaves])


def decode_bundle(data: bytes) -> list[bytes]:
    leaves: list[bytes] = []
    at = 0
    while at < len(data):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(data[at:start], "big")
        if start > len(data) or at > len(data) or len(leaves) == WIDTH:
            raise MalformedError("an entry bundle that ends too early, or too late")
        leaves.append(data[start:at])
    return leaves


def decode_hashes(data: bytes) -> list[bytes]:
    """The hashes of a tile; its bytes are nothing but those, one after the other."""
    if len(data) % HASH_BYTES or not 0 < len(data) <= WIDTH * HASH_BYTES:
        raise MalformedError(f"a tile of {len(data)} bytes")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
