"""The outside verifier on the same damage as fsck, and its command line."""

import json

import pytest
from typer.testing import CliRunner

from gateway.collect.origins import Origins
from gateway.ledger.signer import Signer
from protocol import checkpoint as notes
from protocol.note import format_key
from tests.fakes import ORIGIN, SEED
from tests.gateway.ledger_files import SIZE, make
from tests.gateway.tampering import FLIPS, STRUCTURAL, flip
from tests.tools.program import app
from tools.sources import trusted_keys
from tools.verify import Held, verdicts_of

OK, WRONG, WRONG_USE = 0, 1, 2


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return make(tmp_path_factory.mktemp("sound") / "garden")


@pytest.fixture
def made(sound, tmp_path):
    return sound.copy(tmp_path)


def verdict_of(made, older=()):
    (verdict,) = verdicts_of(str(made.directory.path), held=Held(older))
    return verdict


def run(*arguments):
    return CliRunner().invoke(app, ["verify", *map(str, arguments)])


def test_a_sound_ledger_is_valid_signed_and_says_what_was_not_checked(made):
    verdict = verdict_of(made)

    assert (verdict.valid, verdict.entries, verdict.signed) == (True, SIZE, SIZE)
    assert verdict.signed_by.startswith(f"{ORIGIN}+")
    assert verdict.origin == ORIGIN
    assert any("compare the root" in what for what in verdict.unchecked)


@pytest.mark.parametrize(("column", "index", "position", "named"), FLIPS)
def test_one_flipped_byte_is_named_by_its_entry(made, column, index, position, named):
    flip(made, column, index, position)

    verdict = verdict_of(made)

    assert (verdict.valid, verdict.first_bad) == (False, named), verdict.reason


@pytest.mark.parametrize(("statements", "named", "reason"), STRUCTURAL.values(), ids=STRUCTURAL)
def test_entries_moved_or_removed_are_named(made, statements, named, reason):
    for statement in statements:
        made.execute(statement)

    verdict = verdict_of(made)

    assert (verdict.valid, verdict.first_bad) == (False, named)
    assert reason in verdict.reason


def test_a_ledger_written_anew_with_its_own_key_fails_under_the_key_we_know(sound, tmp_path):
    anew = make(tmp_path / "anew", temperature=22)

    (known,) = verdicts_of(str(anew.directory.path), sound.vkey)

    assert verdict_of(anew).valid
    assert known.valid is False


def test_a_ledger_written_anew_with_the_stolen_key_contradicts_a_kept_checkpoint(sound, tmp_path):
    """Both checkpoints are truly signed: only memory tells them apart."""
    kept = tmp_path / "kept"
    anew = make(tmp_path / "anew", temperature=22)
    kept.write_text(anew.signer.sign(100, notes.unverified(sound.older).root))

    without, held = run(anew.directory.path), run(anew.directory.path, "--checkpoint", kept)

    assert (without.exit_code, held.exit_code) == (OK, WRONG)
    assert "WRONG at entry 99: the first 100 entries differ" in held.stdout


def test_an_older_checkpoint_of_the_same_history_holds(made, tmp_path):
    kept = tmp_path / "kept"
    kept.write_text(made.older)

    assert run(made.directory.path, "--checkpoint", kept).exit_code == OK


@pytest.mark.parametrize("damage", ["truncate", "garbage", "signature"])
def test_a_damaged_checkpoint_is_wrong(made, damage):
    note = made.note
    forged = note[:-6] + ("B" if note[-6] == "A" else "A") + note[-5:]
    made.directory.checkpoint.write_text(
        {"truncate": note[:40], "garbage": "\ufffd", "signature": forged}[damage]
    )

    assert verdict_of(made).valid is False


def test_a_damaged_checkpoint_inside_the_file_is_wrong_too(made):
    made.execute("UPDATE state SET value = CAST('junk' AS BLOB) WHERE key = 'checkpoint'")

    assert verdict_of(made).valid is False


