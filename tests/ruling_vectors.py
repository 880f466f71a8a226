"""The checks of vectors of prunes, faults, changes and rulings; run by `tests.run_vectors`."""

from protocol import enrolment as enrolments
from protocol import fault as faults
from protocol import merkle, note
from protocol import prune as prunes
from protocol import resource as resources
from protocol.errors import BadSignatureError, TamperedError
from protocol.rulings import RULING, Ruling, Rulings
from tests.note_vectors import ed25519_verify, refusal, unhex


def check_prune(vector):
    if "prunes" in vector:
        return _check_prunes(vector)
    data = unhex(vector["hex"])
    if "error" in vector:
        return refusal(prunes.decode, data) == vector["error"]
    prune = prunes.Prune(*vector["fields"])
    covered = [prune.covers(*entry) for entry in vector["covered"]]
    spared = [prune.covers(*entry) for entry in vector["spared"]]
    coded = prunes.decode(data) == prune and prunes.encode(prune) == data
    return coded and all(covered) and not any(spared)


def _check_prunes(vector):
    """What they cover at each index, which is what they say to cover until there."""
    held = prunes.Prunes()
    for fields in vector["prunes"]:
        held.add(prunes.Prune(*fields))
    for kind, source, whys, covered in vector["asked"]:
        said = [held.covers(n, kind, source, tuple(whys)) for n in range(len(covered))]
        if [is_covered for is_covered, _ in said] != covered:
            return False
        for index, (is_covered, until) in enumerate(said):
            same = [one == is_covered for one in covered[index : min(until, len(covered))]]
            if until <= index or not all(same):
                return False
    return True


def check_fault(vector):
    data = unhex(vector["hex"])
    if "error" in vector:
        return refusal(faults.decode, data) == vector["error"]
    fault = faults.Fault(*vector["fields"])
    return faults.decode(data) == fault and faults.encode(fault) == data


def check_enrolment(vector):
    data = unhex(vector["hex"])
    if "error" in vector:
        return refusal(enrolments.decode, data) == vector["error"]
    name, profile, generation, key = vector["fields"]
    enrolment = enrolments.Enrolment(name, profile, generation, unhex(key))
    coded = enrolments.decode(data) == enrolment and enrolments.encode(enrolment) == data
    return coded and enrolment.kid == unhex(vector["kid"])


def check_resource(vector):
    data, kind = unhex(vector["hex"]), vector["kind"]
    if "error" in vector:
        return refusal(resources.decode, kind, data) == vector["error"]
    who, content, content_format, before = vector["fields"]
    content = None if content is None else unhex(content)
    change = resources.Change(kind, who, content, content_format, before)
    tail = data[-resources.BEFORE_BYTES :]
    if resources.before_of(tail) != before:
        return False
    return resources.decode(kind, data) == change and resources.encode(change) == data


def check_rulings(vector):
    entries = vector["entries"]
    ahead = vector.get("ahead", entries)
    rulings = Rulings(_reading(ahead), ed25519_verify, is_copy=vector.get("is_copy", False))
    rulings.read_ahead(len(ahead))
    for text, trusted, signer, words in vector.get("notes", ()):
        if not _is_opened(rulings, text, note.parse_key(trusted), signer, words):
            return False
    if "keys" in vector:
        keys = rulings.keys(note.parse_key(vector["keys"][0][1])).epochs
        if [[size, note.format_key(key)] for size, key in keys] != vector["keys"]:
            return False
    try:
        _walk(rulings, entries)
    except TamperedError as error:
        return error.index == vector.get("first_bad") and vector["words"] in error.what
    return "first_bad" not in vector and rulings.untold == vector.get("untold", 0)


def _reading(entries):
    def read(start, stop):
        for index in range(start, stop):
            kind, _, leaf, salt, body = entries[index]
            if kind in RULING:
                body = None if body is None else unhex(body)
                yield Ruling(index, kind, unhex(leaf), unhex(salt), body)

    return read


def _is_opened(rulings, text, trusted, signer, words):
    try:
        _, key = rulings.open_note(text, trusted)
    except BadSignatureError as error:
        return signer is None and words and words in str(error)
    return (key and note.format_key(key)) == signer and not words


def _walk(rulings, entries):
    frontier = merkle.Frontier()
    for index, (kind, source, leaf, _, body) in enumerate(entries):
        hashed = merkle.leaf_hash(unhex(leaf))
        if kind in RULING:
            rulings.confirm(index, kind, frontier.root(), hashed)
        rulings.check_body(index, kind, source, is_there=body is not None)
        frontier.add(hashed)
    rulings.check_all_confirmed()
