"""Checks every vector with the interpreter that runs this file, CPython or MicroPython.

From the root: `python -m tests.run_vectors` or `micropython -m tests.run_vectors`. The exit
status is the number of vectors that failed.
"""

import json
import sys

from protocol import batch, cbor, cbor_reader, coap, leaf, mac, merkle, placing, resolve
from protocol import recovery as recoveries
from protocol import senml as packs
from protocol.audit import Audit
from protocol.checkpoint import Checkpoint
from protocol.errors import OutOfStateError, TamperedError
from protocol.exchange import Exchange
from tests import (
    control_vectors,
    envelope_vectors,
    note_vectors,
    oscore_vectors,
    proof_vectors,
    release_vectors,
    ruling_vectors,
    signing_vectors,
)
from tests.note_vectors import refusal

unhex = bytes.fromhex


def value_of(shown):
    """A value as JSON shows it; MicroPython's reads no letter past U+FFFF, hence utf8."""
    if isinstance(shown, list):
        return [value_of(item) for item in shown]
    if not isinstance(shown, dict):
        return shown
    if "bytes" in shown:
        return unhex(shown["bytes"])
    if "utf8" in shown:
        return str(unhex(shown["utf8"]), "utf-8")
    if "decimal" in shown:
        return cbor.Decimal(*shown["decimal"])
    return {value_of(key): value_of(item) for key, item in shown["map"]}


# --- one check a format: is this vector as it should be? ------------------------------------


def check_cbor(vector):
    data = unhex(vector["hex"])
    if "error" in vector:
        return refusal(cbor_reader.decode, data) == vector["error"]
    value, decoded = value_of(vector["value"]), cbor_reader.decode(data)
    # 1 == True, so the spelling is compared, too
    return decoded == value and cbor.encode(value) == data == cbor.encode(decoded)


def check_senml(vector):
    data = unhex(vector["hex"])
    if "error" in vector:
        return refusal(resolve.decode_pack, data) == vector["error"]
    readings = [packs.Reading(n, u, value_of(v), t) for n, u, v, t in vector["readings"]]
    encoded = packs.encode_pack(vector["base_name"], readings) if "base_name" in vector else data
    return resolve.decode_pack(data) == readings and encoded == data


def check_mac(vector):
    if "key" in vector:
        return mac.HmacKey(unhex(vector["key"])).tag(unhex(vector["data"])).hex() == vector["hex"]
    secret, info, salt = [unhex(vector[field]) for field in ("secret", "info", "salt")]
    return mac.hkdf(secret, info, vector["size"], salt).hex() == vector["hex"]


def check_coap(vector):
    data = unhex(vector["hex"]) + bytes(vector.get("zeros", 0))
    if "error" in vector:
        return refusal(coap.decode, data) == vector["error"]
    message = coap.decode(data)
    if "unwritable" in vector:
        lengths = [[number, len(value)] for number, value in message.options]
        return lengths == vector["options"] and refusal(coap.encode, message) == "too-large"
    options = [(number, unhex(value)) for number, value in vector["options"]]
    head = [vector[field] for field in ("type", "code", "message_id")]
    shown = coap.Message(*head, unhex(vector["token"]), options, unhex(vector["payload"]))
    return message == shown and coap.encode(shown) == data


def check_coap_door(vector):
    """What is sent has the form it is meant to have; a gateway answers it in tests/integration."""
    for step in vector["steps"]:
        if "send" in step and "{" not in step["send"]:
            data = unhex(step["send"])
            if "malformed" in step:
                if refusal(coap.decode, data) != "malformed":
                    return False
            elif coap.encode(coap.decode(data)) != data:
                return False
    return True


def check_exchange(vector):
    exchange = Exchange(b"request", 0, vector.get("jitter", 0), **vector.get("limits", {}))
    for now_ms, event, outcome, state in vector["steps"]:
        if _happened(exchange, now_ms, event) != outcome or exchange.state != state:
            return False
    return True


def _happened(exchange, now_ms, event):
    if event == "due":
        return {b"request": "send", None: "nothing"}[exchange.due(now_ms)]
    try:
        exchange.received(event, now_ms)
    except OutOfStateError as error:
        return error.reason
    return "taken"


def check_merkle(vector):
    proof = [unhex(node) for node in vector.get("proof", ())]
    if "leaves" in vector:
        frontier = merkle.Frontier()
        for entry in vector["leaves"]:
            frontier.add(merkle.leaf_hash(unhex(entry)))
        return frontier.root().hex() == vector["root"]
    if "consistent" in vector:
        old, new = unhex(vector["old_root"]), unhex(vector["new_root"])
        sizes = vector["old_size"], vector["new_size"]
        return merkle.is_consistent(sizes[0], old, sizes[1], new, proof) is vector["consistent"]
    where = vector["index"], vector["size"], merkle.leaf_hash(unhex(vector["leaf"])), proof
    if "error" in vector:
        return refusal(merkle.root_from_inclusion, *where) == vector["error"]
    right = merkle.root_from_inclusion(*where).hex() == vector["root"]
    return right is not vector.get("wrong_root", False)


