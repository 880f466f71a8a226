"""Numbers that the gateway seals under, over a backup that is put back: no nonce comes twice."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol import coap, oscore, oscore_parts
from protocol.oscore_parts import OSCORE, Plain
from tests.integration.commands import tallystick
from tests.integration.harness import Site
from tests.integration.oscore import RawClient

pytestmark = pytest.mark.integration

TIME = Plain(coap.GET, [(11, b"time")], b"")
SOME = 20


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.stop()


def challenged(board: RawClient, count: int) -> list[int]:
    """The gateway's own numbers in its answers to `count` requests without an Echo.

    Each is answered with a challenge, and each challenge is sealed under the same key: a nonce
    is used twice when, and only when, a number is.
    """
    found = []
    for _ in range(count):
        option = board.exchange(board.sealed(TIME)[0]).option(OSCORE)
        if option is not None:  # else there was no number for it
            iv = oscore.decode_option(option).partial_iv
            assert iv is not None
            found.append(oscore_parts.number_of(iv))
    return found


def life(site: Site, board: RawClient, count: int) -> list[int]:
    """What one start of the gateway has sealed under; it is killed in the end."""
    gateway = site.start_gateway()
    found = challenged(board, count)
    gateway.kill()
    return found


@pytest.mark.parametrize("flood", [600, pytest.param(2500, marks=pytest.mark.slow)])
def test_a_backup_that_is_put_back_repeats_no_nonce_of_what_came_after_it(
    flood: int, site: Site, tmp_path: Path
) -> None:
    saved, numbers = tmp_path / "saved", site.gateway_dir / "oscore.numbers"
    board = RawClient(site, site.enrol("board"))
    used = life(site, board, SOME)
    older = numbers.read_bytes()
    done = tallystick("backup", site.gateway_dir, saved, "--with-key")
    assert done.returncode == 0, done.stderr

    used += life(site, board, flood)
    note = shutil.copy(site.gateway_dir / "checkpoint", tmp_path / "newest")
    shutil.rmtree(site.gateway_dir)
    done = tallystick("restore", saved, site.gateway_dir, "--checkpoint", note)
    assert done.returncode == 0, done.stderr
    restored = numbers.exists()
    used += life(site, board, flood)
    numbers.write_bytes(older)
    used += life(site, board, SOME)
    numbers.unlink()
    used += life(site, board, SOME)

    assert not restored
    assert len(used) > 10 * SOME
    assert used == sorted(set(used))
