"""From a blank board to its first verified reading, by one command, wherever it is interrupted."""

import json
import os
import random
import re
import threading
import time
from pathlib import Path

import pytest

from tests.board.child import Make
from tests.board.test_virtual import files_on
from tests.board.virtual import VirtualBoard
from tests.integration.commands import tallystick
from tests.integration.harness import Site
from tools import enrolling

pytestmark = pytest.mark.integration
LIMIT_S = 10  # from a blank board to its first verified reading
OPERATIONS = 450  # of a first run, about
NEVER = 1_000_000
PULLS = int(os.environ.get("PULLS", "20"))
MADE_ANEW = re.compile(r"/data/(epoch\.\d|outbox/.*|clock|slot.*)")  # at every start of a device


@pytest.fixture
def virtual(tmp_path):
    with VirtualBoard(tmp_path / "board") as board:
        yield board


def add(site: Site, board: VirtualBoard, name: str = "cellar-1", *more: object):
    return tallystick(
        "device", "add", name, "--dir", site.gateway_dir, "--flash", board.port, *more
    )


def lasting_files(image: Path) -> dict[str, bytes]:
    files = files_on(image)
    return {path: files[path] for path in files if not MADE_ANEW.fullmatch(path)}


@pytest.mark.parametrize("profile", enrolling.PROFILES)
def test_one_command_makes_a_blank_board_a_device_whose_reading_is_kept(profile, site, tmp_path):
    site.start_gateway()
    took_s = []
    while not took_s or (min(took_s) > LIMIT_S and len(took_s) < 3):  # the machine may be busy
        name = f"cellar-{len(took_s)}"
        with VirtualBoard(tmp_path / name) as virtual:
            started = time.monotonic()

            run = add(site, virtual, name, "--profile", profile)

            took_s.append(time.monotonic() - started)
        print(f"from a blank board to the first verified reading: {took_s[-1]:.1f} s")
        assert run.returncode == 0, run.stderr
        assert f"first verified reading: {name}/temperature 25.53 Cel ({profile})" in run.stdout
    assert min(took_s) < LIMIT_S


def test_run_twice_it_changes_nothing(site, virtual):
    site.start_gateway()
    add(site, virtual)
    files, devices = lasting_files(virtual.image), enrolling.identities(site.gateway_dir)

    again = add(site, virtual)

    assert again.returncode == 0, again.stderr
    assert "nothing to do: it is cellar-1 already" in again.stdout
    assert lasting_files(virtual.image) == files
    assert enrolling.identities(site.gateway_dir) == devices


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


def test_what_is_asked_for_later_is_changed_and_nothing_else(site, virtual):
    site.start_gateway()
    add(site, virtual)
    before = lasting_files(virtual.image)

    run = add(site, virtual, "cellar-1", "--sensor", "simulated,every_ms=200")

    assert run.returncode == 0, run.stderr
    after = lasting_files(virtual.image)
    changed = {path for path in before if before[path] != after[path]}
    assert changed == {"/data/config.json"}
    assert json.loads(after["/data/config.json"])["sensors"] == [
        {"driver": "simulated", "every_ms": 200}
    ]


def test_flash_puts_back_what_was_lost_and_keeps_who_it_is(site, virtual):
    site.start_gateway()
    add(site, virtual)
    files = lasting_files(virtual.image)
    with_board(virtual, "import os; os.remove('/a/device/agent.mpy'); open('/a/old', 'w').close()")

    run = tallystick("flash", virtual.port)

    assert run.returncode == 0, run.stderr
    assert lasting_files(virtual.image) == files


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


@pytest.mark.parametrize("profile", enrolling.PROFILES)
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
    time.sleep(2)

    refused = rotate(site, virtual, "cellar-1", "--wait", "1")
    site.start_gateway()
    lost = rotate(site, virtual, "cellar-1", "--drop-waiting")

    assert refused.returncode == 2
    assert "packs wait in the outbox" in refused.stderr
    assert "--drop-waiting" in refused.stderr
    assert lost.returncode == 0, lost.stderr