def test_a_ledger_that_nothing_signed_speaks_of_is_wrong(made):
    made.directory.checkpoint.unlink()
    made.execute("DELETE FROM state WHERE key = 'checkpoint'")

    verdict = verdict_of(made)

    assert (verdict.valid, verdict.first_bad) == (False, 0)


def test_a_bare_file_is_verified_under_the_checkpoint_inside_it(made, tmp_path):
    alone = tmp_path / "alone.sqlite"
    alone.write_bytes(made.directory.ledger.read_bytes())

    with_key, without = run(alone, "--vkey", made.vkey), run(alone)

    assert (with_key.exit_code, without.exit_code) == (OK, OK)
    assert "500 of them under a checkpoint signed by" in with_key.stdout
    assert "signature not checked" in without.stdout


def test_json_is_for_scripts(made):
    result = run(made.directory.path, "--json")

    (verdict,) = json.loads(result.stdout)
    assert result.exit_code == OK
    assert (verdict["valid"], verdict["entries"], verdict["first_bad"]) == (True, SIZE, None)


def test_json_of_a_wrong_ledger_names_the_entry(made):
    flip(made, "body", 256, "middle")

    result = run(made.directory.path, "--json")

    (verdict,) = json.loads(result.stdout)
    assert result.exit_code == WRONG
    assert (verdict["valid"], verdict["first_bad"]) == (False, 256)
    assert verdict["reason"] == "the body is not the one in the leaf"


def test_people_are_told_what_held_and_what_did_not(made):
    flip(made, "chain", 7, "first")

    result = run(made.directory.path)

    assert result.exit_code == WRONG
    assert "verdict  WRONG at entry 7: the chain breaks" in result.stdout


@pytest.mark.parametrize("target", ["nowhere", "empty", "words.txt"])
def test_what_is_no_ledger_is_wrong_use(tmp_path, target):
    (tmp_path / "empty").mkdir()
    (tmp_path / "words.txt").write_text("no database at all" * 100)

    result = run(tmp_path / target)

    assert result.exit_code == WRONG_USE
    assert result.stderr.startswith("tallystick: ")


@pytest.mark.parametrize("option", ["--checkpoint", "--token-file"])
def test_a_missing_file_is_wrong_use(made, tmp_path, option):
    result = run(made.directory.path, option, tmp_path / "none")

    assert result.exit_code == WRONG_USE


def test_another_key_does_not_verify(made):
    result = run(made.directory.ledger, "--vkey", Signer(ORIGIN, SEED).verifier_text)

    assert result.exit_code == WRONG
    assert "WRONG" in result.stdout


@pytest.mark.parametrize("key", ["nonsense", "a+b+c"])
def test_what_is_no_key_is_wrong_use_and_says_nothing_of_the_ledger(made, key):
    result = run(made.directory.ledger, "--vkey", key)

    assert result.exit_code == WRONG_USE
    assert "WRONG" not in result.stdout


def test_what_is_no_checkpoint_is_wrong_use(made, tmp_path):
    (tmp_path / "kept").write_text("some other file")

    result = run(made.directory.path, "--checkpoint", tmp_path / "kept")

    assert result.exit_code == WRONG_USE


def test_verifying_leaves_the_ledger_as_it_was(made):
    before = made.directory.ledger.read_bytes()

    run(made.directory.path)

    assert made.directory.ledger.read_bytes() == before


def test_a_subtree_hash_that_is_missing_is_wrong(made):
    made.execute("DELETE FROM nodes WHERE n = 1")

    verdict = verdict_of(made)

    assert (verdict.valid, verdict.first_bad) == (False, 256)


def test_of_two_keys_of_a_ledger_the_first_is_gone_by_as_at_the_collector(tmp_path):
    first, second = (Signer(ORIGIN, bytes([n]) * 32).verifier_text for n in (1, 2))
    (tmp_path / "collector.toml").write_text(f'trust = ["{first}", "{second}"]\n')

    told = trusted_keys(tmp_path)[ORIGIN]

    assert told == first == format_key(Origins(tmp_path, [first, second]).key(ORIGIN))
