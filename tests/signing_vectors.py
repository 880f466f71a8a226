"""The checks of vectors of signed envelopes and their keys; run by `tests.run_vectors`."""

from protocol import ecdsa, envelope, keypair, sign1, sign1_reader
from protocol.p256 import POINT_BYTES, N
from protocol.sign1_reader import Signed
from tests.note_vectors import refusal, unhex
from tools.p256_table import table

_MADE = []  # the table, once it was needed


def read_point(index):
    if not _MADE:
        _MADE.append(table())
    return _MADE[0][index * POINT_BYTES : (index + 1) * POINT_BYTES]


def constant(size):
    """Dice that always fall the same way."""
    return b"\x05" * size


def lower(signature):
    """Of the two signatures that hold, the one that is sealed."""
    s = int.from_bytes(signature[32:], "big")
    return signature[:32] + min(s, N - s).to_bytes(32, "big")


def check_ecdsa(vector):
    key, digest = unhex(vector["scalar"]), unhex(vector["digest"])
    if keypair.public_key(key, read_point, constant).hex() != vector["public_key"]:
        return False
    k = ecdsa.finished(ecdsa.nonce(key, digest))
    if "nonce" in vector and k.to_bytes(32, "big").hex() != vector["nonce"]:
        return False
    signed = ecdsa.Signer(key, read_point, constant).sign(digest)
    return signed == lower(unhex(vector["signature"]))


def check_kid(vector):
    generation, public_key = vector.get("generation", 0), unhex(vector.get("public_key", ""))
    kid = envelope.kid_of(
        vector["device"], vector["profile"], generation=generation, public_key=public_key
    )
    return kid.hex() == vector["kid"]


def check_sign1(vector):
    data = unhex(vector["hex"])
    if "digest" in vector and not _is_digest(vector):
        return False
    if "error" in vector:
        return refusal(sign1_reader.parse, data) == vector["error"]
    found = sign1_reader.parse(data)
    kid, before, payload = [unhex(vector[field]) for field in ("kid", "before", "payload")]
    shown = Signed(
        kid, vector["epoch"], vector["sequence"], before, payload, found.protected, data[-64:]
    )
    return found == shown and (not vector.get("written", True) or _sealed(found) == data)


def _is_digest(vector):
    parts = [unhex(vector[field]) for field in ("protected", "payload", "external_aad")]
    digest = sign1.digest(*parts)
    signed = ecdsa.Signer(unhex(vector["scalar"]), read_point, constant).sign(digest)
    fits = signed == lower(unhex(vector["signature"]))
    return digest.hex() == vector["digest"] and fits is not vector.get("forged", False)


def _sealed(found):
    def sign(digest):
        return found.signature if digest == sign1_reader.digest(found) else b""

    return sign1.seal(
        sign,
        found.kid,
        epoch=found.epoch,
        sequence=found.sequence,
        before=found.before,
        payload=found.payload,
    )
