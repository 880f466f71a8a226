"""What a gateway does with envelopes of the profile `sig`: it verifies and links them."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from protocol import sign1, sign1_reader
from protocol.errors import BadSignatureError
from protocol.sign1_reader import UNKNOWN_BEFORE, Signed

_DIGEST = ec.ECDSA(Prehashed(hashes.SHA256()))


def is_signature(public_key: bytes, digest: bytes, signature: bytes) -> bool:
    x, y = int.from_bytes(public_key[:32], "big"), int.from_bytes(public_key[32:], "big")
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        key.verify(encode_dss_signature(r, s), digest, _DIGEST)
    except InvalidSignature:
        return False
    return True


class Signatures:
    """Of one device. `broken` says which envelopes do not name the one before them.

    `unlinked` are those that knew of none; `reused` are nonces that signed two different
    envelopes, which gives the private key away.
    """

    def __init__(self, public_key: bytes) -> None:
        self._public_key = public_key
        self._links: dict[tuple[int, int], bytes] = {}
        self._signed: dict[bytes, bytes] = {}  # r -> what was signed with it
        self.broken: list[tuple[int, int]] = []
        self.unlinked: list[tuple[int, int]] = []
        self.reused: list[bytes] = []

    def opened(self, sealed: bytes) -> Signed:
        """Raises BadSignatureError, or what parsing raises."""
        sent = sign1_reader.parse(sealed)
        digest = sign1_reader.digest(sent)
        if not is_signature(self._public_key, digest, sent.signature):
            raise BadSignatureError("no signature of this device")
        if self._signed.setdefault(sent.signature[:32], digest) != digest:
            self.reused.append(sent.signature[:32])
        self._follow(sent, sealed)
        return sent

    def _follow(self, sent: Signed, sealed: bytes) -> None:
        number = sent.epoch, sent.sequence
        if number in self._links:
            return  # a repeat
        self._links[number] = sign1.link(sealed)
        if sent.before == UNKNOWN_BEFORE and sent.sequence == 0:
            self.unlinked.append(number)
        elif sent.sequence == 0:
            earlier = [link for (epoch, _), link in self._links.items() if epoch < sent.epoch]
            if sent.before not in earlier:
                self.broken.append(number)
        elif self._links.get((sent.epoch, sent.sequence - 1), sent.before) != sent.before:
            self.broken.append(number)
