"""Who this device is in this start: kid, epoch, and the keys it seals and checks with."""

from device import store
from device.forgetting import forget
from protocol import envelope
from protocol.envelope import DOWN, UP, direction_key, kid_of

_NEVER_MS = 60_000
KEY_FILE = "key"  # in the state folder; `device.keys` makes it

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.config import Config
    from device.shapes import Board, Sealing


class Identity:
    """Of the profile `mac`: `up` seals, `down` checks what the gateway answers. Never printed."""

    profile = "mac"
    link = bytes(16)  # its envelopes name none before them

    def __init__(self, name: str, secret: bytes, epoch: int, generation: int = 0) -> None:
        self.name = name
        self.kid = kid_of(name, generation=generation)
        self.epoch = epoch
        self.up = direction_key(secret, UP)
        self.down = direction_key(secret, DOWN)

    def seal(self, sequence: int, payload: bytes) -> bytes:
        """The envelope of a pack. TooLargeError where there can be none."""
        return envelope.seal(
            self.up, UP, self.kid, epoch=self.epoch, sequence=sequence, payload=payload
        )

    def step(self, is_idle: bool) -> int:
        """There is nothing to make in advance."""
        return _NEVER_MS

    def close(self) -> None:
        """Nothing is open."""


def of(
    board: "Board", settings: "Config", folder: str, epoch: int, before: bytes = b""
) -> "Sealing":
    """The identity in the profile that is configured; without one, `sig` where there is a key.

    `before` is the link of the last envelope known of an earlier start, empty for none.

    ConfigError where there is no key to sign with, or no table.
    """
    signs = settings.profile == "sig"
    if not settings.profile:
        signs = settings.key is not None or store.load(folder + "/" + KEY_FILE) is not None
    if not signs:
        return Identity(settings.name, settings.secret, epoch, settings.generation)
    from device import signing

    own = signing.make(board, settings, folder, epoch)
    own.follow(before)
    forget(*signing.USED_ONCE)
    return own
