"""What doctor looks at, one by one: each case is a state of the machine or of the directory."""

import math
import os

import msgspec
import pytest

from gateway import quarantine
from gateway.config import (
    AnchorConfig,
    DiskConfig,
    GatewayConfig,
    HttpConfig,
    LedgerConfig,
    RetentionConfig,
)
from gateway.errors import RolledBackError
from gateway.hold import Hold
from gateway.tokens import Token, digest_of, dump
from tests.fakes import NOW_MS, ORIGIN
from tests.gateway.ledger_files import make
from tools.checkup import directory as places
from tools.checkup import machine, peers
from tools.checkup.finding import BAD, OK, WARN
from tools.checkup.machine import Card
from tools.facts import Facts

CONFIG = GatewayConfig(origin=ORIGIN)
CARD = Card(32, 1000, 10)
FACTS = Facts(
    entries=100,
    signed=100,
    anchored=100,
    forwarded=100,
    received_ms=NOW_MS,
    unanchored_ms=None,
    used_bytes=50_000,
    file_bytes=60_000,
    log_bytes=0,
    entries_per_s=1.0,
    readings_per_pack=10,
    open_faults=[],
)


@pytest.fixture
def garden(tmp_path):
    """A directory as `init` makes it, with ten entries."""
    directory = make(tmp_path / "garden", size=10).directory
    directory.tokens.write_bytes(dump([Token("t", digest_of("secret"), "read")]))
    directory.tokens.chmod(0o600)
    return directory


@pytest.mark.parametrize(("version", "level"), [((3, 10, 9), BAD), ((3, 11, 0), OK)])
def test_python_is_new_enough(version, level):
    assert machine.python(version).level == level


VERSIONS = [
    ((3, 6, 23), OK),
    ((3, 7, 0), BAD),
    ((3, 51, 2), BAD),
    ((3, 51, 3), OK),
    ((4, 0, 0), OK),
]


@pytest.mark.parametrize(("version", "level"), VERSIONS)
def test_sqlite_has_the_wal_reset_bug_or_not(version, level):
    found = machine.sqlite_library(version)

    assert (found.level, ".".join(map(str, version)) in found.text) == (level, True)


def test_the_sqlite_that_we_use_is_without_the_bug():
    assert machine.sqlite_used().level == OK


@pytest.mark.parametrize(
    ("now_ms", "facts", "level"),
    [
        (NOW_MS, None, OK),
        (NOW_MS, FACTS, OK),
        (NOW_MS - 900, FACTS, OK),
        (NOW_MS - 5000, FACTS, BAD),
        (0, None, BAD),
    ],
)
def test_a_clock_is_set_and_not_before_the_last_entry(now_ms, facts, level):
    assert machine.clock(now_ms, facts).level == level


@pytest.mark.parametrize(
    ("took_s", "level"),
    [([0.003] * 100, OK), ([0.003] * 99 + [0.9], OK), ([0.003] * 98 + [1.5] * 2, WARN),
     ([0.06] * 100, WARN)],
)  # fmt: skip
def test_syncs_are_judged_by_the_middle_and_by_the_worst(took_s, level):
    assert machine.judged_syncs(took_s).level == level


def test_syncs_are_measured_and_leave_nothing(tmp_path):
    shown = []

    found = machine.syncs(tmp_path, lambda *progress: shown.append(progress))

    assert (found.name, os.listdir(tmp_path)) == ("sync", [])
    assert shown[-1] == ("syncs", 100, 100)


def test_a_directory_that_cannot_be_written_is_bad(tmp_path):
    assert machine.syncs(tmp_path / "none", lambda *_: None).level == BAD


def test_a_card_lasts_as_long_as_its_cells():
    years = CARD.years(bytes_per_s=1000)

    assert math.isclose(years, 32e9 * 1000 / (1000 * 10 * 365 * 86_400))


@pytest.mark.parametrize(
    ("written", "rate", "level"), [(2000, 10, OK), (13_000, 10, WARN), (13_000, 100, BAD)]
)
def test_wear_says_how_long_a_card_lasts_and_what_it_was_taken_to_be(written, rate, level):
    found = machine.judged_wear(written, 10, rate, CARD, LedgerConfig())

    assert found.level == level
    assert "32 GB, 1000 cycles, write amplification 10" in found.text
    assert "years" in found.text


def test_wear_is_measured_with_the_configured_durability_and_leaves_nothing(tmp_path):
    config = LedgerConfig(durability="balanced")

    found = machine.wear(tmp_path, config, None, CARD, lambda *_: None)

    assert os.listdir(tmp_path) == []
    assert "balanced" in found.text or "not counted here" in found.text


def test_secrets_are_for_their_owner(garden):
    fine = list(places.modes(garden, CONFIG))
    garden.keys.chmod(0o640)
    garden.tokens.chmod(0o644)

    found = list(places.modes(garden, CONFIG))

    assert [one.level for one in fine] == [OK]
    assert [(one.level, one.fix) for one in found] == [
        (BAD, f"chmod 600 {garden.keys}"),
        (BAD, f"chmod 600 {garden.tokens}"),
    ]


