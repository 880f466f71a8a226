"""From a blank board to its first verified reading, by one command; and what can go wrong."""

import json
import re
import time

import pytest

from tests.board.child import Make
from tests.board.test_virtual import files_on, wait_until
from tests.board.virtual import VirtualBoard
from tests.integration.commands import tallystick
from tests.integration.flashing import LEAST_HEAP, TOO_SMALL_HEAP, add, lasting_files, rotate
from tests.integration.harness import slowness
from tools import enrolling
from tools.board.link import Board

pytestmark = pytest.mark.integration
LIMIT_S = 10  # from a blank board to its first verified reading


@pytest.fixture
def virtual(tmp_path):
    with VirtualBoard(tmp_path / "board") as board:
        yield board


@pytest.mark.parametrize("profile", enrolling.PROFILES)
def test_one_command_makes_a_blank_board_a_device_whose_reading_is_kept(profile, site, tmp_path):
    site.start_gateway()
    took_s = []
    while not took_s or (min(took_s) > LIMIT_S * slowness() and len(took_s) < 3):
        name = f"cellar-{len(took_s)}"
        with VirtualBoard(tmp_path / name, Make(usb=profile == "sig")) as virtual:
            started = time.monotonic()

            run = add(site, virtual, name, "--profile", profile)

            took_s.append(time.monotonic() - started)
        print(f"from a blank board to the first verified reading: {took_s[-1]:.1f} s")
        assert run.returncode == 0, run.stderr
        assert f"first verified reading: {name}/temperature 25.53 Cel ({profile})" in run.stdout
    assert min(took_s) < LIMIT_S * slowness()


def test_run_twice_it_changes_nothing_and_with_other_options_what_they_say(site, virtual):
    site.start_gateway()
    add(site, virtual, "cellar-1", "--gateway", f"localhost:{site.coap_port}")
    files, devices = lasting_files(virtual.image), enrolling.identities(site.gateway_dir)

    again = add(site, virtual)

    assert again.returncode == 0, again.stderr
    assert "nothing to do: it is cellar-1 already" in again.stdout
    assert lasting_files(virtual.image) == files
    assert enrolling.identities(site.gateway_dir) == devices

    other = add(site, virtual, "cellar-1", "--sensor", "simulated,every_ms=200")

    assert other.returncode == 0, other.stderr
    after = lasting_files(virtual.image)
    before, config = (json.loads(one.pop("/data/config.json")) for one in (files, after))
    assert after == files
    assert config == before | {"sensors": [{"driver": "simulated", "every_ms": 200}]}


def test_a_board_with_just_the_memory_that_is_asked_for_runs(site, tmp_path):
    site.start_gateway()
    with VirtualBoard(tmp_path / "board", Make(heap=LEAST_HEAP)) as virtual:
        run = add(site, virtual)

        assert run.returncode == 0, run.stderr
        assert "first verified reading" in run.stdout


def test_a_board_with_little_memory_is_a_small_device(site, tmp_path):
    site.start_gateway()
    with VirtualBoard(tmp_path / "board", Make(heap="96K")) as virtual:
        refused = add(site, virtual)
        run = add(site, virtual, "cellar-1", "--small", "--sensor", "simulated,every_ms=500")

        assert "add --small" in refused.stderr
        assert run.returncode == 0, run.stderr
        assert "(mac)" in run.stdout
        assert json.loads(files_on(virtual.image)["/data/config.json"])["small"] is True
        assert rotate(site, virtual, "cellar-1").returncode == 0


def test_no_secret_is_said_or_kept_on_the_host(site, virtual, tmp_path):
    password = tmp_path / "wifi"
    password.write_text("hidden words\n")
    site.start_gateway()

    run = add(site, virtual, "cellar-1", "--wifi-ssid", "shed", "--wifi-password-file", password)

    assert run.returncode == 0, run.stderr
    config = json.loads(files_on(virtual.image)["/data/config.json"])
    assert config["wifi"] == {"ssid": "shed", "password": "hidden words"}
    (device,) = enrolling.identities(site.gateway_dir)
    assert config["secret"] == device.secret.hex()
    for secret in (config["secret"], "hidden words"):
        assert secret not in run.stdout + run.stderr + site.logs()
    keeping = [path for path in tmp_path.rglob("*") if path.is_file() and path != password]
    for path in keeping:
        content = path.read_bytes()
        assert config["secret"].encode() not in content or path == virtual.image, path
        assert b"hidden words" not in content or path == virtual.image, path


