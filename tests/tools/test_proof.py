"""`tallystick proof` through its front door."""

import json

import httpx2
import pytest
from typer.testing import CliRunner

from gateway.ledger.signer import Signer
from protocol import cosignature
from protocol import note as notes
from protocol.limits import MAX_PROOF_BYTES
from protocol.note import COSIGNATURE, Note
from tests.fakes import ORIGIN
from tests.tools.program import app
from tests.tools.proved import OTHER_KEY, VKEY, Made, changed
from tools.proof import download
from tools.sources import UnusableError

OK, WRONG, WRONG_USE = 0, 1, 2


@pytest.fixture(scope="module")
def made():
    return Made()


@pytest.fixture
def folder(made, tmp_path):
    (tmp_path / "3.tlog-proof").write_bytes(made.text)
    (tmp_path / "3.cose").write_bytes(made.receipt)
    (tmp_path / "notes.txt").write_text("no proof")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, ["proof", *map(str, arguments)])


def test_a_folder_of_proofs_is_checked_with_nothing_but_a_key(folder):
    result = run("check", folder, "--vkey", VKEY)

    assert result.exit_code == OK, result.output
    assert result.stdout.count("verdict  ok") == 2
    assert "checked  entry 3: body, leaf and place under the checkpoint of 7" in result.stdout
    assert result.stdout.endswith("2 proofs, 0 of them wrong\n")


@pytest.mark.parametrize(("key", "code"), [(VKEY, OK), (OTHER_KEY, WRONG)])
def test_verify_takes_a_proof_as_well(folder, key, code):
    result = CliRunner().invoke(app, ["verify", str(folder / "3.tlog-proof"), "--vkey", key])

    assert result.exit_code == code, result.output
    assert "3.tlog-proof" in result.stdout


def test_one_wrong_proof_among_good_ones_is_named(folder, made):
    (folder / "4.tlog-proof").write_bytes(changed(made, index=4))

    result = run("check", folder, "--vkey", VKEY, "--json")

    verdicts = json.loads(result.stdout)
    assert result.exit_code == WRONG
    assert [verdict["valid"] for verdict in verdicts] == [True, True, False]
    assert verdicts[2]["source"].endswith("4.tlog-proof")


def test_a_file_that_is_no_proof_is_wrong_and_not_a_crash(folder):
    files = {"empty": b"", "text": b"hello\n", "binary": b"\xff\xfe", "cose": b"\xd2\x84"}
    files["large"] = b"c2sp.org/tlog-proof@v1\n" + bytes(MAX_PROOF_BYTES)
    for name, data in files.items():
        (folder / name).write_bytes(data)

        result = run("check", folder / name, "--vkey", VKEY)

        assert (result.exit_code, "verdict  WRONG: " in result.stdout) == (WRONG, True), name


WITNESS = Signer("witness.example", bytes(range(32)))
WITNESS_KEY = notes.make_key(WITNESS.origin, COSIGNATURE, WITNESS.public)
POLICY = f"log {VKEY}\nwitness w1 {notes.format_key(WITNESS_KEY)}\nquorum w1\n"


def test_a_policy_holds_the_proof_to_its_witnesses_and_brings_the_ledgers_key(folder, made):
    (folder / "policy").write_text(POLICY)
    note = notes.parse_note(made.note)
    line = cosignature.seal(WITNESS_KEY, note.text, 1_790_000_000, WITNESS.sign_bytes)
    cosigned = notes.format_note(Note(note.text, [*note.signatures, line]))
    (folder / "cosigned.tlog-proof").write_bytes(changed(made, note=cosigned))

    alone = run("check", folder / "3.tlog-proof", "--policy", folder / "policy")
    seen = run("check", folder / "cosigned.tlog-proof", "--policy", folder / "policy")

    assert (alone.exit_code, seen.exit_code) == (WRONG, OK), seen.output
    assert "cosigned by nobody: that is not the policy's quorum" in alone.stdout
    assert "checked  cosigned by witness.example" in seen.stdout


def test_a_receipt_of_consistency_is_held_to_a_checkpoint_in_a_file(folder, made):
    (folder / "kept").write_text(made.older)
    (folder / "on.cose").write_bytes(made.root.receipt(made.continued))

    result = run("check", folder / "on.cose", "--vkey", VKEY, "--checkpoint", folder / "kept")

    assert result.exit_code == OK, result.output
    assert "checked  that 7 entries continue the 4 you hold" in result.stdout


