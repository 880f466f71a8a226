"""Staying in a Wi-Fi network with a radio that misbehaves, in each way that is known of one."""

import asyncio
from itertools import pairwise

import pytest

from device.board import wifi
from tests.device.board import FakeBoard

UP = "up"
BUSY = OSError(5)
UNSTEADY = (150, 2500)  # ms that it stays
IDLE, CONNECTING, GOT_IP = 0, 1, 3  # as on rp2


class Radio:
    """`script` says what becomes of each attempt, the last for all later ones.

    A status, `UP`, one of `UNSTEADY`, or an error that `connect` raises.
    """

    def __init__(self, board, script):
        self.attempts, self.restarts, self.settings = [], 0, []
        self.on = False
        self._board, self._script = board, list(script)
        self._now, self._at_ms = IDLE, 0

    def active(self, on):
        if not on:
            self.restarts += 1
            self._now = IDLE
        self.on = on

    def config(self, **settings):
        assert self.on
        self.settings.append(settings)

    def connect(self, ssid, password):
        self.attempts.append(self._board.now_ms)
        self._at_ms = self._board.now_ms
        self._now = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(self._now, OSError):
            error, self._now = self._now, IDLE
            raise error

    def disconnect(self):
        if self._now == UP:
            self._now = IDLE

    def status(self):
        return GOT_IP if self.isconnected() else CONNECTING if self._now == UP else self._now

    def isconnected(self):
        if self._now in UNSTEADY:
            return self._board.now_ms - self._at_ms < self._now
        return self._now == UP

    def fall_out(self):
        self._now = IDLE


class Rig:
    def __init__(self, *script, ready=wifi.ready_rp2):
        self.board = FakeBoard()
        self.radio = Radio(self.board, script)
        self.ticks, self.ups, self.told = [0], [], []
        self.link = wifi.Link(
            self.board,
            self.radio,
            ready,
            lambda: self.ticks.append(self.board.now_ms),
            lambda event, **fields: self.told.append(fields["state"]),
        )

    async def run_for(self, duration_ms):
        running = asyncio.create_task(
            self.link.stay("shed", "right", lambda: self.ups.append(self.board.now_ms))
        )
        await self.board.advance(duration_ms)
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    def longest_silence_ms(self):
        return max(later - earlier for earlier, later in pairwise(self.ticks[1:]))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (-3, "wrong password"),
        (-2, "no such network"),
        (-1, "refused"),
        (2, "no IP"),
        (IDLE, "no answer"),
        (CONNECTING, "no answer"),
        (200, "lost"),
        (201, "no such network"),
        (202, "wrong password"),
        (204, "wrong password"),
        (211, "no such network"),
        (1001, "no IP"),
        (BUSY, "busy"),
        (UNSTEADY[0], "unsteady"),
        (UNSTEADY[1], "unsteady"),
    ],
)
async def test_what_is_wrong_is_told_and_the_next_attempt_joins(status, said):
    rig = Rig(status, UP)

    await rig.run_for(60_000)

    assert [state for state in rig.told if state != "joined"] == [said]
    assert rig.told[-1] == "joined"
    assert rig.radio.isconnected()
    assert rig.link.failures == 0
    assert rig.longest_silence_ms() <= 5000


@pytest.mark.parametrize("status", [-3, 202, 2, BUSY, UNSTEADY[0]])
async def test_it_waits_longer_after_each_failure_and_restarts_the_radio_after_four(status):
    rig = Rig(status)

    await rig.run_for(600_000)

    gaps = [later - earlier for earlier, later in pairwise(rig.radio.attempts)]
    assert gaps[:3] == sorted(gaps[:3])
    assert gaps[-1] >= 60_000
    assert rig.radio.restarts == rig.link.failures // 4 > 0
    assert rig.told.count("restarting") == rig.radio.restarts
    assert rig.longest_silence_ms() <= 5000


async def test_a_network_that_is_lost_is_joined_again_and_the_uplink_hears_of_both():
    rig = Rig(UP)
    running = asyncio.create_task(rig.link.stay("shed", "right", lambda: rig.ups.append(1)))
    await rig.board.advance(30_000)

    rig.radio.fall_out()
    await rig.board.advance(10_000)

    assert rig.told == ["joined", "lost", "joined"]
    assert len(rig.ups) == 2
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize(
    ("ready", "setting"),
    [(wifi.ready_rp2, {"pm": 0xA11140}), (wifi.ready_esp32, {"reconnects": 0})],
)
async def test_what_a_port_needs_is_set_again_after_the_radio_was_restarted(ready, setting):
    rig = Rig(-3, -3, -3, -3, UP, ready=ready)

    await rig.run_for(120_000)

    assert rig.radio.restarts == 1
    assert rig.radio.settings == [setting] * 5


async def test_a_network_that_is_joined_already_is_not_left():
    rig = Rig(UP)
    rig.radio.connect("shed", "right")

    await rig.run_for(60_000)

    assert len(rig.radio.attempts) == 1
    assert len(rig.ups) == 1
