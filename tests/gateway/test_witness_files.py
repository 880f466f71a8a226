"""A witness's files: its own, and never trusted once they are lost or damaged."""

import os
import random
import sqlite3
from pathlib import Path

import pytest

from gateway.errors import ConfigError, StoreFailedError
from gateway.ledger.signer import format_signer_key
from gateway.store.witness import WitnessTable
from gateway.witness import files
from gateway.witness.trust import Neighbours
from tests.fakes import ORIGIN, SEED
from tests.gateway.witnesses import NAME, Clock, asking, grown, made, note_of, opened


@pytest.fixture(scope="module")
def ledger():
    return grown(20)


@pytest.fixture
def path(tmp_path):
    return made(tmp_path / "neighbour")


def test_the_files_of_a_witness_are_its_own(path):
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in path.iterdir()}

    assert modes == {
        "witness.key": "0o600",
        "witness.vkey": "0o644",
        "witness.sqlite": "0o600",
        "witness.sqlite-journal": "0o600",
    }


def test_a_directory_without_a_key_has_no_witness(tmp_path):
    assert files.opened(tmp_path, Neighbours([]).signers, Clock()) is None


def test_a_witness_is_never_made_over_another(path):
    before = (path / files.KEY).read_text()

    with pytest.raises(ConfigError, match="is there already"):
        files.create(path, NAME)

    assert (path / files.KEY).read_text() == before


@pytest.mark.parametrize("name", ["", "a b", "a+b", "n" * 256])
def test_a_name_that_no_key_may_have_is_refused(tmp_path, name):
    with pytest.raises(ConfigError, match="cannot be a witness's name"):
        files.create(tmp_path, name)

    assert list(tmp_path.iterdir()) == []


def test_a_memory_without_the_journal_it_asks_for_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigError, match="journal_mode truncate, only memory"):
        WitnessTable(Path(":memory:"), create=True)  # SQLite's name for a database of no file


def test_a_memory_that_cannot_be_opened_is_told_and_not_called_lost(path):
    (path / files.TABLE).unlink()
    (path / files.TABLE).mkdir()

    with pytest.raises(StoreFailedError, match="CantOpen"):
        WitnessTable(path / files.TABLE)


def cosigned_once(path, ledger) -> None:
    witness = opened(path)
    witness.add(asking(ledger, 0, 7))
    witness.close()


def execute(path, sql, *values) -> None:
    database = sqlite3.connect(path / files.TABLE)
    with database:
        database.execute(sql, values)
    database.close()


def write(path, origin, note) -> None:
    """As somebody writes it who knows the table, and has not the key."""
    table = WitnessTable(path / files.TABLE)
    table.transact(lambda rows: rows.put_cosigned(origin, note))
    table.close()


def other_note(path, ledger):
    write(path, ORIGIN, note_of(ledger, 3))


def stolen_note(path, ledger):
    """What the witness did cosign, under another name."""
    write(path, "other.invalid", opened_note(path))


def damaged_evidence(path, ledger):
    witness = opened(path)
    witness.add(asking(grown(9, other_from=4), 7, 9))
    witness.close()
    execute(path, "UPDATE evidence SET proven = 0")


LOST = {
    "missing": (lambda path, ledger: (path / files.TABLE).unlink(), "is missing"),
    "empty": (lambda path, ledger: (path / files.TABLE).write_bytes(b""), "is no witness's"),
    "garbage": (lambda path, ledger: (path / files.TABLE).write_bytes(b"x" * 9000), "is damaged"),
    "another database": (
        lambda path, ledger: execute(path, "PRAGMA user_version = 9"),
        "is no witness's table",
    ),
    "a note it did not cosign": (other_note, "is not what this witness cosigned"),
    "no note": (
        lambda path, ledger: execute(path, "UPDATE cosigned SET note = 'x'"),
        "a row is damaged",
    ),
    "another origin": (
        lambda path, ledger: execute(path, "UPDATE cosigned SET origin = 'x'"),
        "a row is damaged",
    ),
    "another's note": (stolen_note, "is not what this witness cosigned"),
    "evidence": (damaged_evidence, "a row is damaged"),
}