@pytest.mark.parametrize("name", ["3.tlog-proof", "3.cose"])
@pytest.mark.parametrize("command", [["verify"], ["proof", "check"]], ids=" ".join)
def test_a_proof_of_an_entry_is_not_held_to_a_checkpoint_and_that_is_not_hidden(
    folder, made, command, name
):
    (folder / "kept").write_text(made.older)
    key, kept = ["--vkey", VKEY], ["--checkpoint", str(folder / "kept")]

    said = CliRunner().invoke(app, [*command, str(folder / name), *key, *kept])

    assert said.exit_code == WRONG_USE, said.output
    assert (
        "leave --checkpoint out, or check the receipt of /proof/consistency?from=4" in said.stderr
    )
    assert "ok" not in said.stdout


def test_a_wrong_proof_of_an_entry_is_wrong_whatever_it_is_held_to(folder, made):
    (folder / "kept").write_text(made.older)
    (folder / "4.tlog-proof").write_bytes(changed(made, index=4))

    said = run("check", folder / "4.tlog-proof", "--vkey", VKEY, "--checkpoint", folder / "kept")

    assert said.exit_code == WRONG


def test_a_proof_goes_on_from_one_checkpoint_only(folder, made):
    (folder / "kept").write_text(made.older)
    (folder / "on.cose").write_bytes(made.root.receipt(made.continued))
    kept = ["--checkpoint", str(folder / "kept")]

    one, two = (
        CliRunner().invoke(app, ["verify", str(folder / "on.cose"), "--vkey", VKEY, *given])
        for given in (kept, kept * 2)
    )

    assert (one.exit_code, two.exit_code) == (OK, WRONG_USE), one.output
    assert "a proof goes on from one --checkpoint" in two.stderr


def test_a_policy_that_has_not_the_ledger_among_its_logs_takes_no_key_for_it(folder):
    (folder / "policy").write_text(POLICY.replace(VKEY, OTHER_KEY))

    said = run("check", folder / "3.tlog-proof", "--vkey", VKEY, "--policy", folder / "policy")

    assert said.exit_code == WRONG_USE
    assert f"the policy has no log {ORIGIN} with this key" in said.stderr


WRONG_USES = [
    ("no key", [], "give the ledger's verifier key"),
    ("a key that is none", ["--vkey", "KEY"], "--vkey: a verifier key is"),
    ("two keys of one ledger", ["--vkey", VKEY, "--vkey", OTHER_KEY], f"two keys of {ORIGIN}"),
    ("a policy that is none", ["--policy", "3.tlog-proof"], "line 1:"),
    ("a policy that is not there", ["--policy", "nowhere"], "No such file"),
    ("a checkpoint that is none", ["--vkey", VKEY, "--checkpoint", "3.cose"], "3.cose: "),
]


@pytest.mark.parametrize(("arguments", "said"), [c[1:] for c in WRONG_USES], ids=range(6))
def test_wrong_use_says_what_was_wrong_with_it(folder, monkeypatch, arguments, said):
    monkeypatch.chdir(folder)

    result = run("check", "3.tlog-proof", *arguments)

    assert result.exit_code == WRONG_USE
    assert said in result.stderr


def test_a_file_or_a_folder_without_proofs_is_wrong_use(tmp_path):
    for target in (tmp_path, tmp_path / "nowhere.tlog-proof"):
        assert run("check", target, "--vkey", VKEY).exit_code == WRONG_USE


def client_of(*answers):
    """A gateway that gives these answers, one an ask."""
    left = list(answers)
    transport = httpx2.MockTransport(lambda request: left.pop(0))
    return httpx2.Client(base_url="http://gateway", transport=transport)


def refused(status, title):
    return httpx2.Response(status, json={"title": title, "detail": f"it is {title}"})


def test_a_proof_that_waits_for_its_checkpoint_is_asked_for_again(made):
    slept = []
    unsigned = refused(503, "unsigned")

    data = download(client_of(unsigned, unsigned, httpx2.Response(200, content=made.text)),
                    "/events/3/proof", slept.append)  # fmt: skip

    assert data == made.text
    assert len(slept) == 2


def test_a_gateway_that_does_not_sign_is_not_waited_for_for_ever():
    slept = []
    answers = [refused(503, "unsigned")] * 100

    with pytest.raises(UnusableError, match="it is unsigned; it does not sign"):
        download(client_of(*answers), "/events/3/proof", slept.append)

    assert sum(slept) == 15


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refused(404, "not-found"), "404: it is not-found"),
        (refused(503, "store-failed"), "503: it is store-failed"),
        (httpx2.Response(502, text="Bad Gateway"), "502: it is no gateway of ours"),
        (httpx2.Response(200, content=bytes(MAX_PROOF_BYTES + 1)), "too long for a proof"),
    ],
    ids=range(4),
)
def test_another_answer_is_told(answer, said):
    with pytest.raises(UnusableError, match=said):
        download(client_of(answer), "/events/3/proof", [].append)
