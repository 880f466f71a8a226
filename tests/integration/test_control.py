"""Configuration and commands, from the command line to a real board and back to the ledger."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration import commands
from tests.integration.harness import Site, device_folder
from tests.interpreters import micropython
from tools.processes import DEVICE_HEAP, Device, Event, free_port

NAME = "greenhouse-1"
pytestmark = pytest.mark.integration


class Board:
    """A device process that can be ended and started again; its events of all lives."""

    def __init__(self, folder: Path, heap: str = DEVICE_HEAP) -> None:
        self.folder = folder
        self._heap = heap
        self.events: list[Event] = []
        self._device: Device | None = None

    def start(self) -> None:
        self._device = Device(self.folder, self.events.append, heap=self._heap)

    def kill(self) -> None:
        assert self._device
        self._device._process.kill()
        self._device.stop()

    def stop(self) -> None:
        if self._device:
            self._device.stop()

    def count(self, event: str, **fields: object) -> int:
        found = [one for one in self.events if one["event"] == event]
        return sum(all(one.get(key) == fields[key] for key in fields) for one in found)


@pytest.fixture
def board(site: Site) -> Iterator[Board]:
    micropython()  # fails or skips, with the reason, where there is none
    sensor = {"driver": "simulated", "name": "temperature", "every_ms": 300}
    board = Board(device_folder(site, NAME, site.coap_port, sensors=[sensor], ack_timeout_ms=50))
    yield board
    board.stop()
    print(*board.events[-25:], sep="\n")


def told(site: Site, *arguments: object) -> Any:
    run = commands.tallystick("device", *arguments, "--dir", site.gateway_dir, "--json")
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def texts(site: Site, name: str) -> list[object]:
    """The values of the device's readings of that name, in the order of the ledger."""
    assert site.gateway
    events = site.gateway.get(f"/events?kind=pack&source={NAME}&limit=1000")["events"]
    readings = [reading for event in events for reading in event["readings"]]
    return [one["value"] for one in readings if one["name"] == f"{NAME}/{name}"]


@pytest.fixture
def running(site: Site, board: Board) -> Iterator[None]:
    site.start_gateway()
    board.start()
    site.wait_until(lambda: board.count("kept") > 0, "the first reading is kept")
    yield
    run = commands.tallystick("fsck", site.gateway_dir)
    assert run.returncode == 0, run.stdout


@pytest.mark.usefixtures("running")
def test_a_configuration_is_told_tried_and_confirmed(site: Site, board: Board) -> None:
    sensors = [{"driver": "simulated", "name": "temperature", "every_ms": 20}]

    shown = told(site, "config", NAME, "--set", f"sensors={json.dumps(sensors)}")
    site.wait_until(lambda: texts(site, "config") == [1], "the device confirms it")
    before = board.count("kept")
    site.wait_until(lambda: board.count("kept") > before + 60, "readings come faster")

    kinds = site.gateway.get("/events?kind=config")["events"] if site.gateway else []
    assert shown["state"] == "not told yet"
    assert [event["source"] for event in kinds] == [NAME]


def test_a_device_that_listens_hears_a_command_before_its_next_pack(site: Site) -> None:
    micropython()
    sensor = {"driver": "simulated", "name": "temperature", "every_ms": 3_600_000}
    folder = device_folder(
        site, NAME, site.coap_port, sensors=[sensor], ack_timeout_ms=50, hear="at-once"
    )
    board = Board(folder, "112K")
    site.start_gateway()
    board.start()
    try:
        site.wait_until(lambda: board.count("kept") > 0, "the first reading is kept")
        time.sleep(1)  # it registers meanwhile; if it has not, the registration tells, too

        for count in (1, 2):  # the agent after the first command listens as well
            told(site, "command", NAME, "log", "5")
            site.wait_until(lambda c=count: len(texts(site, "command")) == c, "it is told")
    finally:
        board.stop()
        print(*board.events[-25:], sep="\n")

    assert [str(text)[:4] for text in texts(site, "command")] == ["1 ok", "2 ok"]
    assert [board.count(event) for event in ("not-listening", "failed")] == [0, 0]


@pytest.mark.usefixtures("running")
def test_a_configuration_that_leads_nowhere_is_given_up_by_the_device_itself(
    site: Site, board: Board
) -> None:
    nowhere = f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}"

    told(site, "config", NAME, "--set", f"gateway={nowhere}", "--set", "trial_ms=1500")
    site.wait_until(lambda: len(texts(site, "config")) == 1, "the device tells that it went back")
    before = board.count("kept")
    site.wait_until(lambda: board.count("kept") > before + 3, "it goes on where it was")

    assert texts(site, "config") == ["1 rolled back: no answer in 1 s"]
    told(site, "command", NAME, "report", "--wait", "20")  # it asks, and says what it runs
    assert told(site, "config", NAME)["state"] == "it went back, or refused it"


@pytest.mark.usefixtures("running")
def test_commands_are_done_once_in_order_and_what_came_of_them_is_told(
    site: Site, board: Board
) -> None:
    given = [("report",), ("log", 3), ("fly",), ("sample",)]

    for one in given:
        told(site, "command", NAME, *one)
    site.wait_until(lambda: len(texts(site, "command")) == len(given), "all are done")
    site.wait_until(lambda: told(site, "commands", NAME)[-1]["state"] == "done", "and known to be")

    shown = told(site, "commands", NAME)
    assert [one["outcome"] for one in shown] == [
        "ok",
        "ok 3 events",
        "refused: no such command",
        "ok",
    ]
    assert len(texts(site, "log")) == 3
    assert len(texts(site, "report/kept")) == 1


@pytest.mark.usefixtures("running")
def test_a_device_that_is_cut_off_tells_each_outcome_once(site: Site, board: Board) -> None:
    for number in range(1, 5):
        told(site, "command", NAME, "report")
        site.wait_until(lambda: board.count("command", id=number) > 0, "it was begun")  # noqa: B023
        board.kill()
        if number == 2:
            assert site.gateway
            site.gateway.stop()
            site.start_gateway()
        board.start()

    site.wait_until(lambda: len(texts(site, "command")) >= 4, "all outcomes are told")
    told(site, "command", NAME, "sample", "--wait", "20")

    outcomes = [str(text).split(" ") for text in texts(site, "command")]
    assert [int(outcome[0]) for outcome in outcomes] == [1, 2, 3, 4, 5]
    assert {outcome[1] for outcome in outcomes} <= {"ok", "interrupted"}


@pytest.mark.usefixtures("running")
def test_a_password_is_told_under_oscore_and_is_in_no_ledger(site: Site, board: Board) -> None:
    wifi = json.dumps({"ssid": "garden", "password": "rosebud!"})

    told(site, "config", NAME, "--set", f"wifi={wifi}")
    site.wait_until(lambda: texts(site, "config") == [1], "the device confirms it")

    assert "rosebud" in (site.gateway_dir / "control.sqlite").read_bytes().decode(errors="replace")
    ledger = [file.read_bytes() for file in site.gateway_dir.glob("ledger.sqlite*")]
    assert [data for data in ledger if b"rosebud" in data] == []
    assert "rosebud" not in str(board.events) + site.gateway_log()
