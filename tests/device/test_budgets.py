"""Every budget of a device, in one table: `pytest -s tests/device/test_budgets.py`.

Two of them are printed elsewhere: a blank board's first verified reading, by
tests/integration/test_flashing.py, and the time and heap of signing, by test_signing_budget.py.
"""

import json
import re
import shutil
import time
from pathlib import Path

import pytest

from tests.device import budgets
from tests.device.budgets import Table
from tests.device.gateway import Keeper, UdpGateway
from tests.device.test_end_to_end import NAME, SECRET, run_device, write_config
from tests.interpreters import compiled_sizes, micropython, run_micropython
from tests.protocol import oracles
from tests.relay import Relay

HERE = Path(__file__).parent
KEY = bytes(range(1, 33))
PUBLIC = oracles.p256_public(KEY)
PROFILES = ["mac", "sig"]


@pytest.fixture(scope="module")
def budget():
    """The table; printed when the last test of this file is over."""
    rows = Table()
    yield rows
    print(rows.text())


# bytecode and modules


def test_what_every_board_gets_stays_small(budget):
    sizes = compiled_sizes()
    driver = max(sizes[name] for name in sizes if name.startswith(budgets.DRIVERS))

    total = budgets.on_a_board(sizes)

    assert budgets.uncounted(sizes) == []
    budget.hold("bytes of .mpy, the largest driver", driver, limit=budgets.DRIVER)
    budget.hold("bytes of .mpy", total, limit=budgets.MPY, goal=budgets.MPY)


@pytest.mark.parametrize("part", budgets.PARTS)
def test_each_part_that_only_some_boards_load_stays_small(part, budget):
    sizes = compiled_sizes()
    names, limit = budgets.PARTS[part]

    budget.hold(f"bytes of .mpy {part}", sum(sizes.get(name, 0) for name in names), limit=limit)


def heap_by_module(what, folder, packages):
    program = ["-X", "heapsize=256K", str(HERE / "heap_by_module.py"), what]
    run = run_micropython(program, folder, packages=packages)
    print(run.stdout)
    assert run.returncode == 0
    return json.loads(run.stdout.splitlines()[-1])


def test_the_modules_take_no_more_of_the_heap_than_they_may(budget, tmp_path, compiled):
    found = heap_by_module("agent", tmp_path, compiled)

    assert found["not_listed"] == ["asyncio.core", "protocol", "protocol.cbor", "device.board"]
    budget.hold(
        "bytes of heap for the agent's modules",
        found["agent"],
        limit=budgets.CODE_IN_RAM,
        goal=budgets.CODE_IN_RAM_GOAL,
    )
    asking = budgets.ASKING_IN_RAM
    budget.hold("and for OSCORE, blocks, observations", found["asking"], limit=asking)


def test_an_update_loads_nothing_of_the_agent_or_of_signing(budget, tmp_path, compiled):
    found = heap_by_module("update", tmp_path, compiled)

    besides = {"asyncio.core", "protocol", "protocol.cbor", "device.board"}
    assert set(found["not_listed"]) == besides
    limit = budgets.UPDATING_IN_RAM
    budget.hold("bytes of heap for the modules of an update", found["update"], limit=limit)


# flash, in a model of one


@pytest.fixture(scope="module")
def wear(tmp_path_factory):
    """What the default mode does to a flash, by program size and scenario."""
    program = ["-X", "heapsize=8M", str(HERE / "wear_by_mode.py"), "batch"]
    run = run_micropython(program, tmp_path_factory.mktemp("wear"))
    assert run.returncode == 0, run.stdout[-2000:]
    found = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    return {(one["program_bytes"], one["scenario"]): one for one in found}


