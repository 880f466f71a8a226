"""A board that sleeps deeply between samples: its memory, its resets and its flash are at work."""

import json

import pytest

from tests.board.child import Make
from tests.board.test_virtual import wait_until
from tests.board.virtual import VirtualBoard
from tests.device.gateway import TIME_MS, Keeper, UdpGateway
from tools import firmware
from tools.board import program
from tools.board.link import Board

pytestmark = pytest.mark.integration
NAME, SECRET = "greenhouse-3", bytes(range(32))
EVERY_MS = 30_000
MAIN = b"from device import main\nmain.main('/data')\n"


def install(board, port):
    """The device's program and its configuration; it starts."""
    config = {
        "name": NAME,
        "secret": SECRET.hex(),
        "gateway": f"127.0.0.1:{port}",
        "sensors": [{"driver": "board-temperature", "every_ms": EVERY_MS}],
        "ack_timeout_ms": 100,
        "sleep": "deep",
    }
    with Board(board.port) as link:
        files = program.modules(board.make.platform, firmware.cache())
        files |= {"data/config.json": json.dumps(config).encode(), "main.py": MAIN}
        for one in sorted({str(path.rpartition("/")[0]) for path in files}):
            parts = one.split("/")
            for depth in range(1, len(parts) + 1 if one else 0):
                link.mkdir("/" + "/".join(parts[:depth]))
        for path, content in files.items():
            link.put("/" + path, content)
        link.reset()


def sleeps(board):
    return board.said.count(b'"sleeping"')


@pytest.mark.parametrize(("platform", "epochs"), [("esp32", [1, 1, 1, 1]), ("rp2", [1, 2, 3, 4])])
def test_each_wake_measures_sends_and_sleeps_and_an_outage_costs_nothing(
    platform, epochs, tmp_path
):
    keeper = Keeper(NAME, SECRET)
    with (
        UdpGateway(keeper) as gateway,
        VirtualBoard(tmp_path / "board", Make(platform=platform)) as board,
    ):
        board.change_world(hurries=True)
        install(board, gateway.address[1])
        wait_until(lambda: len(keeper.order) == 2, "two wakes were kept")
        board.change_world(wifi=board.world["wifi"] | {"up": False})
        asleep = sleeps(board)
        wait_until(lambda: sleeps(board) >= asleep + 2, "a wake found no gateway")
        board.change_world(wifi=board.world["wifi"] | {"up": True})
        wait_until(lambda: len(keeper.order) >= 4, "what was missed is kept")

    first, *later = [reading.time_ms for reading in keeper.readings()]
    assert [epoch for epoch, _ in keeper.order][:4] == epochs
    assert keeper.conflicts == []
    assert first <= 0  # its clock was not set
    # a receipt tells this gateway's one moment; from then on the device counts its sleeps
    periods = [(ms - TIME_MS) / EVERY_MS for ms in later]
    assert all(abs(period - round(period)) < 0.1 for period in periods)
    assert min(periods) > 0.9
    assert max(periods) > 1.9
