"""What somebody with the disk can do, and who notices."""

import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from gateway.errors import ConfigError
from tests.integration.commands import tallystick
from tests.integration.harness import Site
from tests.integration.scenes import fill


def verify(target: Path | str, *more: str) -> subprocess.CompletedProcess[str]:
    return tallystick("verify", target, *more)


COLUMNS = [("bodies", "body"), ("entries", "leaf"), ("entries", "chain"), ("bodies", "salt")]


@pytest.mark.integration
@pytest.mark.damages_ledgers
@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_one_flipped_byte_is_named_by_its_entry(site: Site, table: str, column: str) -> None:
    fill(site, "load-1", 25)
    victim = 17
    flip(site.gateway_dir / "ledger.sqlite", table, column, victim)

    outcome = verify(site.gateway_dir)

    assert outcome.returncode == 1, outcome
    assert f"WRONG at entry {victim}:" in outcome.stdout


@pytest.mark.integration
@pytest.mark.damages_ledgers
def test_a_running_gateway_never_serves_a_tampered_body_and_says_so(site: Site) -> None:
    fill(site, "load-1", 25)
    site.start_collector()
    gateway = site.start_gateway()
    flip(site.gateway_dir / "ledger.sqlite", "bodies", "body", 5)

    served = gateway.get("/events/5")
    verdict = gateway.get("/verify")
    outcome = verify(gateway.url)

    assert (served["title"], "body" in served) == ("integrity", False)
    assert (verdict["valid"], verdict["first_bad"]) == (False, 5)
    assert outcome.returncode == 1, outcome
    assert "WRONG at entry 5:" in outcome.stdout


@pytest.mark.integration
@pytest.mark.damages_ledgers
def test_a_ledger_whose_tail_was_cut_off_is_refused_at_start(site: Site) -> None:
    fill(site, "load-1", 25)
    execute(site.gateway_dir / "ledger.sqlite", "DELETE FROM entries WHERE idx > 20")

    with pytest.raises(ConfigError) as refusal:
        site.start_gateway()

    assert "the end was cut off, or an older copy was put back" in str(refusal.value)
    assert verify(site.gateway_dir).returncode == 1


@pytest.mark.integration
@pytest.mark.damages_ledgers
def test_an_older_copy_of_the_database_is_refused_at_start(site: Site) -> None:
    fill(site, "load-1", 25)
    older = site.gateway_dir.with_name("older.sqlite")
    shutil.copy(site.gateway_dir / "ledger.sqlite", older)
    fill(site, "load-2", 25)
    shutil.copy(older, site.gateway_dir / "ledger.sqlite")

    with pytest.raises(ConfigError) as refusal:
        site.start_gateway()

    assert "an older copy was put back" in str(refusal.value)


@pytest.mark.integration
@pytest.mark.damages_ledgers
def test_an_older_copy_of_the_whole_directory_is_caught_by_the_collector(site: Site) -> None:
    put_an_older_directory_back(site)
    site.start_collector()

    with pytest.raises(ConfigError) as refusal:
        site.start_gateway()

    assert "the upstream has seen" in str(refusal.value)


@pytest.mark.integration
@pytest.mark.damages_ledgers
def test_a_rolled_back_gateway_that_starts_alone_is_stopped_when_the_collector_is_back(
    site: Site,
) -> None:
    put_an_older_directory_back(site)
    gateway = site.start_gateway()  # nobody there to tell it

    site.start_collector()
    site.wait_until(lambda: not gateway.running, "the gateway stops")

    assert "the upstream has seen" in site.logs()


def put_an_older_directory_back(site: Site) -> None:
    """Everything in it: the ledger, both checkpoints, the keys."""
    fill(site, "load-1", 25)
    older = site.gateway_dir.with_name("older")
    shutil.copytree(site.gateway_dir, older)
    fill(site, "load-2", 25)
    shutil.rmtree(site.gateway_dir)
    shutil.copytree(older, site.gateway_dir)


def flip(ledger: Path, table: str, column: str, index: int) -> None:
    database = sqlite3.connect(ledger)
    (value,) = database.execute(
        f"SELECT {column} FROM {table} WHERE idx = ?",  # noqa: S608  # our own names
        (index,),
    ).fetchone()
    changed = bytearray(value)
    changed[len(changed) // 2] ^= 0x01
    database.execute(
        f"UPDATE {table} SET {column} = ? WHERE idx = ?",  # noqa: S608  # our own names
        (bytes(changed), index),
    )
    database.commit()
    database.close()


def execute(ledger: Path, sql: str) -> None:
    database = sqlite3.connect(ledger)
    database.execute(sql)
    database.commit()
    database.close()
