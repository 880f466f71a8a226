"""The same smoke test wherever MicroPython runs: copied, imported, a pack sealed, and checked here.

- On the virtual board, always.
- `PICO_UF2=FILE` on an emulated Pico that boots that firmware (PyPI: rp2040py, which has none of
  its own), over its pseudo-terminal: some minutes.
- `DEVICE_PORT=/dev/ttyACM0` on the board that is plugged in there, through mpremote's transport.
  It interrupts what runs there, uses the folder /smoke, removes it, and resets the board. We had
  no board: this way was never run.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from protocol import ecdsa_verify, envelope, envelope_reader, resolve, sign1_reader
from tests.board.virtual import VirtualBoard
from tools import firmware
from tools.board import facts, program
from tools.board.link import Board

pytestmark = pytest.mark.integration
FOLDER = "/smoke"
SECRET, PRIVATE = bytes(range(32)), bytes(range(1, 33))
RP2040PY = Path(sys.executable).with_name("rp2040py")
EMULATOR_BOOTS_S = 120
EMULATOR_SLOWNESS = 5  # a second of an emulated Pico took 3 to 30 of ours
SLOW_S = 100  # of code that signs a pack without a coupon, and the like
SMOKE = f"""
import gc, json, os, sys, time
sys.path[:0] = ["{FOLDER}"]
try:
    import socket
except ImportError:  # a Pico without a radio: nothing is sent here
    sys.modules["socket"] = sys
gc.collect()
heap = gc.mem_alloc()
from device import clock, config_file, counter, identity, outbox, packer, sampler, start
board = start.pick_board()
def once(profile):
    home = "{FOLDER}/" + profile
    os.mkdir(home)
    fields = {{"name": "smoke-1", "profile": profile, "secret": "{SECRET.hex()}",
              "gateway": "192.0.2.1:5683", "sensors": [{{"driver": "simulated"}}]}}
    if profile == "sig":
        fields["key"] = "{PRIVATE.hex()}"
    settings = config_file.check(fields)
    box = outbox.Outbox(board, home + "/outbox", settings.outbox_bytes, mode=settings.keep)
    epoch = counter.next_epoch(board, home, used_before=False)
    own = identity.of(board, settings, home, epoch)
    now = clock.Clock(board)
    sampling = sampler.Sampler(board, settings, box, now, packer.Packer(own, box, now, print))
    started = board.ticks_ms()
    sampling.tick()
    took_ms = board.ticks_diff(board.ticks_ms(), started)
    sealed = box.peek()
    box.close()
    own.close()
    return sealed.hex(), took_ms
result = {{"mac": once("mac"), "sig": once("sig"), "heap": board.heap_bytes() - heap}}
print(json.dumps(result))
"""
SIGNING_FILES = (
    *(f"protocol/{name}.mpy" for name in ("__init__", "errors", "limits", "mac")),
    *(f"protocol/{name}.mpy" for name in ("p256", "ecdsa", "sign1")),
    *("device/__init__.mpy", "device/table.mpy"),
)
SIGNING = f"""
import gc, hashlib, json, os, sys, time
sys.path[:0] = ["{FOLDER}"]
from device.table import Table
from protocol import sign1
from protocol.ecdsa import Signer
from protocol.mac import HmacKey
table, key = Table("{FOLDER}/p256.tab"), bytes(range(1, 33))
kid, before, pack = bytes(8), bytes(16), bytes(254)  # ten readings
mac = HmacKey(key)
def took_ms(act):
    gc.collect()
    started = time.ticks_us()
    act()
    return time.ticks_diff(time.ticks_us(), started) / 1000
def sealing(signer):
    return lambda: sign1.seal(
        signer.sign, kid, epoch=1, sequence=1, before=before, payload=pack)
gc.threshold(-1)
took = {{"HMAC": took_ms(lambda: mac.tag(pack))}}
whole = sealing(Signer(key, table.read, os.urandom))
took["without, nothing collected"] = took_ms(whole)
gc.collect()
gc.threshold(4096)
took["without, collected each 4 KB"] = took_ms(whole)
ready = Signer(key, table.read, os.urandom, boot=b"1", coupons=3)
steps = []
while ready.ready < 3:
    steps.append(took_ms(ready.idle))
took["a step of a coupon, at most"] = max(steps)
took["by coupon"] = min([took_ms(sealing(ready)) for _ in range(3)])
print(json.dumps(took))
"""
FORGET = f"""
import os
def forget(path):
    for entry in list(os.ilistdir(path)):
        one = path + "/" + entry[0]
        forget(one) if entry[1] & 0x4000 else os.remove(one)
    os.rmdir(path)
try:
    os.stat("{FOLDER}")
    forget("{FOLDER}")
