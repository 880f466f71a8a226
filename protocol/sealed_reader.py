"""Opens an envelope of either profile: for whoever reads what was kept, not for a door.

A door goes by what it was told a message is, and by the profile of who sent it.
"""

from protocol import envelope_reader, sign1, sign1_reader
from protocol.enrolment import MAC, SIG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocol.envelope_reader import Envelope
    from protocol.sign1_reader import Signed


def profile_of(data: bytes) -> str:
    """Of an envelope, as its first bytes tell it: they are of different length."""
    return SIG if data[: len(sign1.FRONT)] == sign1.FRONT else MAC


def parse(data: bytes) -> "Envelope | Signed":
    """The parts, unverified. Raises Malformed-, Unsupported- or TooLargeError."""
    if profile_of(data) == SIG:
        return sign1_reader.parse(data)
    return envelope_reader.parse(data)
