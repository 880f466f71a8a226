"""Updates over the air, end to end: a real gateway, and a board with a real MicroPython."""

import random
import subprocess
from pathlib import Path

import littlefs
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.board.child import Make
from tests.board.test_virtual import files_on, wait_until
from tests.device.releases import D, release
from tests.integration.commands import tallystick
from tests.integration.flashing import LEAST_HEAP
from tests.integration.harness import Site
from tests.interpreters import mpy_cross
from tools import firmware
from tools.board import program

pytestmark = pytest.mark.integration


@pytest.fixture
def site(flashed_site):
    return flashed_site


@pytest.fixture
def device(cellar):
    """A board in the field: flashed, sending, and told whose releases to take."""
    wait_until(lambda: b'"started"' in cellar.said, "it starts")
    return cellar


def modules() -> dict[str, bytes]:
    found = program.modules("rp2", firmware.cache())
    del found["device/slots.mpy"], found["device/slot_start.mpy"]
    return found


def bytecode(tmp_path: Path, source: str) -> bytes:
    (tmp_path / "source.py").write_text(source)
    made = tmp_path / "source.mpy"
    subprocess.run([mpy_cross(), "-o", made, tmp_path / "source.py"], check=True)
    return made.read_bytes()


def release_key(tmp_path: Path) -> Path:
    """The key whose public part devices of these tests have, in the file that the command makes."""
    text = ec.derive_private_key(D, ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    (tmp_path / "release.key").write_bytes(text)
    return tmp_path / "release.key"


def publish(site: Site, tmp_path: Path, files: dict[str, bytes], **how: object) -> None:
    built = release(tmp_path / "built", files, **how)
    run = tallystick("firmware", "publish", built, "--dir", site.gateway_dir)
    assert run.returncode == 0, run.stderr


def update(site: Site, version: str) -> None:
    run = tallystick("device", "update", "cellar-1", version, "--dir", site.gateway_dir)
    assert run.returncode == 0, run.stderr


def told(site: Site) -> list[str]:
    """What the device has told of updates, in order."""
    assert site.gateway is not None
    events = site.gateway.get("/events?source=cellar-1&kind=pack&limit=1000")["events"]
    readings = [reading for event in events for reading in event["readings"]]
    return [one["value"] for one in readings if one["name"] == "cellar-1/update"]


@pytest.mark.parametrize(
    "make",
    [Make(), Make(heap=LEAST_HEAP)],
    ids=["a Pico W", "the least memory"],
)
def test_an_update_is_fetched_tried_confirmed_and_told_once(site, device, tmp_path):
    key, built = release_key(tmp_path), tmp_path / "release"
    for command in (
        ("build", "--key", key, "--out", built, "--version", "1.1.0"),
        ("publish", built, "--dir", site.gateway_dir),
    ):
        run = tallystick("firmware", *command)
        assert run.returncode == 0, run.stderr

    update(site, "1.1.0")
    site.wait_until(lambda: told(site) == ["1.1.0 ok"], "the update is told")

    held = {p.removeprefix("/b/"): c for p, c in files_on(device.image).items() if p[:3] == "/b/"}
    made = {str(p.relative_to(built)): p.read_bytes() for p in built.rglob("*") if p.is_file()}
    assert held == made
    device.press_reset()
    site.wait_until(lambda: device.said.count(b'"started"') >= 3, "it starts again")
    assert told(site) == ["1.1.0 ok"]


def test_a_release_whose_agent_fails_is_rolled_back_and_told(site, device, tmp_path):
    files = modules()
    files["device/agent.mpy"] = bytecode(tmp_path, "raise RuntimeError('of no use')")
    publish(site, tmp_path, files, version="1.1.0", counter=7)

    update(site, "1.1.0")
    site.wait_until(lambda: told(site) != [], "the roll-back is told")

    assert told(site) == ["1.1.0 rolled back: RuntimeError('of no use',)"]
    assert b'"refused"' not in device.said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("while True: pass", "no receipt in 2 starts"),
        ("import machine; machine.reset()", "no receipt in 2 starts"),
    ],
    ids=["hangs", "resets"],
)
def test_a_release_that_never_gets_to_a_receipt_is_rolled_back(source, why, site, device, tmp_path):
    files = modules()
    files["device/agent.mpy"] = bytecode(tmp_path, source)
    publish(site, tmp_path, files, version="1.1.0", counter=7)

    update(site, "1.1.0")
    site.wait_until(lambda: told(site) != [], "the roll-back is told")

    assert told(site) == [f"1.1.0 rolled back: {why}"]


def test_a_release_that_lives_and_is_never_confirmed_is_rolled_back(site, device, tmp_path):
    """Its own code for that does nothing: it feeds the watchdog, and that is all."""
    lives = "import machine, time\ndog = machine.WDT()\nwhile True:\n"
    files = modules()
    files["device/agent.mpy"] = bytecode(tmp_path, f"{lives}  dog.feed(); time.sleep_ms(20)")
    publish(site, tmp_path, files, version="1.1.0", counter=7)
    device.change_world(minute_ms=50)

    update(site, "1.1.0")
    site.wait_until(lambda: told(site) != [], "the roll-back is told")

    assert told(site) == ["1.1.0 rolled back: no receipt in 2 starts"]
    assert "watchdog" not in device.resets