except OSError:
    pass
"""


@contextmanager
def emulator(image: str, folder: Path) -> Iterator[str]:
    """The port of an emulated Pico that has booted the firmware `image`."""
    board = "pico_w" if "PICO_W" in Path(image).name else "pico"
    command = [RP2040PY, "micropython", "--pty", "--board", board, "--image", image]
    log = folder / "rp2040py.log"
    with log.open("w") as said:
        running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        deadline = time.monotonic() + EMULATOR_BOOTS_S
        while not (found := re.search(r"PTY REPL listening on (\S+)", log.read_text())):
            assert running.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield found[1]
    finally:
        running.terminate()
        running.wait(timeout=10)


def setting(name: str, meaning: str) -> str:
    """Of the environment; skips the test, with the reason, where it is not set."""
    value = os.environ.get(name, "")
    if not value:
        pytest.skip(f"set {name} to {meaning}")
    return value


def copy(board: Board, files: dict[str, bytes]) -> None:
    """These below FOLDER, with the table to sign with."""
    for folder in sorted({str(parent) for name in files for parent in Path(name).parents}):
        board.mkdir(f"{FOLDER}/{folder}" if folder != "." else FOLDER)
    for name, content in files.items():
        board.put(f"{FOLDER}/{name}", content)
    board.put(f"{FOLDER}/p256.tab", firmware.table(firmware.cache()).read_bytes())


def smoke(port: str, slowness: float = 1) -> dict[str, list[object]]:
    """Copies the device's program, seals a pack in each profile, and cleans up."""
    with Board(port, slowness) as board:
        board.exec(FORGET, "making room", SLOW_S)
        copy(board, program.modules(facts.of(board).port, firmware.cache(), public=True))
        try:
            (result,) = board.ask(SMOKE, "the smoke test", SLOW_S)
        finally:
            board.exec(FORGET, "cleaning up", SLOW_S)
        board.reset()
    print(result)
    return dict(result)


def assert_checked(result: dict[str, list[object]]) -> None:
    """Both envelopes by CPython, as a gateway does; the reading is what the sensor can give."""
    by_mac = envelope_reader.parse(bytes.fromhex(str(result["mac"][0])))
    up = envelope.direction_key(SECRET, envelope.UP)
    envelope_reader.check(by_mac, up, envelope.UP)
    signed = sign1_reader.parse(bytes.fromhex(str(result["sig"][0])))
    assert ecdsa_verify.verify(public_key(), sign1_reader.digest(signed), signed.signature)
    for sent in (by_mac, signed):
        reading, *own = resolve.decode_pack(sent.payload)
        assert [one.name for one in own] == [
            f"smoke-1/{word}" for word in ("started", "ended", "uptime")
        ]
        assert (reading.name, reading.unit) == ("smoke-1/temperature", "Cel")
        assert -SLOW_S * 1000 < reading.time_ms <= 0  # before it was sealed
        assert (sent.epoch, sent.sequence) == (1, 0)


def public_key() -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.derive_private_key(int.from_bytes(PRIVATE, "big"), ec.SECP256R1())
    point = private.public_key().public_numbers()
    return point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")


def test_it_holds_on_the_virtual_board(tmp_path):
    with VirtualBoard(tmp_path / "board") as virtual:
        result = smoke(virtual.port)

    assert_checked(result)


def test_it_holds_on_an_emulated_pico(tmp_path):
    image = setting("PICO_UF2", "a firmware file of the Pico (micropython.org/download/RPI_PICO)")
    if not RP2040PY.exists():
        pytest.skip("pip install rp2040py")

    with emulator(image, tmp_path) as port:
        result = smoke(port, EMULATOR_SLOWNESS)

    assert_checked(result)


def test_signing_takes_what_it_may_on_an_emulated_pico(tmp_path):
    image = setting("PICO_UF2", "a firmware file of the Pico (micropython.org/download/RPI_PICO)")
    if not RP2040PY.exists():
        pytest.skip("pip install rp2040py")
    files = program.modules("rp2", firmware.cache(), public=True)
    needed = {name: files[name] for name in SIGNING_FILES}

    with emulator(image, tmp_path) as port, Board(port, EMULATOR_SLOWNESS) as board:
        copy(board, needed)
        (took_ms,) = board.ask(SIGNING, "signing", SLOW_S)

    # its clock counts the cycles of an RP2040 at 125 MHz: how busy we are makes no difference
    print(took_ms)
    assert took_ms["by coupon"] <= 2
    assert took_ms["without, nothing collected"] <= 175


def test_it_holds_on_the_board_that_is_plugged_in(tmp_path):
    port = setting("DEVICE_PORT", "the serial port of a board that you can spare")

    result = smoke(port)

    assert_checked(result)
