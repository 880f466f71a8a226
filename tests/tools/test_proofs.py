"""Proofs checked offline: what holds, what does not, and what is said of it."""

import pytest

from gateway.ledger import proofs as ledger_proofs
from gateway.ledger.batch import Submission
from gateway.ledger.log import Draft
from protocol import cose_receipt, proof
from protocol import leaf as leaves
from protocol import note as notes
from protocol.checkpoint import unverified
from protocol.cose_receipt import Inclusion
from protocol.errors import BadSignatureError
from tests.fakes import ORIGIN, FakeDevice, FakeGateway, SigningDevice
from tests.tools.proved import INDEX, OTHER_KEY, SIZE, VKEY, Made, changed
from tools.proofs import check_proof, describe
from tools.senders import Senders

KEYS = {ORIGIN: notes.parse_key(VKEY)}


@pytest.fixture(scope="module")
def made():
    return Made()


def check(data, **more):
    return check_proof("here", data, KEYS, **more)


@pytest.mark.parametrize("form", ["text", "receipt"])
def test_a_good_proof_says_what_it_is_and_what_it_does_not_say(made, form):
    verdict = check(getattr(made, form))

    assert (verdict.valid, verdict.reason, verdict.origin) == (True, None, ORIGIN)
    assert (verdict.index, verdict.size, verdict.kind, verdict.device) == (3, 7, "pack", "shed")
    assert verdict.readings == ["shed/temperature 21 Cel"]
    assert verdict.root == unverified(made.note).root.hex()
    assert verdict.signed_by == f"{ORIGIN}+{KEYS[ORIGIN].key_id.hex()}"
    assert [what.split(":")[0] for what in verdict.unchecked] == [
        "who measured",
        "that anybody else was shown this checkpoint",
        "that this key was not replaced before entry 7",
    ]


def test_a_proof_without_its_body_says_that_it_was_deleted(made):
    leaf, _, _ = leaves.decode_entry(made.proof.extra)

    verdict = check(changed(made, extra=leaves.encode_entry(leaf, b"", None)))

    assert (verdict.valid, verdict.body) == (True, False)
    assert verdict.unchecked[0] == "what it said: the body was deleted"


def proved(submission, **more):
    """The verdict on a ledger of this one entry."""
    gateway = FakeGateway()
    gateway.commit(submission)
    note = gateway.sign()
    made = gateway.store.read(lambda r: ledger_proofs.inclusion(r, note, 0))
    return check(proof.format_proof(made).encode(), **more)


ROOF = SigningDevice("roof")


def senders():
    return Senders({ROOF.kid: ("roof", ROOF.public_key)})


def test_a_pack_that_its_device_has_signed_is_checked_with_the_key_that_was_given():
    submission = ROOF.submission(0)

    verdict, untold = proved(submission, senders=senders()), proved(submission)

    assert (verdict.valid, verdict.sent_by, untold.sent_by) == (True, ROOF.kid.hex(), None)
    assert not any("who measured" in what for what in verdict.unchecked)
    assert any("--keys checks what its device has signed" in what for what in untold.unchecked)
    assert f"signed by roof, with its key {ROOF.kid.hex()}" in describe(verdict)


def _forged(device):
    submission = device.submission(0)
    body = submission.draft.body
    return submission._replace(draft=submission.draft._replace(body=body[:-1] + b"\0"))


NOT_SIGNED = {
    "forged": (_forged(ROOF), "forged"),
    "with another key": (SigningDevice("roof", key=8).submission(0), "another key of this name"),
    "with a tag": (FakeDevice("roof").submission(0), "is not signed"),
}


@pytest.mark.parametrize(("submission", "said"), NOT_SIGNED.values(), ids=NOT_SIGNED)
def test_a_pack_that_its_device_has_not_signed_is_wrong_for_who_has_the_key(submission, said):
    verdict = proved(submission, senders=senders())

    assert (verdict.valid, said in verdict.reason) == (False, True)


def test_of_a_device_whose_key_was_not_given_nothing_is_said():
    verdict = proved(FakeDevice("shed").submission(0), senders=senders())

    assert (verdict.valid, verdict.sent_by) == (True, None)
    assert any("who measured" in what for what in verdict.unchecked)


def test_a_body_that_this_version_cannot_read_is_proved_all_the_same():
    verdict = proved(Submission(Draft("pack", "shed", b"of a later profile")))

    assert (verdict.valid, verdict.kind, verdict.readings) == (True, "pack", [])