WEAR = {
    "online": ("the gateway answers", budgets.ERASES_WHILE_ANSWERED),
    "fast_outage": ("an outage, one a second", budgets.ERASES),
    "outage": ("an outage, one in 10 s", budgets.ERASES),
    "outage_and_after": ("an hour of that, and its delivery", budgets.ERASES),
    "default_outage": ("one in 10 s of one reading", budgets.ERASES),
    "default_outage_and_after": ("an hour of these, and its delivery", budgets.ERASES),
    "day": ("eight hours with one of outage", budgets.ERASES),
    "small_outage": ("an outage, one in 10 s, the small profile", budgets.ERASES),
}


@pytest.mark.parametrize("program_bytes", [32, 256])
@pytest.mark.parametrize("scenario", WEAR)
def test_the_default_mode_spares_the_flash(wear, scenario, program_bytes, budget):
    when, limit = WEAR[scenario]
    erases = round(wear[program_bytes, scenario]["erases"], 3)

    what = f"erases an envelope, {when}, programs of {program_bytes}"
    budget.hold(what, erases, limit=limit, goal=budgets.ERASES)


@pytest.mark.parametrize("program_bytes", [32, 256])
@pytest.mark.parametrize("scenario", ["outage", "slow_outage", "worst_outage"])
def test_time_bounds_the_erases_of_a_day_without_a_gateway(wear, scenario, program_bytes, budget):
    every = {"outage": "10 s", "slow_outage": "60 s", "worst_outage": "98 s"}[scenario]
    erases = round(wear[program_bytes, scenario]["erases_a_day"])

    what = f"erases a day, an outage, one in {every}, programs of {program_bytes}"
    budget.hold(what, erases, limit=budgets.ERASES_A_DAY)


# a whole device


class TimedKeeper(Keeper):
    """Knows when the first datagram came."""

    first_s = 0.0

    def handle(self, datagram):
        self.first_s = self.first_s or time.monotonic()
        return super().handle(datagram)


def keeper_of(profile):
    return TimedKeeper(NAME, SECRET, public_key=PUBLIC if profile == "sig" else b"")


@pytest.fixture
def folder(tmp_path, table):
    """That of a device, with the table to sign with."""
    shutil.copy(table, tmp_path)
    return tmp_path


def configure(folder, port, profile, **more):
    if profile == "sig":
        more |= {"profile": "sig", "key": KEY.hex()}
    write_config(folder, port, **more)


