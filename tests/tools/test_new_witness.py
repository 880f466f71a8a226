"""`tallystick init` makes a witness; `tallystick new-witness` takes the place of a lost one."""

import pytest
from typer.testing import CliRunner

from gateway import config as configs
from gateway.config import GatewayConfig
from gateway.errors import ConfigError, HeldError
from gateway.hold import Hold
from gateway.witness import files
from gateway.witness.trust import Neighbours
from protocol.note import COSIGNATURE, parse_key
from tests.fakes import NOW_MS, ORIGIN
from tests.tools.program import app


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def refusal(*arguments) -> ConfigError:
    error = run(*arguments).exception
    assert isinstance(error, ConfigError), error
    return error


def key_of(path):
    """The key of the witness that opens there; the file for others says the same."""
    witness = files.opened(path, Neighbours([]).signers, lambda: NOW_MS)
    witness.close()
    assert parse_key((path / files.VERIFIER).read_text().strip()) == witness.key
    return witness.key


@pytest.fixture
def garden(tmp_path):
    assert run("init", tmp_path / "garden", "--name", ORIGIN).exit_code == 0
    return tmp_path / "garden"


def test_a_gateway_s_witness_is_named_after_its_ledger(garden):
    assert key_of(garden)[0:3:2] == (f"{ORIGIN}/witness", COSIGNATURE)


@pytest.mark.parametrize(
    ("name", "witness"), [("", "up/witness"), ("a.example", "a.example/witness")]
)
def test_a_collector_s_witness_is_named_and_its_key_is_shown(tmp_path, name, witness):
    shown = run("init", tmp_path / "up", "--collector", "--name", name)

    assert key_of(tmp_path / "up").name == witness
    assert (tmp_path / "up" / files.VERIFIER).read_text() in shown.stdout


def test_a_directory_that_can_be_no_name_is_told_what_to_give(tmp_path):
    assert refusal("init", tmp_path / "my folder", "--collector").fix == "use --name"


def test_a_witness_that_lost_its_memory_is_retired_under_a_new_name(garden):
    old = key_of(garden)
    (garden / files.TABLE).unlink()

    shown = run("new-witness", garden, "--name", "second")

    assert shown.exit_code == 0
    assert key_of(garden).name == "second"
    assert key_of(garden).public != old.public
    assert (garden / files.VERIFIER).read_text() in shown.stdout
    aside = garden / "retired-witness-1"
    assert {file.name for file in aside.iterdir()} == {files.VERIFIER, f"{files.TABLE}-journal"}


def test_what_an_old_witness_remembered_stays_and_its_key_does_not(garden):
    run("new-witness", garden, "--name", "second")
    run("new-witness", garden, "--name", "third")

    for number in (1, 2):
        aside = {file.name for file in (garden / f"retired-witness-{number}").iterdir()}
        assert aside == set(files.REST)


@pytest.mark.parametrize("name", [f"{ORIGIN}/witness", "second"])
def test_no_witness_takes_a_name_that_one_had_here(garden, name):
    run("new-witness", garden, "--name", "second")
    held = key_of(garden)

    assert "was a witness here before" in str(refusal("new-witness", garden, "--name", name))
    assert key_of(garden) == held


def test_a_directory_that_never_had_a_witness_gets_one(garden):
    for file in (files.KEY, *files.REST):
        (garden / file).unlink(missing_ok=True)

    assert run("new-witness", garden, "--name", "first").exit_code == 0
    assert key_of(garden).name == "first"


def test_a_running_program_keeps_its_witness(garden):
    with Hold(garden, "gateway"):
        error = run("new-witness", garden, "--name", "second").exception

    assert isinstance(error, HeldError)
    assert key_of(garden).name == f"{ORIGIN}/witness"


def test_a_folder_that_is_nobody_s_is_refused(tmp_path):
    assert "no gateway's or collector's" in str(refusal("new-witness", tmp_path, "--name", "x"))


def test_a_name_that_can_be_none_retires_nobody(garden):
    held = key_of(garden)

    assert "cannot be a witness's name" in str(refusal("new-witness", garden, "--name", "a b"))
    assert key_of(garden) == held


def test_a_gateway_is_anchored_by_its_collector_from_the_start(tmp_path, garden):
    (tmp_path / "token").write_text("secret")
    forwarding = ("--forward", "http://127.0.0.1:8090", "--token-file", tmp_path / "token")
    vkey = (garden / files.VERIFIER).read_text().strip()

    made = run("init", tmp_path / "shed", "--name", "shed", *forwarding, "--witness", vkey)

    config = configs.load(tmp_path / "shed" / "tallystick.toml", GatewayConfig)
    assert made.exit_code == 0
    assert [(w.vkey, w.url) for w in config.anchor.witnesses] == [(vkey, "")]


@pytest.mark.parametrize("forwarded", [True, False])
def test_a_witness_that_cannot_anchor_is_refused_and_nothing_is_made(tmp_path, garden, forwarded):
    (tmp_path / "token").write_text("secret")
    forwarding = ("--forward", "http://127.0.0.1:8090", "--token-file", tmp_path / "token")
    ledger_key = (garden / "verifier.key").read_text().strip()
    vkey = ledger_key if forwarded else (garden / files.VERIFIER).read_text().strip()
    more = (*(forwarding if forwarded else ()), "--witness", vkey)

    error = refusal("init", tmp_path / "shed", "--name", "shed", *more)

    assert "not of a witness" in str(error) if forwarded else "--forward" in error.fix
    assert not (tmp_path / "shed").exists()
