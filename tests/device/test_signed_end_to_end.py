"""A whole device that signs, in a real MicroPython, against a small gateway over a bad network."""

import json
import shutil
import subprocess

import pytest

from protocol.envelope import kid_of
from tests.device.gateway import Keeper, UdpGateway
from tests.device.test_end_to_end import (
    NAME,
    SECRET,
    command_of,
    run_device,
    write_config,
)
from tests.interpreters import ROOT, environment, micropython
from tests.protocol import oracles
from tests.relay import Relay
from tools.processes import DEVICE_HEAP

KEY = bytes(range(1, 33))
PUBLIC = oracles.p256_public(KEY)

SMALL = ["-X", f"heapsize={DEVICE_HEAP}"]

pytestmark = pytest.mark.integration


@pytest.fixture
def folder(tmp_path, table):
    shutil.copy(table, tmp_path)
    return tmp_path


@pytest.mark.parametrize("interpreter", ["micropython", "cpython", "small"])
def test_every_reading_is_signed_kept_once_and_linked_through_loss_and_duplicates(
    interpreter, folder, compiled
):
    keeper = Keeper(NAME, SECRET, separate=True, public_key=PUBLIC)
    small = interpreter == "small"
    with (
        UdpGateway(keeper) as gateway,
        Relay(gateway.address, loss=0.3, duplicate=0.2, reorder=0.05, seed=7) as relay,
    ):
        write_config(folder, relay.port, readings_per_pack=2, profile="sig", key=KEY.hex())
        command = command_of(interpreter) + (SMALL if small else [])

        code, events, output = run_device(command, folder, 200, compiled if small else ROOT)

    print(output)
    assert code == 0, output
    assert keeper.order == [(1, sequence) for sequence in range(100)]
    assert len(keeper.readings()) == 200
    assert keeper.conflicts == []
    assert (keeper.signatures.broken, keeper.signatures.reused) == ([], [])
    assert keeper.signatures.unlinked == [(1, 0)]
    assert events[0]["profile"] == "sig"
    assert SECRET.hex() not in output
    assert KEY.hex() not in output


def test_a_device_killed_while_sending_uses_no_nonce_twice_and_links_what_it_can(folder):
    keeper = Keeper(NAME, SECRET, public_key=PUBLIC)
    with UdpGateway(keeper) as gateway:
        # in the other modes a start may know of none before it: what was kept never was on flash
        write_config(folder, gateway.address[1], key=KEY.hex(), keep="always")
        arguments = [micropython(), "-m", "device.main", str(folder), "100000"]
        for life in range(1, 5):
            kept = 0
            with subprocess.Popen(
                arguments, env=environment(folder), stdout=subprocess.PIPE, text=True
            ) as device:
                while kept < 20:  # past all that waited, which may be half an outbox
                    event = json.loads(device.stdout.readline())
                    kept += event["event"] == "kept" and event["epoch"] == life
                device.kill()

        code, _, output = run_device(command_of("micropython"), folder, 5)

    assert code == 0, output
    assert {epoch for epoch, _ in keeper.order} == {1, 2, 3, 4, 5}
    assert keeper.conflicts == []
    assert (keeper.signatures.broken, keeper.signatures.reused) == ([], [])
    # the others found an envelope of the start before on their flash
    assert keeper.signatures.unlinked == [(1, 0)]


def test_a_key_made_over_the_repl_is_the_one_the_device_signs_with(folder):
    (folder / "entropy").write_bytes(bytes(range(32)))
    call = f"import device.enrol; device.enrol.make_key({str(folder)!r})"
    told = [
        subprocess.run(
            [micropython(), "-c", call], env=environment(folder), capture_output=True, check=True
        ).stdout
        for _ in range(2)
    ]
    public = bytes.fromhex(json.loads(told[0])["public_key"])
    keeper = Keeper(NAME, SECRET, public_key=public)
    with UdpGateway(keeper) as gateway:
        write_config(folder, gateway.address[1], profile="sig")

        code, _, output = run_device(command_of("micropython"), folder, 3)

    assert code == 0, output
    assert told[0] == told[1]
    assert len(keeper.order) == 3
    assert keeper.kept[(1, 0)][8:16] == kid_of(NAME, "sig", public_key=public)


def test_a_device_without_a_table_says_what_to_type(tmp_path):
    write_config(tmp_path, 5683, key=KEY.hex())

    code, events, output = run_device(command_of("micropython"), tmp_path, 1)

    assert code == 2, output
    assert "tallystick flash" in str(events[0]["reason"])
    assert KEY.hex() not in output
