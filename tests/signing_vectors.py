"""The checks of vectors of signed envelopes and their keys; run by `tests.run_vectors`."""

from protocol import envelope, sign1, sign1_reader
from protocol.sign1_reader import Signed
from tests.note_vectors import refusal, unhex


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
    return sign1.digest(*parts).hex() == vector["digest"]


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