@pytest.mark.parametrize(("damage", "message"), LOST.values(), ids=LOST)
def test_a_witness_that_lost_its_memory_never_cosigns_again(path, ledger, damage, message):
    cosigned_once(path, ledger)
    damage(path, ledger)

    with pytest.raises(ConfigError, match=message) as refusal:
        opened(path)

    assert "tallystick new-witness DIR --name NEW-NAME" in refusal.value.fix


def test_a_memory_that_is_damaged_while_it_runs_is_not_believed(path, ledger):
    cosigned_once(path, ledger)
    witness = opened(path)
    other_note(path, ledger)

    with pytest.raises(StoreFailedError, match="not what this witness cosigned"):
        witness.add(asking(ledger, 3, 9))
    with pytest.raises(StoreFailedError, match="not what this witness cosigned"):
        witness.latest(ORIGIN)
    witness.close()


def test_a_note_of_another_witness_is_not_this_one_s_memory(path, tmp_path, ledger):
    cosigned_once(path, ledger)
    other = opened(made(tmp_path / "other", "other"))
    theirs = other.add(asking(ledger, 0, 9)).note
    other.close()
    write(path, ORIGIN, theirs)

    with pytest.raises(ConfigError, match="not what this witness cosigned"):
        opened(path)


@pytest.mark.parametrize("content", [b"", b"\xff", b"PRIVATE+KEY+x", b"PRIVATE+KEY+a+b+AAAA\n"])
def test_a_key_file_without_a_key_is_refused(path, content):
    (path / files.KEY).write_bytes(content)

    with pytest.raises(ConfigError, match="does not hold a key"):
        opened(path)


def test_the_key_of_a_ledger_is_no_witness_s_key(path):
    (path / files.KEY).write_text(format_signer_key(NAME, SEED))

    with pytest.raises(ConfigError, match="does not hold a key"):
        opened(path)


def test_a_key_file_that_cannot_be_read_is_refused(path):
    os.unlink(path / files.KEY)
    os.mkdir(path / files.KEY)

    with pytest.raises(ConfigError, match="Is a directory"):
        opened(path)


@pytest.mark.parametrize("trust", ["nonsense", ""])
def test_a_trusted_key_that_is_none_is_refused(trust):
    with pytest.raises(ConfigError, match=r"witness\.trust: "):
        Neighbours([trust])


def test_a_witness_s_key_is_not_a_ledger_s_to_trust(path):
    vkey = (path / files.VERIFIER).read_text().strip()

    with pytest.raises(ConfigError, match="is a witness's key"):
        Neighbours([vkey])


FLIPS, SEED_OF_FLIPS = 400, int(os.environ.get("SEED", "1"))


def test_a_flipped_bit_is_refused_or_changes_nothing_that_was_cosigned(path, ledger):
    """Half of them in what is used of the file; SEED=7 for others."""
    cosigned_once(path, ledger)
    whole = (path / files.TABLE).read_bytes()
    used = [at for at, byte in enumerate(whole) if byte]
    held, dice, refused = opened_note(path), random.Random(SEED_OF_FLIPS), 0

    for n in range(FLIPS):
        at = dice.choice(used) if n % 2 else dice.randrange(len(whole))
        damaged = bytearray(whole)
        damaged[at] ^= 1 << dice.randrange(8)
        (path / files.TABLE).write_bytes(damaged)
        try:
            assert opened_note(path) == held, f"SEED={SEED_OF_FLIPS}: byte {at} of flip {n}"
        except ConfigError:
            refused += 1

    print(f"\nSEED={SEED_OF_FLIPS}: {FLIPS} flips, {refused} refused, the others changed nothing")
    assert refused > FLIPS // 4


def opened_note(path) -> str:
    witness = opened(path)
    try:
        return witness.latest(ORIGIN)
    finally:
        witness.close()
