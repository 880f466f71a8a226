"""Puts together the identity of a device that signs. A board runs it once, and lets go of it."""

from device import counter, keys
from device.config import DEEP, ConfigError
from device.signer import COUPONS, SigningIdentity
from device.table_file import open_table
from protocol.ecdsa import Signer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.config import Config
    from device.shapes import Board
    from device.table import Table

# What is of no use afterwards.
USED_ONCE = ("device.keys", "device.table_file", "protocol.keypair", "device.signing")


def make(board: "Board", settings: "Config", folder: str, epoch: int) -> SigningIdentity:
    """The identity of this start. ConfigError without a key or a table.

    Coupons need an epoch that no other start has: without one that can be read back, or where it
    goes on after a sleep, there are none, and each signature is the one of RFC 6979, which needs no
    state.
    """
    table = open_table(folder)
    try:
        private, public = _pair(board, settings, folder, table)
    except ConfigError:
        table.close()
        raise
    signer = Signer(
        private,
        table.read,
        board.random_bytes,
        boot=epoch.to_bytes(4, "big"),
        coupons=COUPONS if settings.sleep != DEEP and counter.is_kept(folder, epoch) else 0,
    )
    return SigningIdentity(settings, public, epoch, signer=signer, table=table)


def _pair(board: "Board", settings: "Config", folder: str, table: "Table") -> tuple[bytes, bytes]:
    """The private and the public key."""
    if settings.key is None:
        pair = keys.load(folder)
    else:
        pair = keys.given(settings.key, table, board)
    if pair is None:
        raise ConfigError("profile: no key to sign with; enrol the device again")
    return pair
