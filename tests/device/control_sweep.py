"""Cuts the power at every flash operation while a board is told things, inside MicroPython.

A gateway in memory gives it two configurations and three commands; after a cut it lives on until
all is settled. Run by test_power_cut_control.py; the argument is the program size.
"""

import asyncio
import gc
import json
import sys

from device import config_file, control, counter, standing
from device.config import ConfigError, RestartError
from device.identity import Identity
from device.news import News
from device.outbox import Outbox
from device.packer import Packer
from protocol import coap, envelope, envelope_reader, resolve
from protocol import control as asked
from protocol.coap import Message
from protocol.control import Answer, Command
from tests.device.powercut_sweep import ROOT, Files, RamFlash, mount, unmount

SECRET = bytes(range(32))
NAME = "greenhouse-3"
DOWN = envelope.direction_key(SECRET, envelope.DOWN)
TEXTS = {1: b'{"readings_per_pack":2}', 2: b'{"readings_per_pack":3}'}
COMMANDS = [Command(1, "a", "1"), Command(2, "b", "2"), Command(3, "c", "3")]
LIVES = 9
HARMS = ("torn", "went_back", "ran_twice", "untold", "told_twice", "conflicts", "unsettled")


class Board(Files):
    name = "sweep"

    def random_bytes(self, size):
        return bytes(size)

    def watchdog(self, timeout_ms):
        return None

    def heap_bytes(self):
        return 0

    def ticks_ms(self):
        return 0

    def ticks_diff(self, later, earlier):
        return 0


class Part:
    """Whatever of the agent this is not about."""

    sampled = read_errors = kept = retransmissions = 0
    is_set = False

    def wake(self):
        pass

    def seal(self):
        pass

    def uptime_ms(self):
        return 0

    def time_ms(self, uptime_ms):
        return 0


class World:
    """The gateway, and all that was seen of the board: the truth its flash must agree with."""

    def __init__(self):
        self.kept = {}
        self.conflicts = 0
        self.done = 0
        self.ran = []
        self.known = []
        self.values = []

    def keep(self, sealed):
        number = envelope.number_in(sealed)
        self.conflicts += self.kept.get(number, sealed) != sealed
        self.kept[number] = sealed

    def news(self):
        return max(TEXTS), len([one for one in COMMANDS if one.id > self.done])

    def answer(self, data):
        question = asked.open_question(DOWN, data)
        self.known.append(question.known)
        self.done = max(self.done, question.done)
        # versions come one after the other, as if somebody changed it in between
        version = min(question.known + 1, max(TEXTS))
        text = TEXTS[version] if question.known < version else b""
        told = [one for one in COMMANDS if one.id > question.done][:2]
        return asked.seal_answer(
            DOWN,
            envelope.kid_of(NAME),
            Answer(question.nonce, version, len(text), text, [] if text else told, False),
        )

    def outcomes(self):
        found = []
        for number in sorted(self.kept):
            pack = envelope_reader.parse(self.kept[number]).payload
            found += [r.value for r in resolve.decode_pack(pack) if r.name.endswith("/command")]
        return found


WORLDS = []  # the one of this cut is the last


class Endpoint:
    reason = ""

    def __init__(self, *_):
        self.answer_bytes = 0

    async def exchange(self, code, path, payload, content_format):
        return Message(coap.ACK, coap.CHANGED, 1, b"", [], WORLDS[-1].answer(payload))

    async def close(self):
        pass


async def outcome(desk, name, argument):
    WORLDS[-1].ran.append(int(argument))
    return "ok"


class Agent:
    def __init__(self, board, settings):
        self.board, self.settings, self.folder = board, settings, ROOT
        self.outbox = Outbox(board, ROOT + "/outbox", 16_384, mode="always")
        epoch = counter.next_epoch(board, ROOT, used_before=not self.outbox.was_made)
        self.identity = Identity(NAME, SECRET, epoch)
        self.clock = self.uplink = self.sampler = self.endpoint = Part()
        self.packer = Packer(self.identity, self.outbox, self.clock, self.uplink.wake)

    def report(self, event, **fields):
        if event == "settling-failed":
            raise OSError(5)


