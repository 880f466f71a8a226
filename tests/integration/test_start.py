"""What a gateway refuses to start on, and how it says so."""

import re
import shutil
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from gateway.directory import Directory
from gateway.errors import ConfigError
from gateway.ledger.start import CHECKPOINT
from gateway.store.sqlite import SqliteStore
from tests.integration.harness import Site
from tools.init import init_gateway
from tools.processes import launched


@pytest.fixture(autouse=True, params=["forked", pytest.param("anew", marks=pytest.mark.slow)])
def started(site: Site, request: pytest.FixtureRequest) -> None:
    """Also by the interpreter itself, as a user's is: what that loads is what there is."""
    if request.param == "anew":
        site.launch = launched


@pytest.mark.integration
def test_a_second_gateway_on_the_same_directory_is_refused_and_told_who_has_it(site: Site) -> None:
    first = site.start_gateway()
    site.gateway_http += 1

    with pytest.raises(ConfigError) as refusal:
        site.start_gateway()

    assert f"is held by process {first.pid} (gateway test.invalid/site)" in str(refusal.value)
    first.stop()


@pytest.mark.integration
def test_a_typing_mistake_in_the_configuration_is_named_with_what_was_meant(site: Site) -> None:
    config = site.gateway_dir / "tallystick.toml"
    config.write_text(config.read_text().replace("[http]", "[htpp]"))

    with pytest.raises(ConfigError) as refusal:
        site.start_gateway()

    assert "unknown field `htpp`" in str(refusal.value)
    assert "did you mean `http`?" in str(refusal.value)


@pytest.mark.integration
def test_a_configuration_for_another_origin_than_the_key_signs_for_is_refused(site: Site) -> None:
    config = site.gateway_dir / "tallystick.toml"
    config.write_text(re.sub('origin = ".*"', 'origin = "other.invalid/site"', config.read_text()))

    with pytest.raises(ConfigError) as refusal:
        site.start_gateway()

    assert "signs for 'test.invalid/site', not for 'other.invalid/site'" in str(refusal.value)


@pytest.mark.integration
@pytest.mark.damages_ledgers
@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
def test_a_database_of_another_origin_is_refused(site: Site, tmp_path: Path, used: bool) -> None:
    other = tmp_path / "other"
    foreign_ledger(other, used=used)
    shutil.copy(other / "ledger.sqlite", site.gateway_dir / "ledger.sqlite")

    with pytest.raises(ConfigError) as refusal:
        site.start_gateway()

    assert "this ledger belongs to 'other.invalid/site'" in str(refusal.value)


@pytest.mark.integration
def test_a_port_that_is_taken_is_refused_and_nothing_is_left_behind(site: Site) -> None:
    taken = site.start_gateway()
    twin = site.gateway_dir.with_name("twin")
    shutil.copytree(site.gateway_dir, twin)
    (twin / "lock").unlink()
    original, site.gateway_dir = site.gateway_dir, twin

    site.gateway_http += 1
    with pytest.raises(ConfigError) as refusal:
        site.start_gateway()

    assert f"cannot listen for CoAP on 127.0.0.1:{site.coap_port}" in str(refusal.value)
    site.gateway_dir = original
    taken.stop()


def foreign_ledger(path: Path, *, used: bool) -> None:
    """Another gateway's directory; a used one holds its own checkpoint inside the database."""
    with redirect_stdout(StringIO()):
        init_gateway(path, "other.invalid/site", "", None)
    if used:
        directory = Directory(path)
        store = SqliteStore(directory.ledger)
        note = directory.checkpoint.read_bytes()
        store.transact(lambda transaction: transaction.put_state(CHECKPOINT, note))
        store.close()
