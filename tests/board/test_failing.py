"""After a fault a board waits, its watchdog fed, and starts again: in either agent."""

import json
import time

import pytest

from tests.board.virtual import VirtualBoard
from tests.integration.test_board_starts import flash, wait_for

pytestmark = pytest.mark.integration
_HURRY = 5  # times as fast as a board, its watchdog too
_PAUSE_S = 10 / _HURRY
# The outbox cannot be opened where a file is: of that, the second start finds nothing.
_MAIN = f"""
import machine, os, time
sleep_ms = time.sleep_ms
time.sleep_ms = lambda ms: sleep_ms(ms // {_HURRY})
class Watchdog(machine.WDT):
    def __init__(self, timeout):
        super().__init__(timeout=timeout // {_HURRY})
machine.WDT = Watchdog
if 'failures' in os.listdir('/data'):
    os.remove('/data/outbox')
else:
    open('/data/outbox', 'w').close()
from device import main
main.is_trial = {{is_trial}}
main.main('/data')
"""
_CONFIG = {
    "name": "cellar-1",
    "secret": "11" * 32,
    "profile": "mac",
    "gateway": "127.0.0.1:9",
    "sensors": [{"driver": "simulated", "name": "air", "every_ms": 60_000}],
}


def failing(virtual, config, *, is_trial=False):
    flash(virtual, _MAIN.format(is_trial=is_trial).encode(), json.dumps(config).encode())
    wait_for(b'"failed"', virtual)


@pytest.mark.parametrize("small", [False, True])
def test_a_board_waits_with_its_watchdog_fed_and_then_comes_up_again(small, tmp_path):
    with VirtualBoard(tmp_path / "board") as virtual:
        failing(virtual, _CONFIG | {"small": small})
        failed_at, starts = time.monotonic(), len(virtual.resets)

        wait_for(b'"started"', virtual)

        waited_s = time.monotonic() - failed_at
        assert virtual.resets[starts:] == ["reset"]
        assert _PAUSE_S - 0.2 < waited_s < 2 * _PAUSE_S
        assert bytes(virtual.said).count(b'"failed"') == 1


def test_a_fault_on_trial_is_for_the_selector_to_see(tmp_path):
    with VirtualBoard(tmp_path / "board") as virtual:
        failing(virtual, _CONFIG | {"small": True}, is_trial=True)

        wait_for(b"Traceback", virtual)

        assert virtual.resets[-1] == "reset"
