"""The Wi-Fi of the virtual board, watched over as a running agent does it."""

import pytest

from tests.board.child import Make
from tests.board.virtual import VirtualBoard
from tools import firmware
from tools.board import program
from tools.board.link import Board

pytestmark = pytest.mark.integration
JOIN = """
import asyncio
from device.start import pick_board
told = asyncio.Event()
def report(event, **fields):
    print(event, fields["state"])
    told.set()
async def main():
    board = pick_board()
    staying = board.stay_joined("shed", {key!r}, lambda: None, lambda: print("up"), report)
    running = asyncio.create_task(staying)
    await asyncio.wait_for(told.wait(), 8)
    await asyncio.sleep_ms(200)  # and what comes at once with it
    running.cancel()
asyncio.run(main())
"""


@pytest.mark.parametrize("platform", ["rp2", "esp32"])
def test_it_says_what_is_wrong_and_joins(platform, tmp_path):
    with VirtualBoard(tmp_path / "board", Make(platform=platform)) as board:
        board.change_world(wifi={"up": True, "ssid": "shed", "password": "right"})
        with Board(board.port) as link:
            for folder in ("device", "device/board", "protocol"):
                link.mkdir("/" + folder)
            modules = program.modules(platform, firmware.cache(), public=True)
            for path, content in modules.items():
                if "sensors" not in path:
                    link.put("/" + path, content)
            wrong = link.exec(JOIN.format(key="wrong"), limit_s=10)
            right = link.exec(JOIN.format(key="right"), limit_s=10)
            board.change_world(wifi={"up": False, "ssid": "shed", "password": "right"})
            away = link.exec(JOIN.format(key="right"), limit_s=10)

    assert wrong.splitlines()[0] == "wifi wrong password"
    assert right.splitlines() == ["wifi joined", "up"]
    assert away.splitlines()[0] == "wifi no such network"
