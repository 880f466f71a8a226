"""Witnessing: what a witness is asked, and what it answers (C2SP tlog-witness).

The judge is pure: the last checkpoint it cosigned, and whose word counts, are arguments. The
caller keeps what it accepts before it answers, in one step with asking.
"""

from collections import namedtuple

from protocol import checkpoint as checkpoints
from protocol import merkle
from protocol import note as notes
from protocol.checkpoint import Checkpoint
from protocol.errors import BadSignatureError, MalformedError
from protocol.note import Note, VerifierKey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocol.note import Verify

MAX_PROOF_LINES = 63
MAX_REQUEST_BYTES = 20_480  # the longest note and proof
SIZE_CONTENT_TYPE = "text/x.tlog.size"

COSIGN, UNKNOWN_ORIGIN, CONFLICT, FORKED = "cosign", "unknown-origin", "conflict", "forked"
# reason -> the status that the specification has for it
STATUS = {
    COSIGN: 200,
    MalformedError.reason: 400,
    BadSignatureError.reason: 403,
    UNKNOWN_ORIGIN: 404,
    CONFLICT: 409,
    FORKED: 422,
}


class Request(namedtuple("Request", ("old_size", "proof", "note"))):
    """`note` is to be cosigned; `proof` shows it to continue the tree of `old_size`."""

    old_size: int
    proof: list[bytes]
    note: str


class Verdict(namedtuple("Verdict", ("reason", "detail", "note", "proven"))):
    """`reason` is one of `STATUS`.

    `note` is what may be kept: the text with the log's signatures, and nobody else's. `proven`:
    the request and the last cosigned note together prove to anyone that the log has two
    histories. A proof that merely fails shows nothing: anyone can make one.
    """

    reason: str
    detail: str
    note: Note | None
    proven: bool


def format_request(request: Request) -> bytes:
    proof = "".join([notes.b64(node) + "\n" for node in request.proof])
    return "old {}\n{}\n{}".format(request.old_size, proof, request.note).encode()


def parse_request(body: bytes) -> Request:
    """MalformedError unless `body` has the one spelling. The note is not looked into."""
    if len(body) > MAX_REQUEST_BYTES:
        raise MalformedError("a request that is too long")
    try:
        text = str(body, "utf-8")
    except UnicodeError:
        raise MalformedError("a request is text")
    end = text.find("\n\n")
    if not text.startswith("old ") or end < 0:
        raise MalformedError("a request is `old SIZE`, a proof, an empty line and a checkpoint")
    lines = text[4:end].split("\n")
    proof = [notes.unb64(line) for line in lines[1:]]
    if len(proof) > MAX_PROOF_LINES:
        raise MalformedError(f"a proof of more than {MAX_PROOF_LINES} hashes")
    for node in proof:
        if len(node) != merkle.HASH_BYTES:
            raise MalformedError(f"a proof is made of {merkle.HASH_BYTES}-byte hashes")
    return Request(notes.parse_size(lines[0]), proof, text[end + 2 :])


def judge(
    request: Request, last: Checkpoint | None, keys: "list[VerifierKey]", verify: "Verify"
) -> Verdict:
    """Whether to cosign, `last` being the checkpoint of this origin that was cosigned last.

    `keys` are the trusted ones, of any origin. MalformedError where the note is none.
    """
    note = notes.parse_note(request.note)
    new = checkpoints.parse_body(note.text)
    mine = [key for key in keys if key.name == new.origin]
    if not mine:
        return Verdict(UNKNOWN_ORIGIN, f"no trusted key of {new.origin}", None, False)
    try:
        kept = _signed(note, mine, verify)
    except BadSignatureError as error:
        return Verdict(error.reason, str(error), None, False)
    if request.old_size > new.size:
        raise MalformedError(f"the old size {request.old_size} is past the new one, {new.size}")
    held = last or Checkpoint(new.origin, 0, merkle.EMPTY_ROOT)
    if request.old_size != held.size:
        detail = f"the checkpoint cosigned last has {held.size} entries"
        return Verdict(CONFLICT, detail, kept, last is not None and _proves(held, new, []))
    if not _continues(held, new, request.proof):
        detail = f"it is not shown to continue the {held.size} entries cosigned last"
        return Verdict(FORKED, detail, kept, last is not None and _proves(held, new, request.proof))
    return Verdict(COSIGN, "", kept, False)


def _signed(note: Note, keys: "list[VerifierKey]", verify: "Verify") -> Note:
    """The note with the lines of `keys` only, at least one, each of which has to fit."""
    known = {(key.name, key.key_id): key for key in keys}
    lines = [line for line in note.signatures if (line.name, line.key_id) in known]
    if not lines:
        raise BadSignatureError("no signature by a key that is trusted for the origin")
    for line in lines:
        if not verify(known[line.name, line.key_id], line.value, note.text.encode()):
            raise BadSignatureError("the signature does not fit the text")
    return Note(note.text, lines)


def _continues(held: Checkpoint, new: Checkpoint, proof: "list[bytes]") -> bool:
    if new.size == 0 and new.root != merkle.EMPTY_ROOT:
        return False
    return merkle.is_consistent(held.size, held.root, new.size, new.root, proof)


def _proves(held: Checkpoint, new: Checkpoint, proof: "list[bytes]") -> bool:
    """Two roots of one size, or a proof that the new tree starts with another one of that size."""
    if held.size == new.size:
        return held.root != new.root
    roots = merkle.roots_from_consistency(held.size, held.root, new.size, proof)
    return roots is not None and roots[1] == new.root and roots[0] != held.root
