"""Who this device is where it signs: its identity in the profile `sig`, and its coupons.

Owns the private key and the chain of envelopes. Loaded by devices of this profile only.
"""

from protocol import sign1
from protocol.envelope import DOWN, direction_key, kid_of
from protocol.errors import FaultError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.config import Config
    from device.table import Table
    from protocol.ecdsa import Signer

# A burst of so many envelopes is signed as fast as MACed; each takes 150 bytes of memory.
COUPONS = 8
_PAUSE_MS = 2  # after a step of about as long, so that the others get half of the time
_LOOK_AGAIN_MS = 500
_FAULT_PAUSE_MS = 10_000


class SigningIdentity:
    """`seal` makes what we send, `down` checks what the gateway answers. Never printed.

    `link` is that of the envelope sealed last. `faults` counts coupons that came out wrong, and
    were thrown away.
    """

    profile = "sig"

    def __init__(
        self, settings: "Config", public_key: bytes, epoch: int, *, signer: "Signer", table: "Table"
    ) -> None:
        """`table` is what `signer` reads, closed with this."""
        self.name = settings.name
        self.kid = kid_of(self.name, "sig", public_key=public_key)
        self.epoch = epoch
        self.down = direction_key(settings.secret, DOWN)
        self.faults = 0
        self._signer = signer
        self._table = table
        self.link = bytes(sign1.BEFORE_BYTES)

    @property
    def ready(self) -> int:
        """How many coupons there are."""
        return self._signer.ready

    def follow(self, link: bytes) -> None:
        """`link` is that of the last envelope that earlier starts are known to have sealed."""
        self.link = link or self.link

    def seal(self, sequence: int, payload: bytes) -> bytes:
        """The envelope of a pack, which names the one sealed before.

        TooLargeError or FaultError, with nothing changed, where there can be none.
        """
        sealed = sign1.seal(
            self._signer.sign,
            self.kid,
            epoch=self.epoch,
            sequence=sequence,
            before=self.link,
            payload=payload,
        )
        self.link = sign1.link(sealed)
        return sealed

    def step(self, is_idle: bool) -> int:
        """Where nothing is to be sent, a step of some ms toward a coupon; when the next, in ms."""
        try:
            return _PAUSE_MS if is_idle and self._signer.idle() else _LOOK_AGAIN_MS
        except FaultError:
            self.faults += 1
            return _FAULT_PAUSE_MS

    def close(self) -> None:
        """For a planned stop."""
        self._table.close()
