"""The checks of vectors that are notes: checkpoints, rotations, cosignatures, policies.

Beside `tests.run_vectors`, for the interpreter that runs it.
"""

from protocol import checkpoint, cosignature, note, witnessing
from protocol import policy as policies
from protocol import rotation as rotations
from protocol.checkpoint import Checkpoint
from protocol.errors import ProtocolError
from tests import ed25519

unhex = bytes.fromhex


def ed25519_verify(key, signature, message):
    return ed25519.verify(key.public, signature, message)


def refusal(decode, *arguments):
    try:
        decode(*arguments)
    except ProtocolError as error:
        return error.reason


def check_checkpoint(vector):
    if "key" in vector:
        return _check_key(vector)
    if "body" in vector:
        call = checkpoint.parse_body, vector["body"]
    else:
        key = note.parse_key(vector["vkey"])
        call = checkpoint.open_note, vector["note"], key, ed25519_verify
    if "error" in vector:
        return refusal(*call) == vector["error"]
    shown = Checkpoint(vector["origin"], vector["size"], unhex(vector["root"]))
    body = checkpoint.format_body(shown)
    return call[0](*call[1:]) == shown and call[1].startswith(body)


def _check_key(vector):
    if "error" in vector:
        return refusal(note.parse_key, vector["key"]) == vector["error"]
    key = note.parse_key(vector["key"])
    shown = vector["key_name"], vector["key_id"], vector["public"]
    written = note.format_key(key)
    return (key.name, key.key_id.hex(), key.public.hex()) == shown and written == vector["key"]


def check_rotation(vector):
    if "statement" in vector:
        return _check_statement(vector)
    if "lines" in vector and "error" in vector:
        return refusal(rotations.Keys.parse, vector["lines"]) == vector["error"]
    keys = rotations.Keys(note.parse_key(vector["first"]))
    refused = [refusal(keys.rotate, *_rotation(turn)) for turn in vector["turns"]]
    lines = keys.lines()
    return (
        refused == [turn.get("error") for turn in vector["turns"]]
        and lines == vector["lines"] == rotations.Keys.parse(lines).lines()
        and [note.format_key(keys.at(size)) for size, _ in vector["at"]]
        == [key for _, key in vector["at"]]
        and keys.current == keys.at((1 << 63) - 1) == keys.epochs[-1][1]
    )


def _rotation(turn):
    """What `Keys.rotate` is given: the statement, and the tree it stands in."""
    size, root, old, new = turn["says"]
    statement = rotations.Rotation(size, unhex(root), note.parse_key(old), note.parse_key(new))
    return statement, turn["size"], unhex(turn["root"])


def _check_statement(vector):
    body = unhex(vector["statement"])
    if "error" in vector:
        return refusal(rotations.open_sealed, body, ed25519_verify) == vector["error"]
    size, root, old, new = vector["says"]
    says = rotations.Rotation(size, unhex(root), note.parse_key(old), note.parse_key(new))
    old_line, new_line = [unhex(signature) for signature in vector["signatures"]]
    sealed = rotations.seal(says, lambda message: old_line, lambda message: new_line)
    return rotations.open_sealed(body, ed25519_verify) == says and sealed == body


def check_cosignature(vector):
    parsed, key = note.parse_note(vector["note"]), note.parse_key(vector["vkey"])
    if "error" in vector:
        return refusal(cosignature.check, parsed, key, ed25519_verify) == vector["error"]
    found = cosignature.check(parsed, key, ed25519_verify)
    if vector["time_s"] is None:
        return found is None and cosignature.cosigners(parsed, [key], ed25519_verify) == []
    line = next(s for s in parsed.signatures if (s.name, s.key_id) == (key.name, key.key_id))
    sealed = cosignature.seal(key, parsed.text, vector["time_s"], lambda message: line.value[8:])
    told = cosignature.cosigners(parsed, [key], ed25519_verify)
    return told == [found] == [(key.name, vector["time_s"])] and sealed == line


def check_policy(vector):
    data = unhex(vector["hex"]) if "hex" in vector else bytes(vector["zeros"])
    try:
        policy = policies.parse(data)
    except ProtocolError as error:
        where = str(error).startswith("line {}: ".format(vector["line"])) or not vector["line"]
        return error.reason == vector["error"] and where
    if "note" not in vector:
        quorum = vector["quorum"].encode() if "quorum" in vector else unhex(vector["quorum_hex"])
        return policy.quorum == policy.witnesses[0].name == quorum
    signed = note.parse_note(vector["note"])
    cosigned = policies.cosigners(policy, signed, ed25519_verify)
    names = [cosigned[name].name for name in sorted(cosigned)]
    enough = policies.is_enough(policy, set(cosigned))
    refused = refusal(policies.check, policy, signed, ed25519_verify)
    told = names == vector["cosigners"] and enough is vector["enough"]
    return told and refused == (None if enough else "bad-signature")


def check_witnessing(vector):
    if "judged" in vector:
        return _check_judgement(vector)
    if "error" in vector:
        body = vector["request"].encode() if "request" in vector else _odd(vector)
        return refusal(witnessing.parse_request, body) == vector["error"]
    request = witnessing.parse_request(vector["request"].encode())
    proof = [unhex(node) for node in vector["proof"]]
    shown = witnessing.Request(vector["old_size"], proof, request.note)
    return request == shown and witnessing.format_request(shown) == vector["request"].encode()


def _odd(vector):
    return unhex(vector["hex"]) if "hex" in vector else bytes(vector["zeros"])


def _check_judgement(vector):
    keys = [note.parse_key(key) for key in vector["vkeys"]]
    request = witnessing.parse_request(vector["judged"].encode())
    last = None
    if vector["last"]:
        origin = request.note.split("\n")[0]
        last = Checkpoint(origin, vector["last"][0], unhex(vector["last"][1]))
    try:
        found = witnessing.judge(request, last, keys, ed25519_verify)
    except ProtocolError as error:
        return error.reason == vector["reason"] and error.reason in witnessing.STATUS
    if (found.reason, found.proven) != (vector["reason"], vector.get("proven", False)):
        return False
    kept = "kept" not in vector or note.format_note(found.note) == vector["kept"]
    return kept and found.reason in witnessing.STATUS