def test_what_others_wrote_cannot_move_the_readers_cursor():
    verdict = proved(FakeDevice().submission(0, value="21\x1b[2A\rverdict  ok"))

    assert verdict.readings == ["shed/temperature 21\x1b[2A\rverdict  ok Cel"]
    assert describe(verdict).isascii()
    assert "\x1b" not in describe(verdict)
    assert "\r" not in describe(verdict)


def entry_with(made, **changes):
    names = ("leaf", "salt", "body")
    parts = dict(zip(names, leaves.decode_entry(made.proof.extra), strict=True)) | changes
    return leaves.encode_entry(*(parts[name] for name in names))


def flipped(data):
    return data[:-1] + bytes((data[-1] ^ 1,))


def tampered_entries(made):
    leaf, salt, body = leaves.decode_entry(made.proof.extra)
    fields = leaves.decode(leaf)
    later = leaves.Leaf(*(*fields[:1], fields.received_ms + 1, *fields[2:]))
    return {
        "body": entry_with(made, body=flipped(body)),
        "salt": entry_with(made, salt=flipped(salt)),
        "leaf": entry_with(made, leaf=leaves.encode(later)),
        "leaf that is none": entry_with(made, leaf=b"\x80"),
        "nothing": b"",
    }


TAMPERED = ["body", "salt", "leaf", "leaf that is none", "nothing"]


@pytest.mark.parametrize("what", TAMPERED)
def test_a_changed_entry_is_refused_in_text_and_in_a_receipt(made, what):
    entry = tampered_entries(made)[what]

    text = check(changed(made, extra=entry))
    receipt = check(made.root.receipt(Inclusion(INDEX, made.proof.path, entry)))

    assert (text.valid, receipt.valid) == (False, False)
    assert text.reason
    assert receipt.reason


@pytest.mark.parametrize("index", [0, 2, 4, 6, 7, 1 << 62])
def test_another_index_is_refused(made, index):
    receipt = made.root.receipt(Inclusion(index, made.proof.path, made.proof.extra))

    assert not check(changed(made, index=index)).valid
    assert not check(receipt).valid


def test_a_changed_path_is_refused(made):
    path = made.proof.path
    for wrong in ([], path[:-1], path[::-1], [*path, path[0]], [flipped(path[0]), *path[1:]]):
        assert not check(changed(made, path=wrong)).valid
        assert not check(made.root.receipt(Inclusion(INDEX, wrong, made.proof.extra))).valid


@pytest.mark.parametrize("size", [4, 6, 8])
def test_another_size_is_refused(made, size):
    note = made.note.replace(f"\n{SIZE}\n", f"\n{size}\n")
    receipt = cose_receipt.decode(made.receipt)
    resized = cose_receipt.CoseReceipt(*(*receipt[:2], size, *receipt[3:]))

    assert "signature does not fit" in check(changed(made, note=note)).reason
    assert not check(cose_receipt.encode(resized)).valid


@pytest.mark.parametrize("form", ["text", "receipt"])
def test_every_changed_byte_is_refused(made, form):
    data = getattr(made, form)

    for at in range(len(data)):
        assert not check(data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]).valid, at


@pytest.mark.parametrize("form", ["text", "receipt"])
def test_a_proof_needs_the_key_of_its_own_ledger(made, form):
    other = check_proof("here", getattr(made, form), {ORIGIN: notes.parse_key(OTHER_KEY)})
    none = check_proof("here", getattr(made, form), {})

    assert (other.valid, none.valid) == (False, False)
    assert "no key of that ledger was given" in none.reason


def test_a_receipt_of_consistency_needs_the_checkpoint_that_it_continues(made):
    receipt = made.root.receipt(made.continued)
    older = unverified(made.older)

    held = check(receipt, held=older)
    without = check(receipt)
    elsewhere = check(receipt, held=older._replace(root=bytes(32)))

    assert (held.valid, held.old_size, held.size, held.index) == (True, 4, 7, None)
    assert without.reason.endswith("give --checkpoint")
    assert not elsewhere.valid


def test_who_cosigned_is_asked_of_the_policy(made):
    def refuses(note):
        raise BadSignatureError("cosigned by nobody")

    asked = []

    def agrees(note):
        asked.append(note.text)
        return ["witness.example"]

    assert check(made.text, cosigned=refuses).reason == "cosigned by nobody"
    for data in (made.text, made.receipt):
        verdict = check(data, cosigned=agrees)
        assert verdict.cosigned_by == ["witness.example"]
        assert not any("anybody else" in what for what in verdict.unchecked)
    assert asked == [notes.text_of(made.note)] * 2
