"""A whole device in a real MicroPython, against a small gateway, over a bad network."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from protocol import envelope, envelope_reader
from tests.device.budgets import LEAST_HEAP
from tests.device.gateway import Keeper, UdpGateway
from tests.interpreters import ROOT, environment, micropython
from tests.relay import Relay

NAME, SECRET = "greenhouse-3", bytes(range(32))

# It runs compiled code, as a board does.
SMALL = ["-X", f"heapsize={LEAST_HEAP['mac']}K"]

pytestmark = pytest.mark.integration


def write_config(folder: Path, port: int, **more: object) -> None:
    fields = {
        "name": NAME,
        "secret": SECRET.hex(),
        "gateway": f"127.0.0.1:{port}",
        "sensors": [{"driver": "simulated", "name": "temperature", "every_ms": 0}],
        "ack_timeout_ms": 20,
    }
    (folder / "config.json").write_text(json.dumps(fields | more))


def run_device(
    command: list[str], folder: Path, readings: int, packages: Path = ROOT
) -> tuple[int, list[dict[str, object]], str]:
    run = subprocess.run(
        [*command, "-m", "device.main", str(folder), str(readings)],
        env=environment(folder, Path() if packages != ROOT else packages),
        cwd=packages,  # found by short paths, as on a board: each is in RAM
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    events = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    return run.returncode, events, run.stdout[-2000:] + run.stderr[-2000:]


def command_of(interpreter: str) -> list[str]:
    return [sys.executable] if interpreter == "cpython" else [micropython()]


@pytest.mark.parametrize("interpreter", ["micropython", "cpython", "small"])
def test_every_reading_is_kept_exactly_once_through_loss_and_duplicates(
    interpreter, tmp_path, compiled
):
    keeper = Keeper(NAME, SECRET, separate=True)
    small = interpreter == "small"
    with (
        UdpGateway(keeper) as gateway,
        Relay(gateway.address, loss=0.3, duplicate=0.2, reorder=0.05, seed=7) as relay,
    ):
        write_config(tmp_path, relay.port, readings_per_pack=2)
        command = command_of(interpreter) + (SMALL if small else [])

        code, events, output = run_device(command, tmp_path, 200, compiled if small else ROOT)

    print(f"{relay.lost} lost, {relay.repeated} repeated, {keeper.repeats} repeats seen; {output}")
    assert code == 0, output
    assert keeper.order == [(1, sequence) for sequence in range(100)]
    assert len(keeper.readings()) == 200
    assert keeper.conflicts == []
    assert [event["sequence"] for event in events if event["event"] == "kept"] == [*range(100)]
    assert SECRET.hex() not in output


def test_a_device_killed_while_sending_goes_on_in_a_new_epoch_without_losing_any(tmp_path):
    keeper = Keeper(NAME, SECRET)
    command = command_of("micropython")
    with UdpGateway(keeper) as gateway:
        write_config(tmp_path, gateway.address[1], keep="always")
        arguments = [*command, "-m", "device.main", str(tmp_path), "100000"]
        flushed: list[tuple[int, int]] = []
        for _ in range(3):
            with subprocess.Popen(
                arguments, env=environment(tmp_path), stdout=subprocess.PIPE, text=True
            ) as device:
                assert device.stdout is not None
                while len(flushed) % 20 != 19 or not flushed:
                    event = json.loads(device.stdout.readline())
                    if event["event"] == "kept":
                        flushed.append((event["epoch"], event["sequence"]))
                device.kill()
            flushed.append((0, 0))

        code, _, output = run_device(command, tmp_path, 5)

    assert code == 0, output
    # one that found its outbox half full samples nothing until it has sent some of that
    epochs = {epoch for epoch, _ in keeper.order}
    assert {1, 4} <= epochs <= {1, 2, 3, 4}
    assert keeper.conflicts == []
    for epoch in epochs:
        numbers = sorted(number for at, number in keeper.order if at == epoch)
        assert numbers == [*range(len(numbers))]


@pytest.mark.parametrize(
    ("heap", "least", "most"),
    [("92K", 4096, 4096), ("128K", 4608, 12_288), ("270K", 98_304, 163_840)],
)
def test_a_heap_with_room_is_collected_less_often(heap, least, most, tmp_path, compiled):
    keeper = Keeper(NAME, SECRET)
    (tmp_path / "drivers").mkdir()
    (tmp_path / "drivers" / "threshold.py").write_text(
        "import gc\n"
        "KEYS = {}\n"
        "class Sensor:\n"
        "    def __init__(self, board, keys): pass\n"
        "    def read(self): return (('', 'count', gc.threshold()),)\n"
    )
    with UdpGateway(keeper) as gateway:
        write_config(tmp_path, gateway.address[1], sensors=[{"driver": "threshold", "every_ms": 0}])
        command = [micropython(), "-X", f"heapsize={heap}"]

        code, _, output = run_device(command, tmp_path, 1, compiled)

    assert code == 0, output
    assert least <= keeper.readings()[0].value <= most


def test_a_wrong_configuration_ends_the_device_with_the_fix_and_without_the_secret(tmp_path):
    write_config(tmp_path, 5683, readings_per_pack="ten")

    code, events, output = run_device(command_of("micropython"), tmp_path, 1)

    assert code == 2
    assert "readings_per_pack: write a whole number" in str(events[0]["reason"])
    assert SECRET.hex() not in output


def test_the_envelopes_are_ones_the_protocol_package_opens(tmp_path):
    keeper = Keeper(NAME, SECRET)
    with UdpGateway(keeper) as gateway:
        write_config(tmp_path, gateway.address[1])

        run_device(command_of("micropython"), tmp_path, 1)

    sealed = keeper.kept[(1, 0)]
    assert envelope_reader.parse(sealed).kid == envelope.kid_of(NAME)
    assert keeper.readings()[0].name == f"{NAME}/temperature"
