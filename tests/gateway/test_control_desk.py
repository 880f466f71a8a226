"""What devices are told: after it is in the ledger, to whom asks, and to nobody else."""

import json

import pytest

from gateway.control import entries
from gateway.control.answering import Standing, answer
from gateway.control.desk import Desk
from gateway.errors import ConflictError, ReplayedError, StoreFullError
from gateway.ingest import form
from gateway.ledger.batch import CONTROL_KID, Number
from gateway.store.control import ControlStore, Order
from protocol import cbor_reader, control, envelope, told
from protocol.control import Command, Question
from tests.fakes import NOW_MS, FakeDevice

SHED, CELLAR = FakeDevice("shed"), FakeDevice("cellar")
FASTER = entries.spelled({"readings_per_pack": 2})
WIFI = entries.spelled({"pack_age_ms": 1000, "wifi": {"ssid": "garden", "password": "rosebud"}})
PEER = "where shed is"


class FakeSequencer:
    def __init__(self):
        self.kept = []
        self.failure = None

    async def submit(self, submission):
        if self.failure:
            failure, self.failure = self.failure, None
            raise failure
        self.kept.append(submission)


class Office:
    """A desk, and another process's connection to the file behind it."""

    def __init__(self, folder):
        self.tool = ControlStore(folder / "control.sqlite")
        self.store = ControlStore(folder / "control.sqlite")
        self.sequencer = FakeSequencer()
        self.desk = self.new_desk()
        self.asked = 0

    def new_desk(self):
        return Desk(self.store, self.sequencer, unix_ms=lambda: NOW_MS)

    def set_config(self, text, device=SHED):
        down = device.known().down
        return self.tool.set_config(
            device.name, text, lambda n: entries.config_body("ada", n, text, down=down)
        )

    def command(self, name, argument="", device=SHED):
        order = Order(name, argument, "ada", NOW_MS)
        return self.tool.add_command(
            device.name, order, lambda n: entries.command_body("ada", n, name, argument)
        )

    async def ask(self, device=SHED, *, protected=False, **fields):
        self.asked += 1
        numbers = {"known": 0, "runs": 0, "done": 0, "of": 0, "at": 0} | fields
        question = Question(self.asked.to_bytes(8, "big"), **numbers)
        answered = await self.desk.ask(device.known(), question, peer=PEER, protected=protected)
        key = envelope.direction_key(device.secret, envelope.DOWN)
        opened = told.open_answer(key, answered, device.kid, question.nonce)
        return control.Answer(question.nonce, *opened)

    def close(self):
        self.tool.close()
        self.store.close()


@pytest.fixture
def office(tmp_path):
    office = Office(tmp_path)
    yield office
    office.close()


async def test_a_configuration_is_in_the_ledger_before_a_receipt_speaks_of_it(office):
    office.set_config(FASTER)
    office.sequencer.failure = StoreFullError("no space left")

    with pytest.raises(StoreFullError):
        await office.desk.keep_up()
    before = dict(office.desk.news)
    await office.desk.keep_up()

    assert before == {}
    assert office.desk.news == {"shed": form.news(1, 0)}
    (kept,) = office.sequencer.kept
    assert kept.number == Number(CONTROL_KID, office.store.epoch, 1)
    assert (kept.draft.kind, kept.draft.source) == ("config", "shed")


async def test_what_is_in_the_ledger_is_not_put_there_again(office):
    office.set_config(FASTER)
    for _ in range(3):
        await office.desk.keep_up()
    office.command("report")
    await office.desk.keep_up()

    assert [s.draft.kind for s in office.sequencer.kept] == ["config", "command"]


async def test_a_contradiction_of_the_ledger_stops_nothing(office):
    office.set_config(FASTER)
    office.sequencer.failure = ConflictError("another one")

    await office.desk.keep_up()

    assert (await office.ask()).piece == FASTER


