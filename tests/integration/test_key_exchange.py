"""A new key on a board, by one command: what was sealed under the old one is not lost."""

import json

import pytest

from tests.board.test_virtual import files_on, wait_until
from tests.board.virtual import VirtualBoard
from tests.integration.flashing import add, rotate
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


def test_a_key_is_not_exchanged_while_something_waits_unless_that_may_be_lost(site, virtual):
    site.start_gateway()
    add(site, virtual, "cellar-1", "--sensor", "simulated,every_ms=100")
    site.stop()
    virtual.press_reset()
    wait_until(lambda: virtual.said.count(b'"waiting"') > 0, "nobody answers")

    refused = rotate(site, virtual, "cellar-1", "--wait", "1")
    site.start_gateway()
    lost = rotate(site, virtual, "cellar-1", "--drop-waiting")

    assert refused.returncode == 2
    assert "packs wait in the outbox" in refused.stderr
    assert "--drop-waiting" in refused.stderr
    assert lost.returncode == 0, lost.stderr