def rot(image: Path, path: str) -> None:
    """One bit of a file on a board that is unplugged."""
    flash = littlefs.LittleFS(block_size=4096, block_count=0, mount=False, prog_size=256)
    flash.context.buffer = bytearray(image.read_bytes())
    flash.mount()
    with flash.open(path, "r+b") as file:
        content = bytearray(file.read())
        content[len(content) // 2] ^= 0x10
        file.seek(0)
        file.write(content)
    flash.unmount()
    image.write_bytes(flash.context.buffer)


def test_a_board_whose_file_rotted_comes_back_with_the_release_before_and_can_be_updated(
    site, device, tmp_path
):
    files = modules()
    files["device/sensors/more.mpy"] = bytecode(tmp_path, "MORE = 1")
    publish(site, tmp_path, files, version="1.1.0", counter=7)
    update(site, "1.1.0")
    site.wait_until(lambda: told(site) == ["1.1.0 ok"], "the update is told")
    device.unplug()
    rot(device.image, "/b/device/agent.mpy")

    device.plug_in()
    site.wait_until(lambda: len(told(site)) == 2, "it comes back, and tells")
    assert told(site) == ["1.1.0 ok", "fell back: device/agent.mpy"]
    update(site, "1.1.0")
    site.wait_until(lambda: len(told(site)) == 3, "it is updated once more")

    assert told(site)[2] == "1.1.0 ok"
    held = files_on(device.image)
    assert held["/b/device/agent.mpy"] == held["/a/device/agent.mpy"]
    assert held["/data/slot"].startswith(b"b\n")


REFUSED = {
    "signed by another": ({"d": D + 1}, "bad signature"),
    "no newer": ({"counter": 0}, "not newer than what works"),
    "of another firmware": ({"mpy": 5}, "bytecode of another firmware"),
}


@pytest.mark.parametrize(
    "kind",
    ["signed by another", *(pytest.param(k, marks=pytest.mark.slow) for k in list(REFUSED)[1:])],
)
def test_a_release_that_must_not_run_is_refused_and_told(kind, site, device, tmp_path):
    how, why = REFUSED[kind]
    publish(site, tmp_path, modules(), **{"version": "1.1.0", "counter": 7, **how})

    update(site, "1.1.0")
    site.wait_until(lambda: told(site) != [], "the refusal is told")

    assert told(site) == [f"1.1.0 refused: {why}"]


@pytest.mark.slow
def test_a_changed_byte_in_a_file_is_found_and_told(site, device, tmp_path):
    files = modules()
    files["device/sensors/more.mpy"] = bytecode(tmp_path, "MORE = 1")
    publish(site, tmp_path, files, version="1.1.0", counter=7)
    served = site.gateway_dir / "fw" / "1.1.0" / "device" / "sensors" / "more.mpy"
    content = served.read_bytes()
    update(site, "1.1.0")

    served.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))  # before the board is at it
    site.wait_until(lambda: told(site) != [], "the refusal is told")

    assert told(site) == ["1.1.0 refused: device/sensors/more.mpy is not what was signed"]


@pytest.mark.slow
def test_a_release_that_went_meanwhile_is_refused_and_told(site, device, tmp_path):
    publish(site, tmp_path, modules(), version="9.9.9", counter=7)
    update(site, "9.9.9")
    (site.gateway_dir / "fw" / "9.9.9").rename(tmp_path / "gone")

    site.wait_until(lambda: told(site) != [], "the refusal is told")
    assert told(site) == ["9.9.9 refused: no such release"]


def test_a_version_that_is_not_published_is_refused_at_once(site):
    run = tallystick("device", "update", "cellar-1", "9.9.9", "--dir", site.gateway_dir)

    assert run.returncode == 2
    assert "firmware publish" in run.stderr


@pytest.mark.slow
def test_a_release_that_does_not_fit_the_flash_is_refused_and_told(site, device, tmp_path):
    files = modules()
    random.seed(3)
    for number in range(20):
        files[f"device/sensors/large{number}.mpy"] = random.randbytes(60_000)
    publish(site, tmp_path, files, version="1.1.0", counter=7)

    update(site, "1.1.0")
    site.wait_until(lambda: told(site) != [], "the refusal is told")

    assert told(site) == ["1.1.0 refused: flash full"]


def test_an_update_goes_on_after_the_power_was_cut_in_the_middle(site, device, tmp_path):
    files = modules()
    random.seed(4)
    files["device/sensors/large.mpy"] = random.randbytes(30_000)
    publish(site, tmp_path, files, version="1.1.0", counter=7)
    device.cut_after(160, torn=True)

    update(site, "1.1.0")
    site.wait_until(lambda: "power cut" in device.resets, "the power goes")
    site.wait_until(lambda: told(site) == ["1.1.0 ok"], "the update is told")

    assert device.said.count(b'"updating"') == 2