def test_flash_puts_back_what_was_lost_and_that_runs_whatever_came_over_the_air(cellar):
    virtual, files = cellar, lasting_files(cellar.image)
    slots = "import slots; s = slots.Slots('/', '/data'); {}; print(s.active, s.floor)"
    with_board(virtual, "import os; os.remove('/a/device/agent.mpy'); open('/a/old', 'w').close()")
    with_board(virtual, slots.format("s.active, s.floor = 'b', 7; s.save()"))

    run = tallystick("flash", virtual.port)

    assert run.returncode == 0, run.stderr
    assert lasting_files(virtual.image) == files
    assert with_board(virtual, slots.format("pass")) == "a 7"


def test_flash_of_a_blank_board_says_what_comes_next(virtual):
    run = tallystick("flash", virtual.port, "--json")

    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["copied"] > 20
    assert "device add NAME --dir DIR --flash" in run.stderr


def test_logs_tell_what_a_board_says(site, virtual):
    site.start_gateway()
    add(site, virtual, "cellar-1", "--sensor", "simulated,every_ms=100")

    words = tallystick("device", "logs", virtual.port, "--seconds", "1")
    lines = tallystick("device", "logs", virtual.port, "--seconds", "1", "--json")

    assert re.search(r"^kept .*sequence \d+", words.stdout, re.MULTILINE), words
    kept = [json.loads(line) for line in lines.stdout.splitlines()]
    assert "kept" in {event["event"] for event in kept}


def with_board(virtual: VirtualBoard, code: str) -> str:
    with Board(virtual.port) as board:
        return board.exec(code).strip()


@pytest.mark.parametrize(
    ("make", "said", "fix"),
    [
        (Make(version="1.23.0"), "micropython 1.23.0 on rp2 is too old", "micropython.org"),
        (Make(firmware="circuitpython"), "runs circuitpython, not MicroPython", "micropython.org"),
        (Make(platform="nrf52"), "no code for that port", "Pico W"),
        (Make(heap=TOO_SMALL_HEAP), "bytes of memory free", "larger board"),
        (Make(flash_blocks=30), "flash is full", "remove files"),
    ],
)
def test_a_board_that_cannot_be_a_device_is_left_as_it_is(make, said, fix, site, tmp_path):
    with VirtualBoard(tmp_path / "board", make) as virtual:
        run = add(site, virtual)

        assert run.returncode == 2
        assert said in run.stderr
        assert fix in run.stderr
        assert files_on(virtual.image) == {}
    assert enrolling.identities(site.gateway_dir) == []


def test_no_port_is_said(site, tmp_path):
    run = tallystick("device", "add", "x", "--dir", site.gateway_dir, "--flash", "/dev/none")

    assert run.returncode == 2
    assert "there is no port /dev/none" in run.stderr


def test_a_board_that_is_another_device_is_left_as_it_is(flashed_site, cellar):
    wait_until(lambda: b'"started"' in cellar.said, "it runs")
    files = lasting_files(cellar.image)

    run = add(flashed_site, cellar, "attic-1")

    assert run.returncode == 2
    assert "this board is the device 'cellar-1'" in run.stderr
    assert lasting_files(cellar.image) == files
    wait_until(lambda: cellar.said.count(b'"started"') == 2, "what was interrupted runs again")


def test_a_name_that_another_device_has_is_refused_before_anything_is_written(site, virtual):
    site.enrol("cellar-1")

    run = add(site, virtual)

    assert run.returncode == 2
    assert "there is a device 'cellar-1' already" in run.stderr
    assert files_on(virtual.image) == {}


def test_without_a_gateway_it_says_what_it_waits_for_and_a_second_run_completes_it(site, virtual):
    run = add(site, virtual, "cellar-1", "--wait", "1")

    assert run.returncode == 1
    assert "waiting for a gateway: none is running" in run.stderr
    assert f"tallystick run {site.gateway_dir}" in run.stderr
    site.start_gateway()
    assert add(site, virtual).returncode == 0


def test_a_wrong_sensor_is_refused_before_anything_is_written(site, virtual):
    run = add(site, virtual, "cellar-1", "--sensor", "nose")

    assert run.returncode == 2
    assert "'nose'" in run.stderr
    assert files_on(virtual.image) == {}
