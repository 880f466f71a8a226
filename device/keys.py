"""The key that a device signs with, as it is kept in the state folder.

The file `key` is the private key, 32 bytes, and the public one, 64, with a CRC. The private key
never leaves the board.
"""

from device import store
from device.config import ConfigError
from device.identity import KEY_FILE
from protocol import keypair

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Board
    from device.table import Table

_PRIVATE_BYTES, _PAIR_BYTES = 32, 96


def load(folder: str) -> tuple[bytes, bytes] | None:
    """The private and the public key; None where none was made, or the file is damaged."""
    pair = store.load(folder + "/" + KEY_FILE)
    if pair is None or len(pair) != _PAIR_BYTES:
        return None
    return pair[:_PRIVATE_BYTES], pair[_PRIVATE_BYTES:]


def given(key: bytes, table: "Table", board: "Board") -> tuple[bytes, bytes]:
    """Both keys where config.json holds the private one: a device that is not flashed."""
    if not keypair.is_private_key(key):
        raise ConfigError("key: no private key of P-256; enrol the device again")
    return key, keypair.public_key(key, table.read, board.random_bytes)
