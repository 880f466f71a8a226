"""doctor and status of a gateway that is stopped, through the command line."""

import json

import pytest
from typer.testing import CliRunner

from gateway.errors import ConfigError
from gateway.ledger.batch import Submission
from gateway.ledger.log import Draft
from protocol import fault as faults
from protocol.fault import FAULT, INTEGRITY, STORE_FAILED, STORE_FULL, Fault
from tests.fakes import ORIGIN
from tests.gateway.ledger_files import make, writer_on
from tests.tools.program import app
from tools import facts as files
from tools.status import _heard


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture
def made(tmp_path):
    return make(tmp_path / "garden", size=300)


def record(made, *recorded: Fault) -> None:
    store = made.open()
    writer = writer_on(store, made.directory, made.signer)
    for fault in recorded:
        writer.commit([Submission(Draft(FAULT, "", faults.encode(fault)))], {})
    store.close()


def contents(path) -> dict[str, bytes]:
    """All but what SQLite makes anew at each opening."""
    return {
        file.name: file.read_bytes()
        for file in path.rglob("*")
        if file.is_file() and not file.name.endswith(("-shm", "-wal"))
    }


def test_doctor_says_how_each_thing_is_and_changes_nothing(made):
    before = contents(made.directory.path)

    result = run("doctor", made.directory.path, "--json")

    found = json.loads(result.stdout)
    names = [line["name"] for line in found]
    assert result.exit_code == 0, result.stdout
    assert names == [
        *("python", "sqlite", "clock", "secrets", "running", "quarantine", "checkpoint"),
        *("anchor", "space", "log", "sync", "wear", "http", "collector"),
    ]
    assert {line["level"] for line in found} <= {"ok", "warn"}
    assert all(line["fix"] for line in found if line["level"] != "ok")
    assert contents(made.directory.path) == before


def test_doctor_ends_with_1_where_something_is_bad_and_says_what_to_type(made):
    made.directory.signer.chmod(0o644)

    result = run("doctor", made.directory.path, "--quick")

    assert result.exit_code == 1
    assert "chmod 600" in result.stdout
    assert "wear" not in result.stdout


def test_the_card_to_reckon_with_is_said(made):
    shown = run("doctor", made.directory.path, "--card-gb", 8, "--cycles", 300, "--json").stdout

    (wear,) = [line["text"] for line in json.loads(shown) if line["name"] == "wear"]
    assert "8 GB, 300 cycles" in wear or "not counted" in wear


def test_a_ledger_that_cannot_be_read_is_a_line_and_not_the_end(made):
    made.directory.ledger.write_bytes(b"no database" * 1000)

    result = run("doctor", made.directory.path, "--quick", "--json")

    levels = {line["name"]: line["level"] for line in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert (levels["ledger"], levels["http"]) == ("bad", "ok")


@pytest.mark.parametrize("command", ["doctor", "status"])
def test_a_directory_that_is_no_gateways_is_wrong_use(tmp_path, command):
    (tmp_path / "collector").mkdir()
    (tmp_path / "collector" / "collector.toml").write_text("")

    for path in (tmp_path / "collector", tmp_path / "none"):
        assert isinstance(run(command, path).exception, ConfigError)


def test_status_of_a_stopped_gateway_is_what_its_files_say(made):
    result = run("status", made.directory.path)
    seen = json.loads(run("status", made.directory.path, "--json").stdout)

    assert result.exit_code == 0
    assert f"{ORIGIN} stopped" in result.stdout
    assert "300, 300 of them signed" in result.stdout
    assert (seen["status"], seen["size"], seen["signed_size"]) == ("stopped", 300, 300)
    assert (seen["anchor"], seen["forward"], seen["running"]) == (None, None, None)


def test_status_fails_where_the_ledger_records_what_is_not_over(made):
    record(made, Fault(STORE_FULL, "20 bytes are free", None))
    record(made, Fault(STORE_FAILED, "I/O error", None), Fault(STORE_FAILED, "over", 3))
    record(made, Fault(INTEGRITY, "entry 4 is not what was committed", None))

    result = run("status", made.directory.path, "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["faults"] == [
        "entry 300 records: store-full, 20 bytes are free",
        "entry 303 records: entry 4 is not what was committed",
    ]


def test_of_many_recorded_faults_it_is_the_last_that_counts(made):
    for _ in range(60):
        record(made, Fault(STORE_FULL, "full", None), Fault(STORE_FULL, "over", 1))
    record(made, Fault(STORE_FULL, "full again", None))

    seen = json.loads(run("status", made.directory.path, "--json").stdout)

    assert seen["faults"] == ["entry 420 records: store-full, full again"]


SAID = {
    "what it says of itself": (
        {"status": "failing", "faults": ["store-full"], "unread": "/stats"},
        ["store-full"],
    ),
    "that it does not answer": (
        {"status": "failing", "faults": ["nobody there"]},
        ["nobody there; if it listens elsewhere, ask there"],
    ),
    "that another does": (
        {"status": "ok", "faults": [], "origin": "another"},
        ["at http://g is another: ask this one where it listens"],
    ),
    "nothing wrong": ({"status": "ok", "faults": [], "unread": "/stats"}, []),
}


@pytest.mark.parametrize(("seen", "told"), SAID.values(), ids=SAID)
def test_what_is_heard_of_a_gateway_that_runs_counts(seen, told):
    assert _heard("http://g", seen) == told


def test_facts_are_of_the_last_entries(made):
    facts = files.read(made.directory)

    assert (facts.entries, facts.signed, facts.anchored) == (300, 300, 0)
    assert facts.readings_per_pack == 1
    assert facts.unanchored_ms is not None
    assert facts.entries_per_s is None  # all came in one moment
    assert facts.days_left(10**9) is None
    assert facts._replace(entries_per_s=1.0).days_left(facts.used_bytes) == pytest.approx(
        300 / 86_400
    )