@pytest.mark.parametrize("seed", [1, 2])
def test_pulled_out_while_a_key_is_exchanged_a_second_run_completes_it(seed, site, virtual):
    dice = random.Random(seed)
    site.start_gateway()
    add(site, virtual)
    operation = dice.randrange(1, 12)
    virtual.cut_after(operation, torn=dice.random() < 0.5, unplug=True)
    first = rotate(site, virtual, "cellar-1")
    virtual.cut_after(NEVER)
    virtual.unplug()
    virtual.plug_in()

    second = rotate(site, virtual, "cellar-1")

    print(f"pulled out at flash operation {operation}: {first.returncode}, {second.returncode}")
    assert second.returncode == 0, (first.stderr, second.stderr)
    config = json.loads(files_on(virtual.image)["/data/config.json"])
    assert enrolling.identities(site.gateway_dir)[-1].secret.hex() == config["secret"]


def rotate(site: Site, board: VirtualBoard, name: str, *more: object):
    return tallystick(
        "device", "rotate-key", name, "--dir", site.gateway_dir, "--flash", board.port, *more
    )


# --- pulled out ---------------------------------------------------------------------------------


def pulled(site: Site, folder: Path, seed: int) -> None:
    """Pulls the board out at a random moment of the first run; a second one has to complete it."""
    dice = random.Random(seed)
    name = f"pulled-{seed}"
    with VirtualBoard(folder / name) as board:
        moment = pull_some_time(board, dice)
        first = add(site, board, name)
        board.cut_after(NEVER)
        board.unplug()
        held = json.loads(files_on_or_none(board.image).get("/data/config.json", b"{}"))
        board.plug_in()

        second = add(site, board, name)

        print(f"seed {seed}: pulled out at {moment}: {first.returncode}, then {second.returncode}")
        assert second.returncode == 0, (moment, first.stderr, second.stderr)
        assert "first verified reading" in second.stdout
        config = json.loads(files_on(board.image)["/data/config.json"])
        (device,) = [one for one in enrolling.identities(site.gateway_dir) if one.name == name]
        assert device.secret.hex() == config["secret"]
        assert held.get("secret", config["secret"]) == config["secret"]
        if first.returncode:
            assert "fix:" in first.stderr, first.stderr
            assert config["secret"] not in first.stderr


def pull_some_time(board: VirtualBoard, dice: random.Random) -> str:
    """At a flash operation, as they are most of the work, or at a moment, for what is between."""
    if dice.random() < 0.3:
        after_s = dice.uniform(0, 1.2)
        threading.Timer(after_s, board.unplug).start()
        return f"{after_s:.2f} s"
    operation, torn = dice.randrange(1, OPERATIONS), dice.random() < 0.5
    board.cut_after(operation, torn=torn, unplug=True)
    return f"flash operation {operation}{', torn' if torn else ''}"


def files_on_or_none(image: Path) -> dict[str, bytes]:
    try:
        return files_on(image)
    except Exception:  # pulled out before it was formatted
        return {}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_pulled_out_at_some_moments_a_second_run_completes_it(seed, site, tmp_path):
    site.start_gateway()

    pulled(site, tmp_path, seed)


@pytest.mark.slow
def test_pulled_out_at_any_moment_a_second_run_completes_it(site, tmp_path):
    seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
    print(f"replay with SEED={seed} PULLS={PULLS}")
    site.start_gateway()

    for offset in range(PULLS):
        pulled(site, tmp_path, seed + offset)


# --- what goes wrong ----------------------------------------------------------------------------


def with_board(virtual: VirtualBoard, code: str) -> None:
    from tools.board.link import Board

    with Board(virtual.port) as board:
        board.exec(code)


@pytest.mark.parametrize(
    ("make", "said", "fix"),
    [
        (Make(version="1.23.0"), "micropython 1.23.0 on rp2 is too old", "micropython.org"),
        (Make(firmware="circuitpython"), "runs circuitpython, not MicroPython", "micropython.org"),
        (Make(platform="nrf52"), "no code for that port", "Pico W"),
        (Make(heap="80K"), "bytes of memory free", "larger board"),
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


def test_a_board_that_is_another_device_is_left_as_it_is(site, virtual):
    site.start_gateway()
    add(site, virtual)
    files = lasting_files(virtual.image)

    run = add(site, virtual, "attic-1")

    assert run.returncode == 2
    assert "this board is the device 'cellar-1'" in run.stderr
    assert lasting_files(virtual.image) == files


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