def test_a_ledger_without_its_key_is_bad(garden):
    garden.signer.unlink()

    assert [found.level for found in places.modes(garden, CONFIG)] == [BAD]


def test_who_runs_there_is_named(garden):
    stopped = places.held(garden)
    with Hold(garden.path, "gateway"):
        running = places.held(garden)

    assert "nobody" in stopped.text
    assert f"process {os.getpid()} (gateway)" in running.text


def test_a_quarantine_is_told_with_its_fix(garden):
    fine = places.quarantined(garden)
    quarantine.keep(garden.quarantine, RolledBackError("behind", "restore the newer copy", "note"))
    found = places.quarantined(garden)
    garden.quarantine.write_text("damaged")

    assert (fine.level, found.level, found.fix) == (OK, BAD, "restore the newer copy")
    assert places.quarantined(garden).level == BAD


SPACES = {
    "plenty": (DiskConfig(), RetentionConfig(), FACTS._replace(entries_per_s=0.001), OK),
    "nothing known": (DiskConfig(), RetentionConfig(), FACTS._replace(entries_per_s=None), OK),
    "below soft": (DiskConfig(soft_free_bytes=1 << 60), RetentionConfig(), FACTS, WARN),
    "below hard": (
        DiskConfig(soft_free_bytes=1 << 60, hard_free_bytes=1 << 60), RetentionConfig(), FACTS, BAD,
    ),
    "hours": (DiskConfig(), RetentionConfig(), FACTS._replace(entries_per_s=1e9), BAD),
    "hours, but retention": (
        DiskConfig(), RetentionConfig(keep_days=1), FACTS._replace(entries_per_s=1e9), WARN,
    ),
    "its own limit": (
        DiskConfig(), RetentionConfig(max_bytes=100_000_000), FACTS._replace(entries_per_s=1.0),
        WARN,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("disk", "retention", "facts", "level"), SPACES.values(), ids=SPACES)
def test_space_is_what_is_free_and_for_how_long(garden, disk, retention, facts, level):
    config = GatewayConfig(origin=ORIGIN, disk=disk, retention=retention)

    assert places.space(garden, config, facts).level == level


@pytest.mark.parametrize(("log_bytes", "level"), [(2_000_000, OK), (200_000_000, WARN)])
def test_a_log_that_is_not_emptied_is_told(log_bytes, level):
    assert places.log_size(FACTS._replace(log_bytes=log_bytes)).level == level


def test_a_checkpoint_is_late_only_where_a_gateway_runs_and_has_more_to_sign(garden):
    now_s = garden.checkpoint.stat().st_mtime + 300
    behind = FACTS._replace(signed=90)

    stopped = places.checkpoint(garden, CONFIG, behind, now_s)
    with Hold(garden.path, "gateway"):
        late = places.checkpoint(garden, CONFIG, behind, now_s)
        idle = places.checkpoint(garden, CONFIG, FACTS, now_s)
    garden.checkpoint.unlink()

    assert [stopped.level, late.level, idle.level] == [OK, WARN, OK]
    assert places.checkpoint(garden, CONFIG, FACTS, now_s).level == BAD


ANCHORS = {
    "nobody asked": (None, FACTS, WARN),
    "all": (AnchorConfig(), FACTS, OK),
    "a minute": (AnchorConfig(), FACTS._replace(anchored=9, unanchored_ms=NOW_MS - 60_000), OK),
    "a day": (AnchorConfig(), FACTS._replace(anchored=9, unanchored_ms=NOW_MS - 86_400_000), WARN),
}


@pytest.mark.parametrize(("anchor", "facts", "level"), ANCHORS.values(), ids=ANCHORS)
def test_an_anchor_is_as_old_as_what_nobody_remembers(anchor, facts, level):
    config = GatewayConfig(origin=ORIGIN, anchor=anchor)

    assert places.anchor(config, facts, NOW_MS).level == level


def test_what_the_ledger_records_and_is_not_over_is_shown():
    facts = FACTS._replace(open_faults=["entry 4 records: store-full, 20 bytes are free"])

    assert [found.level for found in places.recorded(facts)] == [WARN]


def test_reading_from_elsewhere_needs_a_token(garden):
    public = GatewayConfig(origin=ORIGIN, http=HttpConfig(host="0.0.0.0"))  # noqa: S104  # not bound

    levels = [peers.bind(garden, CONFIG).level, peers.bind(garden, public).level]
    garden.tokens.write_bytes(dump([]))
    levels.append(peers.bind(garden, public).level)
    garden.tokens.write_text("damaged")
    levels.append(peers.bind(garden, public).level)

    assert levels == [OK, OK, BAD, BAD]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),  # noqa: S104  # not bound
        ("::", "http://[::1]:8080"),
        ("gateway.lan", "http://gateway.lan:8080"),
    ],
)
def test_a_gateway_on_this_machine_is_asked_where_it_listens(host, url):
    config = msgspec.structs.replace(CONFIG, http=HttpConfig(host=host))

    assert peers.url_of(config) == url


def test_without_a_collector_nothing_leaves_the_machine():
    assert peers.collector(CONFIG).level == WARN
