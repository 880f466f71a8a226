"""`tallystick fsck`: what it says, of which ledgers, and how it exits."""

import json

import pytest
from typer.testing import CliRunner

from gateway.collect.origins import Origins
from gateway.errors import ConfigError
from gateway.forward.outbox import Send
from gateway.forward.view import LedgerView
from tests.fakes import ORIGIN, FakeGateway
from tests.gateway import ruled_files
from tests.gateway.ruled_files import FIRST_TURN, LAST
from tests.tools.program import app

OK, WRONG = 0, 1
SIZE = LAST + 1


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return ruled_files.make(tmp_path_factory.mktemp("sound") / "garden")


@pytest.fixture
def ruled(sound, tmp_path):
    return sound.copy(tmp_path)


def run(*arguments):
    return CliRunner().invoke(app, ["fsck", *map(str, arguments)])


def contents(folder):
    """What a check may not change; the log and its index are SQLite's."""
    return {
        f.name: f.read_bytes() for f in folder.iterdir() if not f.name.endswith(("-wal", "-shm"))
    }


def test_a_sound_gateway_is_ok_and_nothing_of_it_changes(ruled):
    before = contents(ruled.made.directory.path)

    result = run(ruled.made.directory.path)

    assert result.exit_code == OK, result.output
    assert f"verdict  ok: {SIZE} entries, 151 bodies deleted" in result.stdout
    assert contents(ruled.made.directory.path) == before


def test_the_first_thing_wrong_is_said(ruled):
    ruled.made.execute("UPDATE bodies SET body = x'00' WHERE idx IN (290, 400)")

    result = run(ruled.made.directory.path)

    assert result.exit_code == WRONG
    assert "verdict  WRONG at entry 290: the body is not the one in the leaf" in result.stdout


def test_a_gateways_ledger_does_not_become_a_collectors_copy_by_saying_so(ruled):
    ruled.made.execute("DELETE FROM bodies WHERE idx = 450")
    ruled.made.execute("INSERT INTO state VALUES ('role', CAST('collector' AS BLOB))")

    result = run(ruled.made.directory.path)

    assert result.exit_code == WRONG
    assert "it says that it is a collector's copy" in result.stdout


def test_json_is_for_scripts(ruled):
    ruled.made.execute("DELETE FROM state WHERE key = 'keys'")

    result = run(ruled.made.directory.path, "--json")

    (report,) = json.loads(result.stdout)
    assert result.exit_code == WRONG
    assert (report["origin"], report["valid"], report["first_bad"]) == (ORIGIN, False, None)
    assert "list of its keys" in report["reason"]


def test_since_a_checkpoint_only_the_rest_is_checked(ruled, tmp_path):
    kept = tmp_path / "kept"
    kept.write_text(ruled.notes[FIRST_TURN])
    ruled.made.execute("UPDATE bodies SET body = x'00' WHERE idx = 290")

    result = run(ruled.made.directory.path, "--since", kept)

    assert result.exit_code == OK
    assert f"trusted  the first {FIRST_TURN} entries, verified before" in result.stdout


@pytest.mark.parametrize("text", [None, "no checkpoint"])
def test_a_since_that_is_no_checkpoint_is_wrong_use(ruled, tmp_path, text):
    kept = tmp_path / "kept"
    if text:
        kept.write_text(text)

    assert isinstance(run(ruled.made.directory.path, "--since", kept).exception, ConfigError)


def test_a_checkpoint_beside_the_ledger_that_is_lost_or_another_is_wrong(ruled):
    ruled.made.directory.checkpoint.write_text(ruled.signers[0].sign(SIZE, bytes(32)))
    other = run(ruled.made.directory.path)
    ruled.made.directory.checkpoint.unlink()
    lost = run(ruled.made.directory.path)

    assert (other.exit_code, lost.exit_code) == (WRONG, WRONG)
    assert "whose time ended with entry" in other.stdout
    assert "checkpoint: No such file" in lost.stdout


def test_without_a_verifier_key_signatures_are_not_checked_and_it_says_so(ruled):
    ruled.made.directory.verifier.unlink()

    result = run(ruled.made.directory.path)

    assert result.exit_code == OK
    assert "not      signatures" in result.stdout


def test_a_collector_has_every_ledger_of_its_checked(tmp_path):
    gateway = FakeGateway()
    gateway.fill(30)
    path = tmp_path / "upstream"
    path.mkdir()
    path.joinpath("collector.toml").write_text(f'trust = ["{gateway.signer.verifier_text}"]\n')
    view = LedgerView(gateway.store, gateway.signer, lambda: gateway.writer.note)
    origins = Origins(path, [gateway.signer.verifier_text])
    origins.receive(view.batch(Send(0, 30)))
    origins.close()

    result = run(path)

    assert result.exit_code == OK, result.output
    assert "verdict  ok: 30 entries" in result.stdout


def test_a_collector_without_ledgers_is_wrong_use(tmp_path):
    tmp_path.joinpath("collector.toml").write_text("")

    assert isinstance(run(tmp_path).exception, ConfigError)


@pytest.mark.parametrize("damage", ["nothing", "words", "another database"])
def test_what_is_no_ledger_is_wrong_use(ruled, damage):
    ledger = ruled.made.directory.ledger
    if damage == "another database":
        ruled.made.execute("PRAGMA application_id = 5")
    else:
        ledger.unlink()
        if damage == "words":
            ledger.write_text("no database at all" * 1000)

    assert isinstance(run(ruled.made.directory.path).exception, ConfigError)
