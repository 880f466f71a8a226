"""The checks of vectors of proofs, COSE Receipts and tiles; run by `tests.run_vectors`."""

from protocol import cose_receipt, leaf, merkle, note, proof, tile
from protocol.checkpoint import Checkpoint
from protocol.cose_receipt import Consistency, CoseReceipt, Inclusion
from protocol.proof import Proof
from tests.note_vectors import ed25519_verify, refusal, unhex


def check_proof(vector):
    if "entry" in vector:
        return _check_entry(vector)
    hashed = merkle.leaf_hash(unhex(vector["leaf"]))

    def checked():
        return proof.check(proof.parse_proof(vector["text"]), hashed)

    if "error" in vector:
        return refusal(checked) == vector["error"]
    path = [unhex(node) for node in vector["path"]]
    shown = Proof(unhex(vector["extra"]), vector["index"], path, vector["note"])
    if proof.parse_proof(vector["text"]) != shown or proof.format_proof(shown) != vector["text"]:
        return False
    return checked()[1:] == (vector["size"], unhex(vector["root"]))


def _check_entry(vector):
    data = unhex(vector["entry"])
    if "error" in vector:
        return refusal(leaf.decode_entry, data) == vector["error"]
    parts = tuple([None if part is None else unhex(part) for part in vector["parts"]])
    return leaf.decode_entry(data) == parts and leaf.encode_entry(*parts) == data


def check_cose_receipt(vector):
    data = unhex(vector["hex"])
    if "error" in vector:
        return refusal(_checked, data, vector) == vector["error"]
    path = [unhex(node) for node in vector["path"]]
    if "leaf" in vector:
        shown = Inclusion(vector["index"], path, unhex(vector["entry"]))
    else:
        shown = Consistency(vector["old_size"], path)
    key = note.parse_key(vector["vkey"])
    found = cose_receipt.decode(data)
    written = CoseReceipt(key.name, key.key_id, vector["size"], shown, found.signature)
    signed = Checkpoint(key.name, vector["size"], unhex(vector["root"]))
    if found != written or cose_receipt.encode(written) != data:
        return False
    return _checked(data, vector) == signed


def _checked(data, vector):
    found = cose_receipt.decode(data)
    if "vkey" not in vector:
        return found
    key = note.parse_key(vector["vkey"])
    if "leaf" in vector:
        hashed = merkle.leaf_hash(unhex(vector["leaf"]))
        return cose_receipt.check_inclusion(found, hashed, key, ed25519_verify)
    held = Checkpoint(key.name, vector["old_size"], unhex(vector["old_root"]))
    return cose_receipt.check_consistency(found, held, key, ed25519_verify)


def check_tile(vector):
    if "bundle" in vector:
        return _check_bundle(vector)
    if "hashes" in vector:
        data = unhex(vector["hashes"])
        if "error" in vector:
            return refusal(tile.decode_hashes, data) == vector["error"]
        found = tile.decode_hashes(data)
        return len(found) == vector["count"] and b"".join(found) == data
    if "error" in vector:
        return refusal(tile.parse_path, vector["path"]) == vector["error"]
    shown = tile.Tile(*vector["tile"])
    if "fits" in vector:
        return shown.fits(vector["size"]) is vector["fits"]
    return tile.parse_path(vector["path"]) == shown and tile.format_path(shown) == vector["path"]


def _check_bundle(vector):
    data = unhex(vector["bundle"])
    if "error" in vector:
        return refusal(tile.decode_bundle, data) == vector["error"]
    leaves = [unhex(entry) for entry in vector["leaves"]]
    return tile.decode_bundle(data) == leaves and tile.encode_bundle(leaves) == data
