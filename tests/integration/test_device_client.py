"""Boards that ask for themselves, through a bad network: blocks, resources, OSCORE, observing."""

import json
import subprocess
from typing import Any

import pytest

from tests.integration.harness import Site, device_folder
from tests.interpreters import environment, micropython
from tests.relay import Relay

pytestmark = pytest.mark.integration

BAD = {"loss": 0.3, "duplicate": 0.2, "reorder": 0.1}
NAME = "shed"
TIMEOUT_S = 120


class Board:
    """A board with the compiled agent on it, whose program is tests.integration.device_client."""

    def __init__(self, site: Site, port: int, **config: object) -> None:
        self.folder = device_folder(site, NAME, port, ack_timeout_ms=100, **config)

    def command(self, *arguments: str, heap: str = "256K") -> list[str]:
        program = [micropython(), "-X", f"heapsize={heap}", "-m", "tests.integration.device_client"]
        return [*program, str(self.folder), *arguments]

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.command(*arguments),
            env=environment(self.folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, ends: int = 0) -> list[dict[str, Any]]:
        run = subprocess.run(
            self.command(*arguments),
            env=environment(self.folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert run.returncode == ends, run.stdout[-3000:]
        return [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]


def test_a_program_on_a_board_puts_appends_and_gets_under_oscore(site: Site) -> None:
    site.start_gateway()
    with Relay(("127.0.0.1", site.coap_port), seed=3, **BAD) as relay:
        said = Board(site, relay.port).run("resources")

    assert said[0] == {"got": "on and off"}
    assert [one["refused"] for one in said[1:3]] == ["4.04", "4.03"]