@pytest.mark.integration
@pytest.mark.parametrize("count", [1000, pytest.param(5000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("profile", PROFILES)
def test_all_readings_fit_the_least_heap_and_leave_it_as_it_was(
    profile, count, folder, compiled, budget
):
    heap, keeper = budgets.LEAST_HEAP[profile], keeper_of(profile)
    with (
        UdpGateway(keeper) as gateway,
        Relay(gateway.address, loss=0.3, duplicate=0.2, seed=8) as relay,
    ):
        configure(folder, relay.port, profile, readings_per_pack=10)
        command = [micropython(), "-X", f"heapsize={heap}K"]

        code, events, output = run_device(command, folder, count, compiled)

    assert code == 0, output
    at_start, at_end = events[0]["heap_bytes"], events[-1]["heap_bytes"]
    assert len(keeper.order) == count // 10
    assert len(keeper.readings()) == count
    assert at_end - at_start < 8 * 1024
    budget.tell(f"KiB of the least heap, {profile}", heap, goal=budgets.HEAP_GOAL)
    limit = budgets.HEAP_AT_START[profile]
    budget.hold(f"bytes of heap at the start, {profile}", at_start, limit=limit)


@pytest.mark.integration
@pytest.mark.parametrize("count", [600, pytest.param(2000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("per_pack", budgets.LEAST_SMALL_HEAP)
def test_the_small_profile_carries_its_readings_in_half_of_that(
    per_pack, count, tmp_path, compiled, budget
):
    heap, keeper = budgets.LEAST_SMALL_HEAP[per_pack], Keeper(NAME, SECRET, separate=True)
    with (
        UdpGateway(keeper) as gateway,
        Relay(gateway.address, loss=0.3, duplicate=0.2, reorder=0.05, seed=9) as relay,
    ):
        write_config(tmp_path, relay.port, readings_per_pack=per_pack, small=True)
        command = [micropython(), "-X", f"heapsize={heap}K"]

        code, events, output = run_device(command, tmp_path, count, compiled)

    assert code == 0, output
    assert keeper.order == [(1, sequence) for sequence in range(len(keeper.order))]
    assert len(keeper.readings()) == count
    assert keeper.conflicts == []
    what = f"small profile, {per_pack} readings a pack"
    budget.tell(f"KiB of the least heap, {what}", heap, goal=budgets.SMALL_HEAP_GOAL)
    limit, at_start = budgets.HEAP_AT_START["small"], events[0]["heap_bytes"]
    budget.hold(f"bytes of heap at the start, {what}", at_start, limit=limit)


def carried(profile, folder, packages, count, watch, *, heap="128K", every_ms=0, per_pack=1):
    """The events of a device that carries so many envelopes; all that it said; how many seconds
    after its start the first datagram came.

    `watch` is for carrying.py. An `every_ms` of 0 is as fast as it goes.
    """
    keeper = keeper_of(profile)
    with UdpGateway(keeper) as gateway:
        sensors = [{"driver": "simulated", "name": "temperature", "every_ms": every_ms}]
        more = {"sensors": sensors, "readings_per_pack": per_pack}
        configure(folder, gateway.address[1], profile, **more)
        readings = str(count * per_pack)
        program = ["-X", f"heapsize={heap}", str(HERE / "carrying.py"), str(folder), readings]
        started_s = time.monotonic()
        run = run_micropython([*program, *watch], folder, timeout_s=300, packages=packages)
    assert run.returncode == 0, run.stdout[-2000:]
    assert len(keeper.order) == count
    events = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    return events, run.stdout, keeper.first_s - started_s


@pytest.mark.integration
@pytest.mark.parametrize("count", [600, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("profile", PROFILES)
def test_a_device_that_goes_on_takes_no_more_heap_and_no_more_names(
    profile, count, folder, compiled_with_names, budget
):
    watch = ["growth", "100", str(count // 100)]

    events, output, first_s = carried(profile, folder, compiled_with_names, count, watch)

    used = [event["bytes"] for event in events if event["event"] == "heap"]
    names = re.findall(r"n_qstr=(\d+)", output)
    assert len(names) == len(used) > 80
    assert len(set(names)) == 1
    used = used[: -len(used) // 10]  # toward the end the outbox is emptied
    half = len(used) // 2
    growth = min(used[half:]) - min(used[:half])
    print(f"{len(used)} looks, from {min(used)} to {max(used)} bytes; {names[0]} names")
    what = f"bytes of heap that {count} envelopes leave behind, {profile}"
    budget.hold(what, growth, limit=budgets.GROWTH[count])
    what = f"seconds from a start to the first datagram, {profile}"
    budget.tell(what, round(first_s, 3), goal=budgets.FIRST_DATAGRAM_S)


@pytest.mark.integration
@pytest.mark.parametrize("per_pack", [1, 10])
@pytest.mark.parametrize("profile", PROFILES)
def test_a_record_makes_no_more_garbage_than_it_may(
    profile, per_pack, folder, compiled_with_names, budget
):
    # one after the other, so that none waits, and each has its coupon
    watch, every_ms = ["garbage", "1", "7"], 30 // per_pack
    events, _, _ = carried(
        profile,
        folder,
        compiled_with_names,
        10,
        watch,
        heap="64M",
        every_ms=every_ms,
        per_pack=per_pack,
    )

    (found,) = [event for event in events if event["event"] == "garbage"]
    what = f"bytes of heap for a record, until they are collected, {per_pack} a pack, {profile}"
    limit, goal = budgets.GARBAGE[profile, per_pack], budgets.GARBAGE_GOAL
    budget.hold(what, found["envelope"] // per_pack, limit=limit, goal=goal)
    if profile == "sig":
        budget.tell("the same for a coupon to sign with", found["coupon"])
