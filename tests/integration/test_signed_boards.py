"""A board that signs, cut off and given another key: what is kept holds end to end."""

import json
import os
import signal
from functools import partial

import pytest

from tools import enrolling
from tools.end_to_end import Checking
from tools.processes import Device
from tools.simulate import folder_of
from tools.verify import Held, verdicts_of

pytestmark = pytest.mark.integration


class Board:
    """A device in a process of its own, and what it reports."""

    def __init__(self, site, name="roof"):
        self._site = site
        self.folder = folder_of(site.gateway_dir, name, "", every_ms=100)
        self._events = []
        self.configure(ack_timeout_ms=200)

    @property
    def kept(self):
        return sum(event["event"] == "kept" for event in self._events)

    @property
    def config(self):
        return json.loads((self.folder / "config.json").read_text())

    def configure(self, **changes):
        (self.folder / "config.json").write_text(json.dumps(self.config | changes))

    def run_until_kept(self, count):
        """Until so many more packs are kept; then its power is cut."""
        wanted = self.kept + count
        device = Device(self.folder, self._events.append)
        self._site.wait_until(lambda: self.kept >= wanted, f"{count} packs: {self._events[-3:]}")
        os.kill(device.pid, signal.SIGKILL)
        device.wait(10)


def verified(site):
    keys = {one.kid: (one.name, one.public_key) for one in enrolling.identities(site.gateway_dir)}
    held = Held(senders=partial(Checking, keys))
    (verdict,) = verdicts_of(str(site.gateway_dir), held=held)
    return verdict


def test_what_a_board_has_signed_through_power_cuts_and_a_new_key_holds(site):
    site.start_gateway()
    board = Board(site)

    board.run_until_kept(8)
    site.gateway.kill()
    site.start_gateway()
    board.run_until_kept(8)
    board.configure(**enrolling.rotate(site.gateway_dir, "roof", board.config))
    board.run_until_kept(4)
    site.wait_until(lambda: _states(site) == ["revoked", "active"], "the old key has ended")
    site.stop()

    verdict = verified(site)
    (device,) = verdict.end_to_end.devices
    assert (verdict.valid, verdict.reason) == (True, None)
    assert device.signed >= 20
    assert (device.missing, device.by_gateway) == (0, 0)


def _states(site):
    return [one.state for one in enrolling.identities(site.gateway_dir)]
