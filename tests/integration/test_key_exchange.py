"""A new key on a board, by one command: what was sealed under the old one is not lost."""

import json

import pytest

from tests.board.test_virtual import files_on, wait_until
from tests.board.virtual import VirtualBoard
from tests.integration.flashing import add, files_on_or_none, rotate
from tests.integration.harness import packs
from tools import enrolling

pytestmark = pytest.mark.integration


@pytest.fixture
def virtual(tmp_path):
    with VirtualBoard(tmp_path / "board") as board:
        yield board


@pytest.mark.parametrize("profile", ["sig", pytest.param("mac", marks=pytest.mark.slow)])
def test_a_key_is_exchanged_on_the_board(profile, site, virtual):
    site.start_gateway()
    add(site, virtual, "cellar-1", "--profile", profile)
    before = json.loads(files_on(virtual.image)["/data/config.json"])

    run = rotate(site, virtual, "cellar-1")

    assert run.returncode == 0, run.stderr
    files = files_on(virtual.image)
    config = json.loads(files["/data/config.json"])
    assert config["secret"] != before["secret"]
    _, new = enrolling.identities(site.gateway_dir)
    assert new.secret.hex() == config["secret"]
    assert new.kid.hex() in run.stdout
    assert not [path for path in files if path.startswith("/data/next")]
    site.wait_until(lambda: enrolling.identities(site.gateway_dir)[0].revoked, "the old is revoked")
    for secret in (before["secret"], config["secret"]):
        assert secret not in run.stdout + run.stderr + site.logs()


def test_what_waits_in_the_outbox_is_sent_before_the_key_is_exchanged(site, virtual):
    site.start_gateway()
    add(site, virtual, "cellar-1", "--sensor", "simulated,every_ms=100")
    site.stop()
    virtual.press_reset()
    wait_until(lambda: outbox_bytes(virtual) > 1000, "what is not confirmed is in the outbox")

    refused = rotate(site, virtual, "cellar-1", "--wait", "1")
    site.start_gateway()
    sent = rotate(site, virtual, "cellar-1")

    assert refused.returncode == 2
    assert "packs wait in the outbox" in refused.stderr
    assert "--drop-waiting" in refused.stderr
    assert sent.returncode == 0, sent.stderr
    kept: dict[int, list[int]] = {}
    for _, epoch, sequence in sorted(packs(site.gateway_dir / "ledger.sqlite")):
        kept.setdefault(epoch, []).append(sequence)
    assert all(numbers == [*range(len(numbers))] for numbers in kept.values())
    assert len(kept[2]) > 5  # of the start without a gateway


@pytest.mark.slow
def test_what_waits_can_be_given_up(site, virtual):
    site.start_gateway()
    add(site, virtual, "cellar-1", "--sensor", "simulated,every_ms=100")
    site.stop()
    virtual.press_reset()
    wait_until(lambda: outbox_bytes(virtual) > 1000, "what is not confirmed is in the outbox")
    site.start_gateway()

    run = rotate(site, virtual, "cellar-1", "--drop-waiting")

    assert run.returncode == 0, run.stderr


def outbox_bytes(board: VirtualBoard) -> int:
    files = files_on_or_none(board.image)
    return sum(len(files[path]) for path in files if path.startswith("/data/outbox/"))
