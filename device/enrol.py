"""Makes this board's key and tells the public one; the host calls it over the REPL, and may again.

`import device.enrol; device.enrol.make_key("/data")` prints one line of JSON, an event as the
device's own: "key" with the public key in hex, or "refused" with the reason.
"""

import os

from device import keys, store
from device.config import ConfigError
from device.identity import KEY_FILE
from device.start import pick_board, report
from device.table_file import open_table
from protocol import keypair
from protocol.errors import FaultError

ENTROPY_FILE = "entropy"
_ENTROPY_BYTES = 32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Board
    from device.table import Table


def make_key(folder: str, board: "Board | None" = None) -> None:
    """Idempotent: the key that was made before is told again."""
    folder = folder.rstrip("/")
    try:
        table = open_table(folder)
        try:
            public = made(folder, table, board or pick_board())
        finally:
            table.close()
    except (ConfigError, FaultError, OSError) as error:
        report("refused", reason=str(error))
    else:
        report("key", public_key=public.hex())


def made(folder: str, table: "Table", board: "Board") -> bytes:
    """The public key of the one pair of this board, made if there is none.

    Some boards have poor dice, so the host gives 32 bytes of its own in the file `entropy`, which
    is deleted once the key is kept. A power cut leaves the key whole or none, and the file.
    """
    kept = keys.load(folder)
    if kept is None:
        private = keypair.private_key(board.random_bytes(64), _entropy(folder))
        kept = private, keypair.public_key(private, table.read, board.random_bytes)
        store.save(board, folder + "/" + KEY_FILE, kept[0] + kept[1])
    try:
        os.remove(folder + "/" + ENTROPY_FILE)
    except OSError:
        pass  # deleted before
    return kept[1]


def _entropy(folder: str) -> bytes:
    try:
        with open(folder + "/" + ENTROPY_FILE, "rb") as file:
            entropy: bytes = file.read()
    except OSError:
        entropy = b""
    if len(entropy) < _ENTROPY_BYTES:
        raise ConfigError(f"no file {ENTROPY_FILE} of {_ENTROPY_BYTES} bytes beside config.json")
    return entropy
