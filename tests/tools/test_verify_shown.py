"""Rotations and prunes that are shown when one asks for them alone, and are no entries."""

import pytest

from gateway.ledger.signer import Signer
from protocol import checkpoint as notes
from protocol import leaf as leaves
from protocol import prune as prunes
from protocol import rotation as rotations
from protocol.leaf import Leaf
from protocol.prune import PRUNED, RETENTION, Prune
from protocol.rotation import ROTATED, Rotation
from protocol.rulings import Ruling
from tests.fakes import ORIGIN
from tests.gateway import ledger_files, ruled_files
from tests.gateway.ruled_files import REDACTED
from tools.ledger_file import LedgerFile
from tools.verify import check

SALT = bytes(16)
THIEF = Signer(ORIGIN, b"thief's key".ljust(32))


class Showing(LedgerFile):
    """Answers for the rulings what the test says, and for the entries what there is."""

    def show(self, change):
        self._change = change
        return self

    def rulings(self, start, stop):
        return iter(self._change(list(super().rulings(start, stop))))


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return ledger_files.make(tmp_path_factory.mktemp("sound") / "garden", size=300)


@pytest.fixture
def made(sound, tmp_path):
    return sound.copy(tmp_path)


def ruling(index, kind, body):
    leaf = Leaf(kind, 1 << 40, 1, "", leaves.hash_body(SALT, body))
    return Ruling(index, kind, leaves.encode(leaf), SALT, body)


def verdict_of(made, change):
    ledger = Showing(made.directory.ledger, made.vkey)
    verdict = check(ledger.show(change))
    ledger.close()
    return verdict


def put_note(made, note):
    made.directory.checkpoint.write_text(note)
    made.execute("UPDATE state SET value = ? WHERE key = 'checkpoint'", note.encode())


def of_the_true_tree(made, signer):
    signed = notes.unverified(made.note)
    return signer.sign(signed.size, signed.root)


@pytest.mark.parametrize("index", [-1, 0, 7, 299])
def test_a_rotation_that_is_none_does_not_take_the_place_of_a_signature(made, index):
    put_note(made, of_the_true_tree(made, THIEF))

    verdict = verdict_of(made, lambda _: [ruling(index, ROTATED, b"nonsense")])

    assert not verdict.valid
    assert "the rotated entries that were shown first" in verdict.reason


def test_a_rotation_that_is_no_entry_makes_nobody_the_ledgers_key(made):
    """Both keys have signed it, of a tree that never was."""
    put_note(made, of_the_true_tree(made, THIEF))
    said = Rotation(9, bytes(32), made.signer.verifier_key, THIEF.verifier_key)
    body = rotations.seal(said, made.signer.sign_bytes, THIEF.sign_bytes)

    verdict = verdict_of(made, lambda _: [ruling(9, ROTATED, body)])

    assert not verdict.valid
    assert "the rotated entries that were shown first" in verdict.reason


def test_a_prune_that_is_no_entry_explains_no_missing_body(made):
    made.execute("DELETE FROM bodies WHERE idx = 5")
    body = prunes.encode(Prune(5, 6, None, None, RETENTION, 1, 5))

    verdict = verdict_of(made, lambda _: [ruling(200, PRUNED, body)])

    assert not verdict.valid
    assert "the pruned entries that were shown first" in verdict.reason


def test_a_prune_that_is_left_out_does_not_let_a_body_come_back(tmp_path):
    ruled = ruled_files.make(tmp_path / "garden")
    ruled.put_back(300)
    ledger = Showing(ruled.made.directory.ledger, ruled.vkeys[0])

    verdict = check(ledger.show(lambda said: [one for one in said if one.index != REDACTED]))
    ledger.close()

    assert not verdict.valid
    assert "the pruned entries that were shown first" in verdict.reason
