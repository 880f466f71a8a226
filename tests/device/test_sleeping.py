"""A device that sleeps deeply between its samples: each wake is a new agent on the same board."""

import pytest

from device import waking
from device.config import ConfigError
from device.config_file import check
from protocol import sign1, sign1_reader
from tests.device.board import FakeBoard
from tests.device.gateway import TIME_MS, Keeper
from tests.device.signed import KEY, NAME, PUBLIC, SECRET, started
from tests.device.sleeper import KEPT, LOST, MINUTE_MS, Device


def operations_of(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


async def test_a_board_with_memory_keeps_its_epoch_and_writes_no_flash(tmp_path):
    device = Device(tmp_path)
    await device.wake()
    before = operations_of(tmp_path)

    for _ in range(3):
        await device.wake()

    assert device.keeper.order == [(1, 0), (1, 1), (1, 2), (1, 3)]
    assert operations_of(tmp_path) == before


async def test_a_board_without_has_an_epoch_for_each_wake(tmp_path):
    device = Device(tmp_path, memory=LOST)

    for _ in range(3):
        await device.wake()

    assert device.keeper.order == [(1, 0), (2, 0), (3, 0)]


@pytest.mark.parametrize("memory", [KEPT, LOST])
async def test_nothing_is_lost_and_times_are_right_when_the_gateway_is_away_for_wakes(
    memory, tmp_path
):
    device = Device(tmp_path, memory=memory)
    await device.wake()
    device.reachable = False
    await device.wake()
    await device.wake()
    device.reachable = True

    await device.wake()

    times_ms = device.times_ms()[1:]  # the first, of an unset clock, says how long ago it was
    assert len(device.keeper.order) == 4
    assert device.keeper.conflicts == []
    assert [round(ms / 1000) - 1 for ms in times_ms] == [60, 120, 180]


async def test_it_sleeps_until_the_next_sample_however_long_it_was_awake(tmp_path):
    device = Device(tmp_path)
    await device.wake()
    device.reachable = False

    await device.wake()

    answered_ms, unanswered_ms = device.board.slept_ms
    assert MINUTE_MS - 500 <= answered_ms <= MINUTE_MS
    assert 40_000 - 500 <= unanswered_ms <= 40_000


async def test_uptime_goes_on_in_an_epoch_until_a_pack_has_unix_times(tmp_path):
    device = Device(tmp_path)
    device.reachable = False
    await device.wake()
    await device.wake()
    device.reachable = True

    for _ in range(4):
        await device.wake()

    uptimes = [one for one in device.keeper.all_readings() if one.name.endswith("/uptime")]
    seconds = [one.value if isinstance(one.value, int) else one.value[0] // 1000 for one in uptimes]
    assert seconds == [0, 60, 120, 180]
    assert len(device.keeper.order) == 6


@pytest.mark.parametrize("memory", [KEPT, LOST])
async def test_each_sensor_is_read_when_it_is_due(memory, tmp_path):
    sensors = [
        {"driver": "board-temperature", "name": "often", "every_ms": MINUTE_MS},
        {"driver": "board-temperature", "name": "seldom", "every_ms": 3 * MINUTE_MS},
    ]
    device = Device(tmp_path, memory=memory, sensors=sensors)

    for _ in range(7):
        await device.wake()

    names = [reading.name.rpartition("/")[2] for reading in device.keeper.readings()]
    assert names.count("often") == 7
    assert names.count("seldom") == 3


async def test_signatures_name_the_one_before_across_sleeps(signing_folder):
    keeper = Keeper(NAME, SECRET, public_key=PUBLIC)
    device = Device(signing_folder, keeper=keeper, key=KEY.hex(), profile="sig")

    for _ in range(3):
        await device.wake()

    kept = [sign1_reader.parse(keeper.kept[number]) for number in keeper.order]
    links = [sign1.link(keeper.kept[number]) for number in keeper.order]
    assert [one.before for one in kept[1:]] == links[:-1]
    assert len({one.epoch for one in kept}) == 1
    assert [one.sequence for one in kept] == [0, 1, 2]


def test_an_epoch_of_several_starts_has_no_coupons(signing_folder):
    sensors = [{"driver": "board-temperature", "every_ms": MINUTE_MS}]

    own = started(signing_folder, key=KEY.hex(), sleep="deep", sensors=sensors)

    assert own.step(True) > 100
    assert own.ready == 0
    assert own.seal(0, b"pack")


@pytest.mark.parametrize("damaged", [b"", b"nonsense", "flipped", "cut"])
async def test_what_memory_no_longer_gives_back_whole_is_a_new_epoch(damaged, tmp_path):
    device = Device(tmp_path)
    await device.wake()
    memory = device.board.memory
    if damaged == "flipped":
        damaged = memory[:9] + bytes((memory[9] ^ 1,)) + memory[10:]
    device.board.memory = memory[:-1] if damaged == "cut" else damaged

    await device.wake()

    assert device.keeper.order == [(1, 0), (2, 0)]


@pytest.mark.parametrize("cut_after_ms", [1, 40, 60, 10_000])
@pytest.mark.parametrize("reachable", [True, False])
@pytest.mark.parametrize("memory", [KEPT, LOST])
async def test_no_number_is_used_twice_whenever_the_power_is_cut(
    memory, reachable, cut_after_ms, tmp_path
):
    device = Device(tmp_path, memory=memory, keep="always")
    await device.wake()
    for _ in range(2):
        device.reachable = reachable
        await device.wake(cut_after_ms=cut_after_ms)
    device.reachable = True

    await device.wake()
    await device.wake()

    assert device.keeper.conflicts == []
    epochs = [epoch for epoch, _ in device.keeper.order]
    assert epochs == sorted(epochs)
    assert epochs.count(2) <= 1


async def test_a_reset_in_the_middle_of_a_wake_does_not_go_on_in_its_epoch(tmp_path):
    device = Device(tmp_path)
    await device.wake()
    kept = device.board.memory
    device.board.power_cut = lambda: None  # a reset that looks like the end of a sleep
    await device.wake(cut_after_ms=20)

    await device.wake()

    assert kept != b""
    assert device.keeper.order[-1] == (2, 0)
    assert device.keeper.conflicts == []


async def test_many_wakes_of_an_outage_share_the_segments_of_the_outbox(tmp_path):
    device = Device(tmp_path, outbox_bytes=8192, ack_timeout_ms=100)
    await device.wake()
    device.reachable = False
    for _ in range(40):
        await device.wake()
    device.reachable = True

    for _ in range(2):
        await device.wake()

    assert device.keeper.order == [(1, sequence) for sequence in range(43)]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"sensors": [{"driver": "simulated", "every_ms": 29_999}]}, "30000"),
        ({"sensors": [{"driver": "pulses", "pin": 1, "every_ms": 60_000}]}, "stay awake"),
        ({"hear": "at-once"}, "with-receipts"),
        ({"sleep": "light"}, "none, deep"),
    ],
)
def test_what_cannot_sleep_is_refused_with_the_fix(more, said, tmp_path):
    with pytest.raises(ConfigError, match=r"^sleep: ") as refusal:
        check(Device(tmp_path, **more).fields)

    assert said in str(refusal.value)


def test_what_is_kept_is_given_back():
    board = FakeBoard()
    board.memory = b""
    state = waking.State()
    state.epoch, state.sequence, state.time_ms, state.tail_bytes = 5, 6, TIME_MS, 300
    state.link, state.silent, state.plan = bytes(range(16)), 70_000, 0xFFFFFFFF
    state.ahead_ms = [0, 86_400_000]

    waking.keep(board, "", state)
    found = waking._unpacked(board.memory)

    assert found.silent == 0xFFFF
    state.silent = found.silent
    assert vars(found) == vars(state)
