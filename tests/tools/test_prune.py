"""`tallystick prune` on a stopped gateway: what it deletes, asks, refuses and says."""

import json
import sqlite3

import pytest
from typer.testing import CliRunner

from gateway.config import GatewayConfig
from gateway.directory import Directory
from gateway.errors import ConfigError, HeldError
from gateway.forward.worker import CURSOR
from gateway.hold import Hold
from gateway.ledger.batch import Submission
from gateway.ledger.log import Draft
from gateway.ledger.pruning import MAX_ENTRIES
from gateway.ledger.writer import LedgerWriter
from gateway.metrics import Metrics
from gateway.store import Selection
from gateway.store.sqlite import SqliteStore
from gateway.surroundings import Surroundings
from tests.fakes import ORIGIN, FakeDevice, FakeSurroundings
from tests.tools.program import app
from tools.verify import verdicts_of

SHED, CELLAR = FakeDevice("shed"), FakeDevice("cellar")
MARK = b"a person's name"


def run(*arguments, answer: str = ""):
    return CliRunner().invoke(app, list(map(str, arguments)), input=answer)


def refusal(*arguments):
    return run(*arguments).exception


class Clock(Surroundings):
    """The real files, and a clock that the test sets."""

    def __init__(self, directory):
        super().__init__(directory)
        self.clock = FakeSurroundings()

    def unix_ms(self):
        return self.clock.now_ms


def put(path, *batches) -> None:
    """Each batch a millisecond after the one before, and all signed."""
    directory = Directory(path)
    signer = directory.load_signer(ORIGIN)
    store, note, signed = directory.open_checked(signer)
    clock = Clock(directory)
    writer = LedgerWriter(store, signer, clock, GatewayConfig(origin=ORIGIN).ledger, Metrics())
    writer.resume(signed, note)
    for batch in batches:
        writer.commit(batch, {})
        clock.clock.now_ms += 1
    writer.sign_if_due(0, force=True)
    store.close()


@pytest.fixture
def garden(tmp_path):
    """Entries 0 to 9 are packs, of shed and cellar in turn; 10 is a note."""
    path = tmp_path / "garden"
    assert run("init", path, "--name", ORIGIN).exit_code == 0
    packs = [[SHED.submission(n), CELLAR.submission(n)] for n in range(5)]
    put(path, *packs, [Submission(Draft("note", "desk", MARK * 9))])
    return path


def left(path) -> list[int]:
    store = SqliteStore(path / "ledger.sqlite")
    found = store.read(lambda r: r.bodies(Selection(0, 10**6), 10**6))
    store.close()
    return [index for index, _ in found]


ORDERS = [
    (["--source", "cellar"], [0, 2, 4, 6, 8, 10]),
    (["--kind", "note"], [*range(10)]),
    (["--index", "3"], [0, 1, 2, 4, 5, 6, 7, 8, 9, 10]),
    (["--range", "2:5"], [0, 1, 5, 6, 7, 8, 9, 10]),
    (["--range", "8:"], [*range(8)]),
    (["--range", ":2"], [*range(2, 11)]),
    (["--range", "0:"], []),
    (["--source", "shed", "--range", "0:5", "--kind", "pack"], [1, 3, 5, 6, 7, 8, 9, 10]),
    (["--before", str(FakeSurroundings().now_ms + 2)], [*range(4, 11)]),
    (["--before", "2026-09-21T14:13:20.002Z"], [*range(4, 11)]),
    (["--before", "2020-01-01T00:00:00+01:00"], [*range(11)]),
]


@pytest.mark.parametrize(("options", "indexes"), ORDERS, ids=str)
def test_exactly_what_is_named_is_deleted_and_the_ledger_verifies(garden, options, indexes):
    done = run("prune", garden, *options, "--yes", "--json")

    assert done.exit_code == 0
    assert left(garden) == indexes
    assert json.loads(done.stdout)["bodies"] == 11 - len(indexes)
    (verdict,) = verdicts_of(str(garden))
    assert verdict.valid, verdict.reason


def test_it_says_what_it_did_and_where_that_is_written(garden):
    done = run("prune", garden, "--source", "cellar", "--yes")

    assert done.stdout.splitlines() == ["deleted 5 bodies, 0.0 MB", "entry 11 says so"]


def test_it_asks_first_and_no_is_no(garden):
    asked = run("prune", garden, "--source", "cellar", "--redact", answer="n\n")

    assert asked.exit_code == 1
    assert "delete 5 bodies, 0.0 MB for good, at collectors too" in asked.stderr
    assert left(garden) == [*range(11)]


def test_yes_is_yes(garden):
    assert run("prune", garden, "--source", "cellar", answer="y\n").exit_code == 0
    assert left(garden) == [0, 2, 4, 6, 8, 10]


def test_a_dry_run_counts_only(garden):
    done = run("prune", garden, "--source", "cellar", "--dry-run")

    assert done.stdout == "would delete 5 bodies, 0.0 MB\n"
    assert left(garden) == [*range(11)]


