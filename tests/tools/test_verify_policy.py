"""`tallystick verify --policy`: the ledger under a checkpoint that enough witnesses cosigned."""

import json

import pytest
from typer.testing import CliRunner

from gateway.ledger.signer import Signer
from gateway.ledger.start import ANCHORED
from gateway.witness.cosigner import Cosigner
from protocol import checkpoint as checkpoints
from protocol import note as notes
from protocol.note import Note
from tests.fakes import NOW_MS, ORIGIN, FakeDevice
from tests.gateway import ruled_files
from tests.gateway.ledger_files import make, writer_on
from tests.tools.program import app

OK, WRONG, WRONG_USE = 0, 1, 2
WITNESSES = [Cosigner(f"w{n}.example", bytes((n,)) * 32) for n in range(3)]


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return make(tmp_path_factory.mktemp("sound") / "garden", size=300)


@pytest.fixture
def made(sound, tmp_path):
    return sound.copy(tmp_path)


def cosigned(note: str, *witnesses: Cosigner) -> str:
    parsed = notes.parse_note(note)
    lines = [witness.cosign(parsed.text, NOW_MS // 1000) for witness in witnesses]
    return notes.format_note(Note(parsed.text, [*parsed.signatures, *lines]))


def keep(made, note: str) -> None:
    """As the gateway keeps what is anchored."""
    store = made.open()
    store.transact(lambda t: t.put_state(ANCHORED, note.encode()))
    store.close()


def policy(tmp_path, threshold: int, *more: str):
    file = tmp_path / "policy"
    names = [f"w{n}" for n in range(3)]
    keys = [witness.verifier_text for witness in WITNESSES]
    lines = [*more, *(f"witness {name} {key}" for name, key in zip(names, keys, strict=True))]
    lines += [f"group g {threshold} {' '.join(names)}", "quorum g", ""]
    file.write_text("\n".join(lines))
    return file


def run(*arguments):
    return CliRunner().invoke(app, ["verify", *map(str, arguments)])


def test_a_ledger_that_enough_witnesses_have_cosigned_holds(made, tmp_path):
    keep(made, cosigned(made.note, *WITNESSES[:2]))

    said = run(made.directory.path, "--policy", policy(tmp_path, 2))

    assert said.exit_code == OK
    assert "  cosigned 300 of them, by w0.example, w1.example\n" in said.stdout
    assert "give --policy" not in said.stdout
    assert "that those witnesses do not show two histories together" in said.stdout


@pytest.mark.parametrize("held", ["nothing", "too few", "a forged line"])
def test_a_ledger_without_enough_cosignatures_is_wrong(made, tmp_path, held):
    few = cosigned(made.note, WITNESSES[0])
    forged = cosigned(made.older, *WITNESSES[1:]).split("\n\n")[1].split("\n", 1)[1]
    keep(made, {"too few": few, "a forged line": few + forged}.get(held, made.note))

    said = run(made.directory.path, "--policy", policy(tmp_path, 2))

    assert said.exit_code == WRONG
    assert "cosign" in said.stdout.split("verdict")[1]


def test_what_came_after_the_last_cosigned_checkpoint_is_told(made, tmp_path):
    keep(made, cosigned(made.older, *WITNESSES))

    said = run(made.directory.path, "--policy", policy(tmp_path, 3))

    size = checkpoints.unverified(made.older).size
    assert said.exit_code == OK
    assert f"{300 - size} newest entries: not cosigned by enough yet" in said.stdout


def test_a_cosigned_checkpoint_that_somebody_kept_counts(made, tmp_path):
    kept = tmp_path / "kept"
    kept.write_text(cosigned(made.note, *WITNESSES))

    said = run(made.directory.path, "--checkpoint", kept, "--policy", policy(tmp_path, 3), "--json")

    (verdict,) = json.loads(said.stdout)
    assert (said.exit_code, verdict["cosigned"]) == (OK, 300)
    assert verdict["cosigned_by"] == ["w0.example", "w1.example", "w2.example"]


def test_a_cosigned_checkpoint_of_another_history_is_wrong(made, tmp_path):
    """Enough witnesses have cosigned it; the entries are not those."""
    other = make(tmp_path / "other", size=300, temperature=22)
    signed = made.signer.sign(300, checkpoints.unverified(other.note).root)
    keep(made, cosigned(signed, *WITNESSES))

    said = run(made.directory.path, "--policy", policy(tmp_path, 3))

    assert said.exit_code == WRONG
    assert "the first 300 entries differ" in said.stdout


def test_the_key_of_the_policy_s_log_is_used(made, tmp_path):
    keep(made, cosigned(made.note, *WITNESSES))
    (made.directory.path / "verifier.key").unlink()

    said = run(made.directory.path, "--policy", policy(tmp_path, 1, f"log {made.vkey}"))

    assert said.exit_code == OK
    assert "the key: you gave it" in said.stdout


def other_log(origin: str, seed: int) -> str:
    return f"log {Signer(origin, bytes((seed,)) * 32).verifier_text}"


def run_by_logs(made, tmp_path, *logs: str, vkey: str = ""):
    keep(made, cosigned(made.note, *WITNESSES))
    given = ["--vkey", vkey] if vkey else []
    return run(made.directory.path, "--policy", policy(tmp_path, 1, *logs), *given)


def test_of_several_logs_the_one_whose_key_signed_is_found(made, tmp_path):
    logs = [other_log("other.example", 1), other_log(ORIGIN, 2), f"log {made.vkey}"]

    said = run_by_logs(made, tmp_path, *logs)

    assert said.exit_code == OK, said.output
    assert "the key: you gave it" in said.stdout


@pytest.mark.parametrize("vkey", [True, False], ids=["its key given", "its key beside it"])
@pytest.mark.parametrize("origins", [["a.example"], ["a.example", "b.example"], [ORIGIN, "b"]])
def test_a_ledger_that_is_none_of_the_policys_logs_is_wrong(made, tmp_path, origins, vkey):
    logs = [other_log(origin, 1 + n) for n, origin in enumerate(origins)]

    said = run_by_logs(made, tmp_path, *logs, vkey=made.vkey if vkey else "")

    assert said.exit_code == WRONG, said.output
    if vkey or ORIGIN not in origins:
        assert f"the policy has no log {ORIGIN}" in said.stdout
    else:
        assert f"no signature by {ORIGIN}" in said.stdout


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_any_of_a_ledgers_keys_makes_it_a_log_of_the_policy(tmp_path, epoch):
    ruled = ruled_files.make(tmp_path / "ruled")
    made, logs = ruled.made, [f"log {ruled.vkeys[epoch]}", other_log("other.example", 1)]

    by_policy = run_by_logs(made, tmp_path, *logs)
    with_key = run_by_logs(made, tmp_path, *logs, vkey=ruled.vkeys[2 - epoch])

    assert (by_policy.exit_code, with_key.exit_code) == (OK, OK), by_policy.output


def test_entries_that_nobody_has_signed_yet_are_not_taken_for_cosigned(made, tmp_path):
    keep(made, cosigned(made.note, *WITNESSES))
    store = made.open()
    writer_on(store, made.directory, made.signer).commit([FakeDevice("late").submission(0)], {})
    store.close()

    said = run(made.directory.path, "--policy", policy(tmp_path, 1))

    assert "1 newest entries: not signed yet" in said.stdout
    assert "1 newest entries: not cosigned by enough yet" in said.stdout


@pytest.mark.parametrize("text", ["", "quorum x\n", "nonsense\n"])
def test_a_policy_that_is_none_is_wrong_use(made, tmp_path, text):
    (tmp_path / "policy").write_text(text)

    assert run(made.directory.path, "--policy", tmp_path / "policy").exit_code == WRONG_USE
    assert run(made.directory.path, "--policy", tmp_path / "nowhere").exit_code == WRONG_USE