def check_leaf(vector):
    data = unhex(vector["hex"])
    if "error" in vector:
        return refusal(leaf.decode, data) == vector["error"]
    names = ("salt", "body", "chain_before")
    salt, body, before = [unhex(vector[name]) for name in names]
    fields = [vector[name] for name in ("kind", "received_ms", "clock", "source")]
    shown = leaf.Leaf(*fields, leaf.hash_body(salt, body))
    if leaf.decode(data) != shown or leaf.encode(shown) != data:
        return False
    if not _is_in_form(shown, data):
        return False
    hashed = merkle.leaf_hash(data)
    chained = hashed.hex() == vector["leaf_hash"] and leaf.chain(before, hashed).hex()
    return chained == vector["chain"] and leaf.commits_to(data, salt, body)


def _is_in_form(shown, data):
    """Times from LONG_TIME_MS on: the leaf is what its form says."""
    head, *tails = leaf.form(shown.kind, shown.source)
    if shown.received_ms < leaf.LONG_TIME_MS:
        return not data.startswith(head)
    time = shown.received_ms.to_bytes(8, "big")
    return data == head + time + tails[shown.clock] + shown.body_hash


def check_audit(vector):
    audit = Audit()
    try:
        for size, root in vector["checkpoints"]:
            audit.expect(Checkpoint("origin", size, unhex(root)))
        for fields in vector["entries"]:
            audit.add(*[None if field is None else unhex(field) for field in fields])
    except TamperedError as error:
        return error.reason == vector.get("error") and error.index == vector["first_bad"]
    found = {"size": audit.size, "root": audit.root().hex(), "chain": audit.chain.hex()}
    return {name: vector.get(name) for name in found} == found


def check_placing(vector):
    device = vector["device"]
    known, pack = [resolve.decode_pack(unhex(vector[name])) for name in ("known", "pack")]
    began_ms = placing.start_ms(device, known)
    sealed_ms = None if began_ms is None else placing.sealed_ms(device, pack, began_ms)
    times_ms = None
    if sealed_ms is not None:
        times_ms = [resolve.absolute_ms(reading.time_ms, sealed_ms) for reading in pack]
    return began_ms == vector["start_ms"] and times_ms == vector["times_ms"]


def check_batch(vector):
    data = unhex(vector["hex"])
    if "error" in vector:
        return refusal(batch.decode, data) == vector["error"]
    entries = [
        tuple([None if part is None else unhex(part) for part in entry])
        for entry in vector["entries"]
    ]
    proof = [unhex(node) for node in vector["proof"]]
    shown = batch.Batch(vector["origin"], vector["start"], entries, vector["note"], proof)
    stop = vector["start"] + len(entries)
    return batch.decode(data) == shown and batch.encode(shown) == data and shown.stop == stop


def check_recovery(vector):
    data = unhex(vector["hex"])
    if "error" in vector:
        return refusal(recoveries.decode, data) == vector["error"]
    shown = recoveries.Recovery(*vector["fields"])
    return recoveries.decode(data) == shown and recoveries.encode(shown) == data


CHECKS = {
    "audit": check_audit,
    "batch": check_batch,
    "cbor": check_cbor,
    "ccm": oscore_vectors.check_ccm,
    "checkpoint": note_vectors.check_checkpoint,
    "coap": check_coap,
    "coap_door": check_coap_door,
    "control": control_vectors.check_control,
    "cose_mac0": envelope_vectors.check_cose_mac0,
    "cose_receipt": proof_vectors.check_cose_receipt,
    "cosignature": note_vectors.check_cosignature,
    "ecdsa": signing_vectors.check_ecdsa,
    "ecdsa_verify": release_vectors.check_ecdsa_verify,
    "envelope": envelope_vectors.check_envelope,
    "exchange": check_exchange,
    "enrolment": ruling_vectors.check_enrolment,
    "fault": ruling_vectors.check_fault,
    "kid": signing_vectors.check_kid,
    "leaf": check_leaf,
    "mac": check_mac,
    "manifest": release_vectors.check_manifest,
    "merkle": check_merkle,
    "oscore": oscore_vectors.check_oscore,
    "placing": check_placing,
    "policy": note_vectors.check_policy,
    "proof": proof_vectors.check_proof,
    "prune": ruling_vectors.check_prune,
    "receipt": envelope_vectors.check_receipt,
    "recovery": check_recovery,
    "resource": ruling_vectors.check_resource,
    "rotation": note_vectors.check_rotation,
    "rulings": ruling_vectors.check_rulings,
    "senml": check_senml,
    "sign1": signing_vectors.check_sign1,
    "tile": proof_vectors.check_tile,
    "witnessing": note_vectors.check_witnessing,
}


def verdict(check, vector):
    """True, False, or what our code raised."""
    try:
        return check(vector)
    except Exception as error:
        return repr(error)


def main(folder):
    passed = failed = 0
    for name in sorted(CHECKS):
        with open(folder + "/" + name + ".json") as file:
            verdicts = [(v["name"], verdict(CHECKS[name], v)) for v in json.load(file)]
        wrong = [(vector, found) for vector, found in verdicts if found is not True]
        for vector, found in wrong:
            print(f"FAILED {name}: {vector}" + (f": {found}" if found else ""))
        print(f"{name}: {len(verdicts) - len(wrong)} vectors passed")
        passed, failed = passed + len(verdicts) - len(wrong), failed + len(wrong)
    print(f"total: {passed} vectors passed, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "tests/vectors"))