def test_a_long_one_is_done_in_steps_and_the_file_is_smaller(garden):
    put(garden, [Submission(Draft("note", "desk", bytes(300)))] * 2 * MAX_ENTRIES)
    before = (garden / "ledger.sqlite").stat().st_size

    done = run("prune", garden, "--kind", "note", "--yes", "--json")

    summary = json.loads(done.stdout)
    assert summary["bodies"] == 2 * MAX_ENTRIES + 1
    assert len(summary["recorded_at"]) >= 2
    assert (garden / "ledger.sqlite").stat().st_size < before / 2
    assert verdicts_of(str(garden))[0].valid


def raw(path) -> bytes:
    return b"".join(file.read_bytes() for file in path.iterdir() if file.is_file())


def test_nothing_of_what_was_redacted_is_left_in_the_files(garden):
    before = MARK in raw(garden)

    run("prune", garden, "--index", "10", "--redact", "--yes")

    assert before
    assert MARK not in raw(garden)


def forwarded(garden, cursor):
    text = '[forward]\nurl = "http://127.0.0.1:1"\ntoken_file = "none"\n'
    config = garden / "tallystick.toml"
    config.write_text(config.read_text() + text)
    store = SqliteStore(garden / "ledger.sqlite")
    store.transact(lambda tx: tx.put_state(CURSOR, cursor))
    store.close()


@pytest.mark.parametrize(("cursor", "stop"), [(b"99", 11), (b"no number", 0)])
def test_a_collector_that_has_more_than_there_is_or_nobody_knows_what(garden, cursor, stop):
    forwarded(garden, cursor)

    done = run("prune", garden, "--range", "0:", "--yes")

    assert done.exit_code == 0
    assert left(garden) == [*range(stop, 11)]
    put(garden, [SHED.submission(9)])
    assert verdicts_of(str(garden))[0].valid


def test_what_the_collector_does_not_have_is_passed_over_and_that_is_said(garden):
    forwarded(garden, b"4")

    held = run("prune", garden, "--range", "0:7", "--yes")
    before = left(garden)
    all_of_it = run("prune", garden, "--range", "0:7", "--yes", "--even-unforwarded")

    assert "3 entries were passed over" in held.stdout
    assert before == [4, 5, 6, 7, 8, 9, 10]
    assert "passed over" not in all_of_it.stdout
    assert left(garden) == [7, 8, 9, 10]


def test_where_nothing_is_forwarded_yet_nothing_is_deleted(garden):
    text = '[forward]\nurl = "http://127.0.0.1:1"\ntoken_file = "none"\n'
    config = garden / "tallystick.toml"
    config.write_text(config.read_text() + text)

    done = run("prune", garden, "--range", "0:", "--yes")

    assert "11 entries were passed over" in done.stdout
    assert left(garden) == [*range(11)]


def rows(path, sql: str, *values: object) -> list[tuple]:
    """`sql` on the ledger's file, behind everyone's back."""
    database = sqlite3.connect(path / "ledger.sqlite")
    with database:
        found = database.execute(sql, values).fetchall()
    database.close()
    return found


def test_a_body_that_was_put_back_is_found_by_verify(garden):
    ((salt, body),) = rows(garden, "SELECT salt, body FROM bodies WHERE idx = 3")
    run("prune", garden, "--index", "3", "--redact", "--yes")
    gone = verdicts_of(str(garden))[0]

    rows(garden, "INSERT INTO bodies (idx, salt, body) VALUES (3, ?, ?)", salt, body)
    back = verdicts_of(str(garden))[0]

    assert gone.valid
    assert (back.valid, back.first_bad) == (False, 3)
    assert "entry 11 says that it was deleted" in back.reason


def test_a_body_that_nobody_says_is_deleted_is_missed_by_verify(garden):
    run("prune", garden, "--index", "3", "--yes")

    rows(garden, "DELETE FROM bodies WHERE idx = 4")

    missing = verdicts_of(str(garden))[0]
    assert (missing.valid, missing.first_bad) == (False, 4)
    assert "no entry says who deleted it" in missing.reason


WRONG = [
    ([], "every body there is"),
    (["--index", "1", "--range", "0:2"], "two answers"),
    (["--range", "5"], "--range is A:B"),
    (["--range", "a:b"], "--range is A:B"),
    (["--range", "-1:2"], "--range is A:B"),
    (["--before", "yesterday"], "a time with its zone"),
    (["--before", "2026-01-01T00:00:00"], "a time with its zone"),
    (["--kind", "enrolled"], "never pruned"),
]


@pytest.mark.parametrize(("options", "message"), WRONG, ids=str)
def test_what_makes_no_sense_is_refused_and_nothing_deleted(garden, options, message):
    error = refusal("prune", garden, *options, "--yes")

    assert isinstance(error, ConfigError)
    assert message in str(error)
    assert left(garden) == [*range(11)]


def test_a_gateway_that_runs_is_not_pruned_behind_its_back(garden):
    with Hold(garden, "gateway"):
        error = refusal("prune", garden, "--range", "0:", "--yes")

    assert isinstance(error, HeldError)


def test_a_collectors_directory_is_refused(tmp_path):
    run("init", tmp_path / "upstream", "--collector")

    error = refusal("prune", tmp_path / "upstream", "--range", "0:", "--yes")

    assert "is a collector's" in str(error)


def test_a_running_gateway_wants_a_token():
    error = refusal("prune", "http://127.0.0.1:1", "--range", "0:", "--yes")

    assert "admin token" in str(error)
