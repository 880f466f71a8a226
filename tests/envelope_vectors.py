"""Checks the vectors of envelopes, of their parts, and of receipts; see run_vectors.py."""

from protocol import cose, cose_reader, envelope, envelope_reader, mac, receipt_reader
from protocol import receipt as receipts
from protocol.errors import ProtocolError
from tests.note_vectors import refusal

unhex = bytes.fromhex


def check_cose_mac0(vector):
    data = unhex(vector["hex"])
    if "key" not in vector:
        return refusal(cose_reader.parse, data) == vector["error"]
    fields = ("protected", "payload", "external_aad", "tag")
    protected, payload, aad, tag = [unhex(vector[field]) for field in fields]
    if cose_reader.parse(data) != (protected, payload, tag):
        return False
    if (cose.mac_front(protected, len(payload), aad) + payload).hex() != vector["mac_structure"]:
        return False
    key = mac.HmacKey(unhex(vector["key"]))
    try:
        cose_reader.check(key, protected, payload, tag, external_aad=aad)
    except ProtocolError as error:
        return error.reason == vector.get("error")
    return "error" not in vector and cose.mac0(key, protected, payload, external_aad=aad) == data


def check_envelope(vector):
    data, direction = unhex(vector["hex"]), vector["direction"]
    key = envelope.direction_key(unhex(vector["secret"]), direction)

    def opened():
        found = envelope_reader.parse(data)
        envelope_reader.check(found, key, direction)
        return found

    if "error" in vector:
        return refusal(opened) == vector["error"]
    found, kid, payload = opened(), unhex(vector["kid"]), unhex(vector["payload"])
    numbers = {"epoch": vector["epoch"], "sequence": vector["sequence"]}
    if (found.kid, found.epoch, found.sequence) != (kid, vector["epoch"], vector["sequence"]):
        return False
    return found.payload == payload and data == envelope.seal(
        key, direction, kid, payload=payload, **numbers
    )


def check_receipt(vector):
    data, kid, secret = [unhex(vector[field]) for field in ("hex", "kid", "secret")]
    key = envelope.direction_key(secret, envelope.DOWN)
    epoch, sequence = vector["epoch"], vector["sequence"]
    sent = envelope.seal(key, "up", kid, epoch=epoch, sequence=sequence, payload=b"")
    if "error" in vector:
        return refusal(receipt_reader.open_sealed, key, data, sent) == vector["error"]
    receipt = receipts.Receipt(*vector["fields"])
    sealed = receipts.seal(key, receipt, kid=kid, epoch=epoch, sequence=sequence)
    return receipt_reader.open_sealed(key, data, sent) == tuple(receipt) and sealed == data
