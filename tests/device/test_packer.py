"""What packs say besides what was gathered: of their sealing, and of the start before."""

import re

import pytest

from device.board import cause
from device.clock import Clock
from device.identity import Identity
from device.packer import Packer
from protocol import envelope, envelope_reader, placing, resolve
from protocol.cbor import decimal
from protocol.errors import TooLargeError
from protocol.senml import Reading
from tests.device.board import FakeBoard, open_outbox
from tests.interpreters import ROOT
from tests.protocol.cases import placing as examples

NAME, SECRET = "greenhouse-3", bytes(range(32))
NOON_MS = 1_763_692_800_000


class Start:
    """One start of a device on its flash, and what it seals."""

    def __init__(self, folder, epoch=7):
        self.board = FakeBoard()
        self.clock = Clock(self.board)
        self.outbox = open_outbox(self.board, folder / "outbox")
        self.packer = Packer(Identity(NAME, SECRET, epoch), self.outbox, self.clock, lambda: None)
        self.packer.started = "watchdog"

    def pack(self, value=1, age_ms=0):
        """One reading, `age_ms` old, as it is in its pack with all that was added."""
        read_ms = self.clock.uptime_ms() - age_ms
        assert self.packer.seal([Reading(f"{NAME}/tank", "m", value, read_ms)])
        newest = None
        while (sealed := self.outbox.peek()) is not None:
            newest = sealed
            self.outbox.advance()
        return resolve.decode_pack(envelope_reader.parse(newest).payload)

    def wait(self, duration_ms):
        self.board.now_ms += duration_ms


def told(pack):
    return {one.name[len(NAME) + 1 :]: one.value for one in pack}


@pytest.fixture
def start(tmp_path):
    return Start(tmp_path)


def test_a_reading_made_before_the_clock_was_known_is_placed_exactly_by_a_later_pack(start):
    start.wait(60_000)
    early = start.pack(age_ms=1500)
    start.wait(3 * 86_400_000 + 77)
    start.clock.learn(NOON_MS)
    start.wait(2000)
    known = start.pack(age_ms=250)

    began_ms = placing.start_ms(NAME, known)
    sealed_ms = placing.sealed_ms(NAME, early, began_ms)
    read_ms = resolve.absolute_ms(early[0].time_ms, sealed_ms)

    assert early[0].time_ms == -1500
    assert read_ms == NOON_MS - 3 * 86_400_000 - 77 - 1500


def test_the_uptime_is_told_until_the_first_pack_with_a_clock_and_in_that_one(start):
    packs = [start.pack(), start.pack()]
    start.wait(500)
    start.clock.learn(NOON_MS)

    packs += [start.pack(), start.pack()]

    assert [told(pack).get("uptime") for pack in packs] == [0, 0, decimal(500, -3), None]


def test_a_pack_that_could_not_be_sealed_leaves_the_uptime_to_the_next(start):
    start.pack()
    start.clock.learn(NOON_MS)
    with pytest.raises(TooLargeError):
        start.packer.sealed([Reading(f"{NAME}/tank", "", "x" * 1000, 0)])

    assert "uptime" in told(start.pack())


def test_the_first_pack_says_what_started_the_board_and_none_after_it(start):
    first, second = start.pack(), start.pack()

    assert told(first) == {"tank": 1, "started": "watchdog", "ended": "unknown", "uptime": 0}
    assert told(second) == {"tank": 1, "uptime": 0}


def test_the_first_pack_of_a_start_names_the_last_one_of_the_start_before(tmp_path):
    before = Start(tmp_path, epoch=7)
    for _ in range(3):
        before.pack()
    before.outbox.close()

    first = Start(tmp_path, epoch=9).pack()

    assert told(first)["ended"] == "7 2"


def test_a_pack_of_as_many_records_as_there_may_be_is_split(start):
    readings = [Reading(f"{NAME}/t", "", 1, 0) for _ in range(128)]

    assert start.packer.seal(readings)

    found = []
    while (sealed := start.outbox.peek()) is not None:
        parsed = envelope_reader.parse(sealed)
        envelope_reader.check(parsed, envelope.direction_key(SECRET, "up"), "up")
        found.append(len(resolve.decode_pack(parsed.payload)))
        start.outbox.advance()
    assert len(found) > 1
    assert sum(found) == 128 + 2 + len(found)


def test_a_machine_that_is_no_board_does_not_know_what_started_it():
    assert cause.of() == "unknown"


def test_the_example_in_the_wire_format_is_what_the_code_says():
    section = (ROOT / "docs/wire-format.md").read_text().partition("### 3.2 Times")[2]
    section = section.partition("### 3.3")[0]
    case = examples.cases()[0]

    blocks = re.findall(r"^```\n([0-9a-f\n]+)^```$", section, re.MULTILINE)
    shown = "".join(blocks).replace("\n", "")

    assert shown == case["known"] + case["pack"]
    for number in (case["start_ms"], *case["times_ms"]):
        assert str(number) in section