async def test_who_asks_is_told_what_is_new_and_then_nothing(office):
    office.set_config(FASTER)
    office.command("log", "20")

    config = await office.ask()
    commands = await office.ask(known=1, runs=1)
    over = await office.ask(known=1, runs=1, done=1)

    assert (config.version, config.size, config.piece) == (1, len(FASTER), FASTER)
    assert (commands.piece, commands.commands) == (b"", [Command(1, "log", "20")])
    assert (over.version, over.size, over.commands) == (1, 0, [])
    assert office.desk.news["shed"] == form.news(1, 0)


async def test_nobody_is_told_what_is_anothers(office):
    office.set_config(FASTER)
    office.command("report")

    heard = await office.ask(CELLAR)

    assert (heard.version, heard.size, heard.commands) == (0, 0, [])
    assert "cellar" not in office.desk.news


async def test_secrets_are_told_under_oscore_only_and_are_never_in_the_ledger(office):
    office.set_config(WIFI)

    plain = await office.ask()
    protected = await office.ask(protected=True)

    assert (plain.size, plain.piece, plain.withheld) == (0, b"", True)
    assert (protected.piece, protected.withheld) == (WIFI, False)
    body = office.sequencer.kept[0].draft.body
    assert b"rosebud" not in body
    fields = cbor_reader.decode(body)
    assert json.loads(fields[3]) == {"pack_age_ms": 1000, "wifi": None}
    assert (fields[1], fields[2], len(fields[4])) == ("ada", 1, 32)


async def test_what_was_told_and_done_outlives_the_gateway(office):
    office.command("report")
    office.command("sample")
    await office.ask()
    await office.ask(done=1, known=3, runs=2)

    office.desk = office.new_desk()
    await office.desk.keep_up()

    assert office.desk.news == {"shed": form.news(0, 1)}
    assert office.tool.heard()["shed"] == ("shed", 3, 2, 1, 2, NOW_MS)


async def test_a_question_that_was_copied_is_answered_to_nobody_else(office):
    question, later = Question(b"nonce 12", 0, 0, 0, 0, 0), Question(b"nonce 13", 0, 0, 0, 0, 0)
    first = await office.desk.ask(SHED.known(), question, peer=PEER, protected=False)

    again = await office.desk.ask(SHED.known(), question, peer=PEER, protected=False)
    with pytest.raises(ReplayedError):
        await office.desk.ask(SHED.known(), question, peer="elsewhere", protected=False)
    await office.desk.ask(SHED.known(), later, peer="elsewhere", protected=False)

    assert again == first
    with pytest.raises(ReplayedError):
        await office.desk.ask(SHED.known(), question, peer=PEER, protected=False)


def test_a_long_text_comes_in_pieces_and_another_version_from_its_start():
    text = entries.spelled({str(number): number for number in range(180)})
    standing = Standing(5, text, [Command(1, "report", "")])
    asked = Question(bytes(8), 4, 4, 0, 0, 0)
    pieces = []

    while sum(map(len, pieces)) < len(text):
        at = sum(map(len, pieces))
        heard = answer(asked._replace(of=5, at=at), standing, protected=False)
        pieces.append(heard.piece)
        assert (heard.size, heard.commands) == (len(text), [])
    of_another = answer(asked._replace(of=4, at=384), standing, protected=False)

    assert b"".join(pieces) == text
    assert of_another.piece == pieces[0]


def test_commands_come_a_few_at_a_time_in_order():
    commands = [Command(number, "report", "") for number in range(1, 5)]
    standing = Standing(0, b"", commands)

    first = answer(Question(bytes(8), 0, 0, 0, 0, 0), standing, protected=False)
    then = answer(Question(bytes(8), 0, 0, 2, 0, 0), standing, protected=False)

    assert first.commands + then.commands == commands


async def test_who_watches_is_called_for_each_change_of_its_own_until_it_ends(office):
    calls = []
    end = office.desk.watching.add("shed", lambda: calls.append("shed"))
    office.desk.watching.add("barn", lambda: calls.append("barn"))

    office.command("log")
    await office.desk.keep_up()
    await office.desk.keep_up()
    assert calls == ["shed"]

    await office.ask(done=1)
    assert calls == ["shed", "shed"]

    end()
    office.command("log")
    await office.desk.keep_up()
    assert calls == ["shed", "shed"]
