"""The outside verifier on ledgers whose keys were rotated and whose bodies were deleted."""

import json

import pytest
from typer.testing import CliRunner

from gateway.ledger.signer import Signer
from protocol import checkpoint as notes
from tests.fakes import ORIGIN, SEED
from tests.gateway import ruled_files
from tests.gateway.ruled_files import (
    FIRST_TURN,
    LAST,
    OLD_PRUNE,
    REDACTED,
    SECOND_TURN,
    SHED_PRUNE,
    Ruled,
)
from tests.tools.program import app
from tools.verify import Held, verdicts_of

OK, WRONG = 0, 1
SIZE = LAST + 1


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return ruled_files.make(tmp_path_factory.mktemp("sound") / "garden")


@pytest.fixture
def ruled(sound, tmp_path) -> Ruled:
    return sound.copy(tmp_path)


def verdict_of(ruled, vkey="", older=()):
    (verdict,) = verdicts_of(str(ruled.made.directory.path), vkey, held=Held(older))
    return verdict


def run(*arguments):
    return CliRunner().invoke(app, ["verify", *map(str, arguments)])


# --- rotations ------------------------------------------------------------------------------


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_any_of_the_ledgers_keys_verifies_all_of_it(ruled, epoch):
    verdict = verdict_of(ruled, ruled.vkeys[epoch])

    assert (verdict.valid, verdict.entries, verdict.signed) == (True, SIZE, SIZE)
    assert verdict.signed_by == "+".join(ruled.vkeys[2].split("+")[:2])
    assert [size for _, size in verdict.keys] == [FIRST_TURN, SECOND_TURN, None]


def test_a_key_that_was_never_the_ledgers_verifies_nothing(ruled):
    verdict = verdict_of(ruled, Signer(ORIGIN, SEED).verifier_text)

    assert not verdict.valid
    assert "is none of this ledger's keys" in verdict.reason


def test_older_checkpoints_of_every_epoch_hold_together(ruled, tmp_path):
    files = []
    for size, note in ruled.notes.items():
        files += ["--checkpoint", tmp_path / f"kept-{size}"]
        files[-1].write_text(note)

    result = run(ruled.made.directory.path, "--vkey", ruled.vkeys[0], *files)

    assert result.exit_code == OK, result.stdout
    assert f"rotated  at entry {FIRST_TURN}" in result.stdout
    assert "held to  a checkpoint of 100 that you kept" in result.stdout


@pytest.mark.parametrize(
    ("size", "signer", "words"),
    [
        (SIZE, 0, f"whose time ended with entry {FIRST_TURN}, a rotation"),
        (SIZE, 1, f"whose time ended with entry {SECOND_TURN}, a rotation"),
        (FIRST_TURN + 1, 0, f"whose time ended with entry {FIRST_TURN}, a rotation"),
        (100, 1, f"whose time begins with entry {FIRST_TURN}, a rotation"),
        (FIRST_TURN, 1, f"whose time begins with entry {FIRST_TURN}, a rotation"),
    ],
)
def test_a_checkpoint_by_a_key_outside_its_time_is_wrong(ruled, size, signer, words):
    true = ruled.notes.get(size)
    root = notes.unverified(true).root if true else bytes(32)
    note = ruled.signers[signer].sign(size, root)

    verdict = verdict_of(ruled, ruled.vkeys[0], older=[note])

    assert not verdict.valid
    assert words in verdict.reason


def test_the_ledgers_own_checkpoint_under_the_old_key_is_wrong(ruled):
    root = notes.unverified(ruled.notes[SIZE]).root
    ruled.made.directory.checkpoint.write_text(ruled.signers[0].sign(SIZE, root))

    result = run(ruled.made.directory.path, "--vkey", ruled.vkeys[0])

    assert result.exit_code == WRONG
    assert "whose time ended" in result.stdout


@pytest.mark.parametrize("index", [FIRST_TURN, SECOND_TURN])
@pytest.mark.parametrize("column", ["salt", "body"])
def test_a_rotation_that_was_changed_is_wrong_at_its_entry(ruled, index, column):
    ruled.made.execute(
        f"UPDATE bodies SET {column} = CAST({column} || x'00' AS BLOB) WHERE idx = {index}"  # noqa: S608  # our own names
    )

    verdict = verdict_of(ruled, ruled.vkeys[0])

    assert (verdict.valid, verdict.first_bad) == (False, index)
    assert verdict.reason == "the body is not the one in the leaf"


def test_a_rotation_whose_body_is_missing_is_wrong_at_its_entry(ruled):
    ruled.made.execute("DELETE FROM bodies WHERE idx = ?", FIRST_TURN)

    verdict = verdict_of(ruled, ruled.vkeys[0])

    assert (verdict.valid, verdict.first_bad) == (False, FIRST_TURN)


# --- deleted bodies -------------------------------------------------------------------------


def test_a_pruned_ledger_is_valid_and_says_who_deleted_what(ruled):
    result = run(ruled.made.directory.path, "--vkey", ruled.vkeys[0])

    assert result.exit_code == OK
    assert "deleted  bodies, by 3 prunes" in result.stdout
    assert f"entry {SHED_PRUNE} (retention, 50 in [100, 250) of pack shed)" in result.stdout
    assert f"verdict  ok: {SIZE} entries, 151 bodies deleted" in result.stdout


@pytest.mark.parametrize(
    ("index", "said_by"), [(0, OLD_PRUNE), (99, OLD_PRUNE), (300, REDACTED), (102, SHED_PRUNE)]
)
def test_a_body_that_came_back_is_named_with_the_entry_that_deleted_it(ruled, index, said_by):
    ruled.put_back(index)

    verdict = verdict_of(ruled)

    assert (verdict.valid, verdict.first_bad) == (False, index)
    assert verdict.reason == (
        f"the body is there, although entry {said_by} says that it was deleted"
    )


def test_another_body_in_the_place_of_a_deleted_one_is_not_the_one_in_the_leaf(ruled):
    ruled.made.execute("INSERT INTO bodies (idx, salt, body) VALUES (0, zeroblob(16), x'00')")

    verdict = verdict_of(ruled)

    assert (verdict.valid, verdict.first_bad) == (False, 0)
    assert verdict.reason == "the body is not the one in the leaf"


@pytest.mark.parametrize("index", [100, 251, 299, 301, 599, LAST])
def test_a_body_that_nobody_deleted_is_named(ruled, index):
    ruled.made.execute("DELETE FROM bodies WHERE idx = ?", index)

    verdict = verdict_of(ruled)

    assert (verdict.valid, verdict.first_bad) == (False, index)
    assert verdict.reason == "the body is missing, and no entry says who deleted it"


@pytest.mark.parametrize("index", [OLD_PRUNE, REDACTED, SHED_PRUNE])
def test_a_prune_that_was_changed_is_named_and_not_what_it_explains(ruled, index):
    ruled.made.execute("UPDATE bodies SET body = x'a0' WHERE idx = ?", index)

    verdict = verdict_of(ruled)

    assert (verdict.valid, verdict.first_bad) == (False, index)
    assert verdict.reason == "the body is not the one in the leaf"


def test_json_tells_of_keys_and_prunes(ruled):
    result = run(ruled.made.directory.path, "--json", "--vkey", ruled.vkeys[1])

    (verdict,) = json.loads(result.stdout)
    assert result.exit_code == OK
    assert (verdict["prunes"], verdict["missing_bodies"]) == (3, 151)
    assert verdict["key_from"] == "you gave it"
    assert len(verdict["keys"]) == 3
