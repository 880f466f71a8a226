"""`POST /r` from the datagram on: what is around Readings, all of it in the hands of a test."""

import asyncio

from gateway.coap.bulk import Peer
from gateway.coap.limiter import Limiter
from gateway.coap.posted import HEAD, SIGNED_HEAD, posted
from gateway.coap.readings import Clocks, Readings
from gateway.coap.signed import Signed
from gateway.errors import BusyError
from gateway.ledger.batch import Kept
from gateway.metrics import Metrics
from gateway.registry import Registry
from gateway.signatures.worker import Checker
from protocol import coap, envelope, receipt_reader
from protocol.coap import CON, POST
from protocol.envelope import DOWN
from protocol.receipt import Receipt
from tests.fakes import NOW_MS, FakeDevice

SHED, CELLAR, STRANGER = FakeDevice("shed"), FakeDevice("cellar"), FakeDevice("stranger")
PEER = Peer(("::ffff:192.0.2.1", 40_000, 0, 0), [(41, 50, bytes(20))])
OTHER = Peer(("::ffff:192.0.2.2", 40_000, 0, 0), [])
ID, TOKEN = 0x1234, b"\xa5\x5a"
RECEIPT_HEAD = b"\xc1\x11\xff"  # Content-Format 17, payload marker


class FakeMembers:
    """Members whose changes are noted when `noted` is set, or fail with `refusal`."""

    def __init__(self, *devices):
        self.registry = Registry(devices)
        self.unreadable = None
        self.refusal = None
        self.behind = False
        self.noted = asyncio.Event()
        self.succeeded, self.revoked = [], []

    def succeed(self, name):
        self.succeeded.append(name)
        self.registry.succeed(name)

    def revoke(self, name, why):
        self.revoked.append(name)
        self.registry.revoke(name)

    def refresh(self):
        if self.unreadable:
            raise self.unreadable
        return self.behind

    async def note_changes(self):
        await self.noted.wait()
        if self.refusal:
            raise self.refusal
        self.behind = False


class FakeSequencer:
    """Groups that wait until `commit`; a number that was kept is a repeat."""

    def __init__(self, room=100):
        self.most = room
        self.groups = []
        self.kept = {}
        self.refusal = None

    @property
    def waiting(self):
        return [one for submissions, _ in self.groups for one in submissions]

    @property
    def room(self):
        return self.most - len(self.waiting)

    async def submit(self, submission):
        """Queued; nobody waits for it to be committed."""
        self.submit_all([submission], lambda outcomes: None)

    def submit_all(self, submissions, settle):
        if self.refusal:
            raise self.refusal
        if len(submissions) > self.room:
            raise BusyError("full")
        self.groups.append((list(submissions), settle))

    def commit(self, error=None):
        """All that waits, or `error` for each."""
        groups, self.groups = self.groups, []
        for submissions, settle in groups:
            settle([error or self._keep(one) for one in submissions])

    def _keep(self, submission):
        repeat = submission.number in self.kept
        return Kept(self.kept.setdefault(submission.number, len(self.kept)), repeat)


class FakeChecks:
    """One lane, checked by the real worker's code when `answer` is called; or `refusal`."""

    def __init__(self):
        self.asked = []
        self.refusal = None
        self._checker = Checker()

    def lane_of(self, kid):
        return 0

    def check(self, lane, records, settle):
        if self.refusal:
            raise self.refusal
        self.asked.append((records, settle))

    def answer(self, error=None):
        asked, self.asked = self.asked, []
        for records, settle in asked:
            settle(error or [self._checker.holds(record) for record in records])


class FakeSending:
    """Keeps what is sent; message ids of our own start at 1000."""

    def __init__(self):
        self.sent = []
        self.confirmed = []
        self.failures = []
        self._message_id = 999

    def send(self, data, peer):
        if self.failures:
            raise self.failures.pop()
        self.sent.append((data, peer))

    def send_confirmed(self, data, peer):
        self.confirmed.append((data, peer))

    def next_message_id(self):
        self._message_id += 1
        return self._message_id

    def jitter(self):
        return 0.0


class Post:
    """Readings with two devices, a clock for waiting and a clock for receipts."""

    def __init__(self, *, per_s=1000, room=100, members=None, sequencer=None):
        self.now_ms, self.time_ms = 0, NOW_MS
        self.members = members or FakeMembers(SHED.known(), CELLAR.known())
        self.sequencer = sequencer or FakeSequencer(room)
        self.metrics = Metrics()
        self.sending = FakeSending()
        self.checks = FakeChecks()
        self.readings = Readings(
            self.members,
            self.sequencer,
            self.metrics,
            Limiter(per_s=per_s, burst=per_s, sources=64),
            Signed(
                self.checks,
                self.metrics,
                revoke=self.members.revoke,
                record=lambda one: self.sequencer.submit_all([one], lambda outcomes: None),
            ),
            Clocks(lambda: self.now_ms, lambda: self.time_ms),
        )
        self.readings.attach(self.sending)

    def take(self, *datagrams, peer=PEER):
        """As the endpoint does with what one turn brings."""
        batch = [posted(data, peer, self.now_ms) for data in datagrams]
        assert None not in batch
        self.readings.take(batch, self.now_ms)

    def wait(self, ms):
        self.now_ms += ms
        self.readings.tick(self.now_ms)

    @property
    def sent(self):
        """What was sent since the last look, whether acknowledged or not."""
        sent = [data for data, _ in self.sending.sent + self.sending.confirmed]
        self.heard()
        return sent

    def heard(self):
        """What was sent so far is not looked at."""
        self.sending.sent.clear()
        self.sending.confirmed.clear()

    def count(self, outcome):
        labels = {"door": "coap", "outcome": outcome}
        return self.metrics.registry.get_sample_value("tallystick_requests_total", labels) or 0


def pack(sequence=0, device=SHED, *, kind=CON, message_id=ID, token=TOKEN, value=21):
    return wrapped(
        device.seal(sequence, value=value), kind=kind, message_id=message_id, token=token
    )


def wrapped(body, options=HEAD, *, kind=CON, message_id=ID, token=TOKEN):
    head = bytes((0x40 | kind << 4 | len(token), POST)) + message_id.to_bytes(2, "big")
    return head + token + options + body


def signed_pack(device, sequence=0, *, kind=CON, message_id=ID, token=TOKEN, **more):
    return wrapped(
        device.sign(sequence, **more), SIGNED_HEAD, kind=kind, message_id=message_id, token=token
    )


def answer(kind, code, tail=b"", *, message_id=ID, token=TOKEN):
    head = bytes((0x40 | kind << 4 | len(token), code)) + message_id.to_bytes(2, "big")
    return head + token + tail


def empty_ack(message_id=ID):
    return coap.empty(coap.ACK, message_id)


def told(data, sent, device=SHED):
    """What the receipt in the answer `data` says of the pack `sent`, as a device reads it."""
    found, asked = coap.decode(data), coap.decode(sent)
    key = envelope.direction_key(device.secret, DOWN)
    return Receipt(*receipt_reader.open_sealed(key, found.payload, asked.payload))