def live(board):
    """One start: what runs is chosen, the outbox is delivered, and what is new is asked for."""
    settings = config_file.of(board, ROOT)
    WORLDS[-1].values.append(settings.readings_per_pack)
    agent = Agent(board, settings)
    news = News(agent) if settings.told else None
    while True:
        sealed = agent.outbox.peek()
        if sealed is None:
            break
        WORLDS[-1].keep(sealed)
        agent.outbox.advance()
        if news is not None:
            news.heard(envelope.number_in(sealed))
    if news is not None:
        news.heard(b"a pack like any other")
    agent.outbox.close()
    version, commands = WORLDS[-1].news()
    if version > settings.known or commands:
        desk = control.Desk(board, settings, ROOT, agent.report)
        try:
            asyncio.run(control.turn(desk, agent.identity.kid))
        finally:
            asyncio.new_event_loop()


def lives(board, count):
    """Until nothing is left to be told either way; in at most so many starts."""
    for _ in range(count):
        try:
            live(board)
        except RestartError:
            pass
        if is_settled(standing.load(ROOT)) and WORLDS[-1].news()[1] == 0:
            return


def sweep_one(image, cut_at, program_bytes):
    gc.collect()
    WORLDS.append(World())
    flash = RamFlash(image, cut_at)
    mounted = False
    try:
        mount(flash, program_bytes)
        mounted = True
        lives(Board(), LIVES)
    except (OSError, ConfigError):  # a dead flash has no config.json either
        pass
    flash.dead = True
    if mounted:
        unmount()
    # The dead flash stays dead: finalisers of its open files must not write to the next one.
    mount(RamFlash(flash.data), program_bytes)
    lives(Board(), LIVES)
    found = judge(standing.load(ROOT))
    unmount()
    return found


def is_settled(last):
    pending = last.trial or last.untold or last.sealed
    return last.runs == max(TEXTS) and last.done == len(COMMANDS) and not pending


def judge(last):
    told = [text.split(" ") for text in WORLDS[-1].outcomes()]
    ids = [int(one[0]) for one in told]
    ran_untold = [one for one in WORLDS[-1].ran if one not in ids]
    return (
        len([value for value in WORLDS[-1].values if value not in (1, 2, 3)]),
        int(WORLDS[-1].known != sorted(WORLDS[-1].known)),
        len(WORLDS[-1].ran) - len(set(WORLDS[-1].ran)),
        len([one.id for one in COMMANDS if one.id not in ids]) + len(ran_untold),
        len(ids) - len(set(ids)),
        WORLDS[-1].conflicts,
        int(not is_settled(last) or WORLDS[-1].values[-1] != 3),
    )


def main(program_bytes, step):
    gc.disable()  # but between two cuts: finalisers of files on a dead flash reach for the next one
    control.Endpoint, control._outcome = Endpoint, outcome
    flash = RamFlash()
    vfs_of(flash, program_bytes)
    mount(flash, program_bytes)
    fields = {"name": NAME, "secret": SECRET.hex(), "gateway": "g:1", "profile": "mac"}
    fields["sensors"] = [{"driver": "simulated"}]
    with open(ROOT + "/config.json", "w") as file:
        json.dump(fields, file)
    unmount()
    image = bytes(flash.data)
    whole = RamFlash(image)
    mount(whole, program_bytes)
    WORLDS.append(World())
    lives(Board(), LIVES)
    unmount()
    totals = [0] * len(HARMS)
    cuts = range(1, whole.operations + 1, step)
    for cut_at in cuts:
        for index, count in enumerate(sweep_one(image, cut_at, program_bytes)):
            totals[index] += count
    counts = {name: totals[index] for index, name in enumerate(HARMS)}
    counts["cuts"] = len(cuts)
    print(json.dumps(counts))


def vfs_of(flash, program_bytes):
    import vfs

    vfs.VfsLfs2.mkfs(flash, progsize=program_bytes)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
